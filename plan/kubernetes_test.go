package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const besides = "extends: debian-13\nversion: v1.0.0\nvariant: standard\nkubernetes: {as: extension}\n"

func componentNames(all []plan.Component) (names []string) {
	for _, c := range all {
		names = append(names, c.Name)
	}
	return names
}

// TestKubernetesExtension has a core system, and beside it an extension with Kubernetes, mesh and
// provider, whose units start if the machine has enabled them.
func TestKubernetesExtension(t *testing.T) {
	p := spectest.MustPlan(t, besides, nil, "amd64")
	core := spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\n", nil, "amd64")
	assert.Equal(t, core.Components, p.Components)
	assert.Equal(t, core.Checks, p.Checks)
	assert.Equal(t, core.Release, p.Release, "the system is a core system")
	assert.Equal(t, core.Image, p.Image)
	assert.Equal(t, append(core.System.Overlays, "extensions"), p.System.Overlays)
	_, ok := p.Kubernetes()
	assert.False(t, ok)
	assert.NotEmpty(t, p.Needs[catalog.NeedModules]["br_netfilter"], "the kernel of the system has what Kubernetes needs")

	require.Len(t, p.Extensions, 1)
	e := p.Extensions[0]
	assert.Equal(t, "kubernetes", e.At)
	assert.Equal(t, "k3s", e.Name)
	assert.Regexp(t, `^k3s-v[0-9.]+-k3s[0-9]+$`, e.File, "machines read the name as a regular expression")
	assert.True(t, e.Medium)
	assert.True(t, e.AnyDistro, "the programs need no library")
	assert.True(t, e.Reload)
	assert.Equal(t, []string{"edgevpn", "k3s", "provider-kairos"}, componentNames(e.Components))
	assert.Equal(t, []string{"kairos-enabled@edgevpn@.service", "kairos-enabled@k3s-agent.service", "kairos-enabled@k3s.service"}, e.Services)
	provider := e.Components[2]
	assert.Equal(t, "/usr/bin/agent-provider-kairos", provider.Install, "machines merge nothing into /system")
	assert.Equal(t, []plan.Link{{Path: "/usr/bin/kairos", Target: "/usr/bin/agent-provider-kairos"}}, provider.Links)
	assert.Equal(t, append(componentNames(p.Components), componentNames(e.Components)...), componentNames(p.AllComponents()))

	k0s := spectest.MustPlan(t, "extends: fedora\nversion: v1.0.0\nvariant: standard\nmesh: none\nkubernetes: {distribution: k0s, as: extension}\n", nil, "arm64").Extensions[0]
	assert.Equal(t, "k0s", k0s.Name)
	assert.Equal(t, []string{"k0s", "provider-kairos"}, componentNames(k0s.Components))
	assert.Equal(t, []string{"kairos-enabled@k0scontroller.service", "kairos-enabled@k0sworker.service"}, k0s.Services)

	signed := spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\nvariant: standard\nkubernetes: {as: extension, certificate: signing.crt}\n", nil, "amd64").Extensions[0]
	assert.Equal(t, "signing.crt", signed.Certificate.From)
	assert.Equal(t, "kubernetes.certificate", signed.Key().Certificate().String())

	in := spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\nvariant: standard\nkubernetes: {as: system}\n", nil, "amd64")
	assert.Equal(t, spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\nvariant: standard\n", nil, "amd64").Components, in.Components)
	assert.Empty(t, in.Extensions)
}

// TestKubernetesExtensionBesideOthers comes after those of the spec, and its name is taken.
func TestKubernetesExtensionBesideOthers(t *testing.T) {
	p := spectest.MustPlan(t, besides+"extension: {name: tools, packages: [tree]}\ntest: {assertions: [{extension: k3s}]}\n", nil, "amd64")
	require.Len(t, p.Extensions, 2)
	assert.Equal(t, "tools", p.Extensions[0].Name)
	assert.False(t, p.Extensions[0].Medium)
	assert.Equal(t, "k3s", p.Extensions[1].Name)
}

// TestKubernetesExtensionRefused points at what a spec asks for.
func TestKubernetesExtensionRefused(t *testing.T) {
	const rest = "version: v1.0.0\nvariant: standard\nkubernetes: {as: extension}\n"
	for spec, want := range map[string]string{
		"extends: debian-13\ninit: openrc\n" + rest: "kairos.spec:5:18: kubernetes.as: Debian 13 (trixie) cannot merge an extension: its init system, openrc, starts no services of extensions; ",
		"extends: alpine\n" + rest:                  "kairos.spec:4:18: kubernetes.as: Alpine ",
		"extends: ubuntu-22-lts\n" + rest:           "kairos.spec:4:18: kubernetes.as: Ubuntu 22.04 LTS cannot merge an extension: it has systemd 249; ",
		"extends: debian-13\n" + rest + "extension: {name: k3s, files: [{path: /opt/a, content: a}]}\n": "kairos.spec:5:19: extension.name: the extension of Kubernetes has the name k3s; choose another name",
		"extends: debian-13\nversion: v1.0.0\nkubernetes: {as: extension}\n":                            "kairos.spec:3:13: kubernetes: the variant core has no kubernetes; ",
		"extends: debian-13\nversion: v1.0.0\nvariant: standard\nkubernetes: {as: sysext}\n":            `kairos.spec:4:18: kubernetes.as: "sysext" is not valid; `,
	} {
		_, err := spectest.Plan(spec, nil, "amd64")
		assert.ErrorContains(t, err, want, spec)
	}
}

// TestExplainKubernetesExtension says that a program is in the extension, and where.
func TestExplainKubernetesExtension(t *testing.T) {
	all := explain(t, besides, nil, "amd64")
	for name, key := range map[string]string{"/usr/bin/k3s": "install", "/usr/bin/agent-provider-kairos": "merged"} {
		found, _ := plan.Find(all, name)
		require.Len(t, found, 1, name)
		assert.Equal(t, "extension-k3s", found[0].Stage)
		assert.Equal(t, key, found[0].Key)
	}
	found, _ := plan.Find(all, "k3s")
	require.Len(t, found, 1)
	assert.Equal(t, "extension-k3s", found[0].Stage)
	assert.Equal(t, "kairos.spec:4:13", found[0].Place)
	found, _ = plan.Find(all, "/usr/lib/kairos/start-enabled")
	require.Len(t, found, 1)
	assert.Equal(t, "overlay/enabled/usr/lib/kairos/start-enabled", found[0].Place)
}
