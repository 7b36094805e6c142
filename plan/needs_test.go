package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestAsks tells who asks for what a plan needs, after a round trip through JSON.
func TestAsks(t *testing.T) {
	const debian = "extends: debian-12\nversion: v1.0.0\n"
	files := spectest.Files{"base.spec": "extends: debian-12\nvariant: standard\nkubernetes: k0s\n"}
	for _, c := range []struct {
		spec     string
		category catalog.Category
		names    string
		want     string
	}{
		{debian, catalog.NeedModules, "squashfs", "extends at kairos.spec:1:10"},
		{debian, catalog.NeedCommands, "rsync", "extends at kairos.spec:1:10"},
		{debian, catalog.NeedInitramfsModules, "nvme", "extends at kairos.spec:1:10"},
		{"distro: debian-12\nversion: v1.0.0\n", catalog.NeedModules, "squashfs", "distro at kairos.spec:1:9"},
		{debian + "kernel: {from: debian-13}\n", catalog.NeedModules, "squashfs", "kernel at kairos.spec:3:9"},
		{debian + "kernel: {from: debian-13}\n", catalog.NeedInitramfsCommands, "dmsetup", "kernel.from at kairos.spec:3:16"},
		{debian + "model: generic\n", catalog.NeedInitramfsModules, "nvme", "model at kairos.spec:3:8"},
		// A catalog's flavor has the model: the line that extends it asks.
		{"extends: opensuse-arm-rpi\nversion: v1.0.0\n", catalog.NeedInitramfsModules, "mmc_block", "extends at kairos.spec:1:10"},
		{debian + "variant: standard\nkubernetes: k3s\n", catalog.NeedModules, "br_netfilter", "kubernetes at kairos.spec:4:13"},
		{debian + "variant: standard\ncomponents: {k3s: {version: v1.36.4+k3s1}}\n", catalog.NeedModules, "br_netfilter", "components.k3s at kairos.spec:4:19"},
		{debian + "variant: standard\n", catalog.NeedModules, "br_netfilter", "variant at kairos.spec:3:10"},
		{"extends: ./base.spec\nversion: v1.0.0\n", catalog.NeedModules, "br_netfilter", "kubernetes at base.spec:3:13"},
		// Two ask for it: iptables, which the flavor has, and Kubernetes.
		{debian + "variant: standard\n", catalog.NeedModules, "ip_tables or nf_tables", "variant at kairos.spec:3:10"},
		{debian + "artifacts: {iso: {compression: zstd}}\n", catalog.NeedConfig, "SQUASHFS_ZSTD", "artifacts.iso.compression at kairos.spec:3:32"},
		{debian + "packages: {remove: [nano, rsync]}\n", catalog.NeedCommands, "rsync", "packages.remove[1] at kairos.spec:3:27"},
		{debian + "packages: {remove: [nano, gawk]}\n", catalog.NeedCommands, "rsync", "extends at kairos.spec:1:10"},
		{debian + "initramfs: {network: true}\n", catalog.NeedNetworkModules, "virtio_net", "initramfs at kairos.spec:3:12"},
		{debian, catalog.NeedNetworkModules, "virtio_net", "extends at kairos.spec:1:10"},
	} {
		_, p := spectest.RoundTrip(t, spectest.MustPlan(t, c.spec, files, arch(c.spec)))
		require.Contains(t, p.Needs[c.category], c.names, c.spec)
		k := p.Origin.Decided(p.Origin.Asks(c.category, c.names)...)
		assert.Equal(t, c.want, k.String()+" at "+p.At(k).String(), "%s asks for %s", c.spec, c.names)
	}
	var none plan.Origin
	assert.Equal(t, "extends", none.Decided(none.Asks(catalog.NeedModules, "nvme")...).String(), "a plan of no spec")
}

// TestAsksAll has everything that a plan needs asked for by a key.
func TestAsksAll(t *testing.T) {
	for _, entry := range spectest.Entries(t) {
		p := spectest.PlanEntry(t, entry)
		for category, needs := range p.Needs {
			for names := range needs {
				assert.Contains(t, p.Origin.Needs[category], names)
			}
			assert.Len(t, p.Origin.Needs[category], len(needs))
		}
	}
}

// arch is one that a spec of these tests has.
func arch(spec string) string {
	if spec == "extends: opensuse-arm-rpi\nversion: v1.0.0\n" {
		return "arm64"
	}
	return "amd64"
}
