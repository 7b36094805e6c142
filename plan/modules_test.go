package plan_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// off returns the names of the classes of kernel modules that a root filesystem goes without.
func off(p *plan.Plan) (names []string) {
	for _, class := range p.Kernel.Omit {
		names = append(names, class.Name)
	}
	return names
}

// TestModules goes without the classes of the model, unless the spec says otherwise.
func TestModules(t *testing.T) {
	always := []string{"amateur-radio", "kernel-tests", "telephony"}
	server := append(slices.Clone(always), "media", "sound", "staging", "usb-gadget")
	for _, c := range []struct {
		name, spec, arch string
		want             []string
	}{
		{name: "any machine", spec: debian, want: server},
		{name: "a VM", spec: debian + "model: virtual\n", want: append(slices.Clone(server), "bluetooth", "legacy-bus", "storage-network", "wireless")},
		{
			name: "a board", spec: debian + "model: rpi4\n", arch: "arm64",
			want: append(slices.Clone(always), "accelerators", "infiniband", "legacy-bus", "storage-network"),
		},
		{
			name: "on and off", spec: debian + "kernel: {modules: {sound: true, media: true, display: false}}\n",
			want: append(slices.Clone(always), "display", "staging", "usb-gadget"),
		},
		{name: "a custom kernel", spec: debian + "kernel: {image: acme/kernel}\n"},
		{name: "a custom kernel, less", spec: debian + "kernel: {image: acme/kernel, modules: {sound: false}}\n", want: []string{"sound"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.arch == "" {
				c.arch = "amd64"
			}
			assert.ElementsMatch(t, c.want, off(spectest.MustPlan(t, c.spec, nil, c.arch)))
		})
	}
}

// TestModulesInitramfs leaves out of every initramfs what the root filesystem goes without.
func TestModulesInitramfs(t *testing.T) {
	omitted := func(spec, class string) (plan.ModuleClass, bool) {
		omit := spectest.MustPlan(t, debian+spec, nil, "amd64").Kernel.Initramfs.Omit
		i := slices.IndexFunc(omit, func(m plan.ModuleClass) bool { return m.Name == class })
		if i < 0 {
			return plan.ModuleClass{}, false
		}
		return omit[i], true
	}
	class, ok := omitted("", "infiniband")
	require.True(t, ok)
	assert.True(t, class.Network, "with a network it is there")
	class, ok = omitted("kernel: {modules: {infiniband: false}}\n", "infiniband")
	require.True(t, ok)
	assert.False(t, class.Network)
	assert.Equal(t, []string{
		"drivers/infiniband", "drivers/nvme/host/nvme-rdma", "drivers/nvme/target/nvmet-rdma", "net/9p/9pnet_rdma", "net/rds/rds_rdma", "net/sunrpc/xprtrdma",
	}, class.Paths)
	_, ok = omitted("", "storage")
	assert.False(t, ok, "no rule of an initramfs")
}

// TestModulesWhy tells a default from a choice.
func TestModulesWhy(t *testing.T) {
	p := spectest.MustPlan(t, debian+"kernel: {modules: {sound: false}}\n", nil, "amd64")
	why := map[string]string{}
	for _, class := range p.Kernel.Omit {
		why[class.Name] = class.Why
	}
	assert.Equal(t, "the spec switches it off", why["sound"])
	assert.Equal(t, "They are only for kernel developers.", why["kernel-tests"])
}

// TestModulesFirmware goes without the firmware of drivers that are not there, and does not require
// it.
func TestModulesFirmware(t *testing.T) {
	has := func(p *plan.Plan, name string) bool {
		return slices.ContainsFunc(p.Kernel.Packages, func(pkg plan.Package) bool { return pkg.Name == name })
	}
	const fedora = "extends: fedora\nversion: v1.0.0\n"
	p := spectest.MustPlan(t, fedora, nil, "amd64")
	assert.True(t, has(p, "brcmfmac-firmware"))
	assert.True(t, has(p, "amd-gpu-firmware"))
	p = spectest.MustPlan(t, fedora+"kernel: {modules: {wireless: false}}\n", nil, "amd64")
	assert.False(t, has(p, "brcmfmac-firmware"))
	assert.True(t, has(p, "amd-gpu-firmware"))
	assert.NotContains(t, p.Needs[catalog.NeedFirmware], "brcm/*")
	p = spectest.MustPlan(t, "extends: ubuntu\nversion: v1.0.0\nkernel: {modules: {display: false}}\n", nil, "amd64")
	assert.True(t, has(p, "linux-firmware"), "it has that of network cards too")
	assert.NotContains(t, p.Needs[catalog.NeedFirmware], "amdgpu/*")
	assert.Contains(t, p.Needs[catalog.NeedFirmware], "*iwlwifi-8265-*")
	p = spectest.MustPlan(t, "extends: alpine-arm-rpi\nmodel: rpi4\nversion: v1.0.0\nkernel: {modules: {wireless: false}}\n", nil, "arm64")
	assert.NotContains(t, p.Needs[catalog.NeedFirmware], "brcm/brcmfmac43455-sdio.bin*")
}

// TestModulesAlternatives refuses to go without a class only if no other class has what serves as
// well.
func TestModulesAlternatives(t *testing.T) {
	cat, err := spectest.With(map[string]string{
		"modules/a.yaml":      "name: a\ntitle: A\nroot: {default: true, why: x}\npaths: [a]\nholds: [a]\n",
		"modules/b.yaml":      "name: b\ntitle: B\nroot: {default: true, why: x}\npaths: [b]\nholds: [b]\n",
		"requirements/x.yaml": "name: x\nwhy: x\nneeds: {modules: {a: {or: [b], why: the test}}}\n",
	})
	require.NoError(t, err)
	resolve := func(spec string) error {
		doc, err := spectest.Load(debian+spec, nil)
		require.NoError(t, err)
		_, err = plan.Resolve(doc, cat, "amd64")
		return err
	}
	require.NoError(t, resolve("kernel: {modules: {a: false}}\n"))
	require.NoError(t, resolve("kernel: {modules: {b: false}}\n"))
	assert.EqualError(t, resolve("kernel: {modules: {a: false, b: false}}\n"),
		`kairos.spec:3:23: kernel.modules.a: the system needs modules of the class "a": a or b (the test); leave it on`+"\n"+
			`kairos.spec:3:33: kernel.modules.b: the system needs modules of the class "b": a or b (the test); leave it on`)
}
