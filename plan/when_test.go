package plan_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestWhen builds one spec for two architectures.
func TestWhen(t *testing.T) {
	const spec = `extends: debian-12
version: v1.0.0
packages:
  add: [htop, {value: dmidecode, when: {arch: amd64}}, {value: tree, when: {arch: [arm64, riscv64], init: systemd}}]
files:
- {path: /etc/motd, content: amd, when: {arch: amd64}}
- {path: /etc/motd, content: arm, when: {arch: arm64}}
cmdline: [{value: intel_iommu=on, when: {arch: amd64}}]
kernel: {when: {arch: arm64}, package: linux-image-cloud-arm64}
`
	plans := map[string]*plan.Plan{}
	for _, arch := range []string{"amd64", "arm64"} {
		plans[arch] = spectest.MustPlan(t, spec, nil, arch)
	}
	has := func(arch, name string) bool {
		return slices.Contains(plans[arch].Userland.Packages, plan.Package{Name: name})
	}
	for name, want := range map[string]struct{ amd64, arm64 bool }{"htop": {true, true}, "dmidecode": {true, false}, "tree": {false, true}} {
		assert.Equal(t, want.amd64, has("amd64", name), name)
		assert.Equal(t, want.arm64, has("arm64", name), name)
	}
	for arch, text := range map[string]string{"amd64": "amd", "arm64": "arm"} {
		require.Len(t, plans[arch].Files, 1)
		assert.Equal(t, text, plans[arch].Files[0].Text)
	}
	assert.Contains(t, plans["amd64"].CommandLine.Installed, "intel_iommu=on")
	assert.NotContains(t, plans["arm64"].CommandLine.Installed, "intel_iommu=on")
	assert.Equal(t, "linux-image-amd64", plans["amd64"].Kernel.Packages[0].Name)
	assert.Equal(t, "linux-image-cloud-arm64", plans["arm64"].Kernel.Packages[0].Name)
}

// TestFacts has conditions about what the spec, its base and the catalog say of a system.
func TestFacts(t *testing.T) {
	const all = "{value: a, when: {arch: arm64}}, {value: b, when: {model: [rpi4, rpi5]}}, {value: c, when: {variant: standard}}, " +
		"{value: d, when: {init: openrc}}, {value: e, when: {distro: debian}}, {value: f, when: {distro: [debian-13, alpine-3.22]}}"
	for _, c := range []struct{ name, spec, base, arch, want string }{
		{"defaults", "extends: debian-12\n", "", "amd64", "e"},
		{"of the spec", "extends: ./base.spec\ninit: openrc\nvariant: standard\n", "extends: debian-13\n", "amd64", "cdef"},
		{"of the base", "extends: ./base.spec\n", "extends: debian-12\nmodel: rpi4\n", "arm64", "abe"},
		{"of a flavor", "extends: alpine\ndistro: alpine-3.22\n", "", "arm64", "adf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := spectest.MustPlan(t, c.spec+"version: v1.0.0\ncmdline: ["+all+"]\n", spectest.Files{"base.spec": c.base}, c.arch)
			var got string
			for _, arg := range p.CommandLine.Installed {
				if len(arg) == 1 {
					got += arg
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// TestMistakesOfFacts knows the names of the catalog, whether or not the part is left out.
func TestMistakesOfFacts(t *testing.T) {
	const spec = `extends: debian-12
version: v1.0.0
initramfs: {when: {arch: aarch64, model: rpi6}, network: true}
size: {when: {variant: standart}, root: 1GiB}
kernel: {when: {distro: [debian, ubuntu-24.05], init: sysvinit}, from: debian-13}
`
	_, err := spectest.Plan(spec, nil, "amd64")
	require.Error(t, err)
	assert.Equal(t, `kairos.spec:3:26: initramfs.when.arch: "aarch64" is not valid; did you mean "arm64"?
kairos.spec:3:42: initramfs.when.model: "rpi6" is not valid; did you mean "rpi"?
kairos.spec:4:24: size.when.variant: "standart" is not valid; did you mean "standard"?
kairos.spec:5:34: kernel.when.distro: "ubuntu-24.05" is not valid; did you mean "ubuntu-24.04"?
kairos.spec:5:55: kernel.when.init: "sysvinit" is not valid; valid: openrc, systemd`, err.Error())

	// Nothing follows from facts that a mistake leaves unknown.
	_, err = spectest.Plan("version: v1.0.0\ndistro: debain-12\nmodel: rpi44\ninitramfs: {when: {distro: debian, model: rpi4, init: systemd}, network: true}\n", nil, "amd64")
	require.Error(t, err)
	assert.Equal(t, `kairos.spec:2:9: distro.name: unknown distribution "debain-12"; did you mean "debian-12"?
kairos.spec:3:8: model: unknown model "rpi44"; did you mean "rpi4"?`, err.Error())
}

// TestExplainLeftOut says why something is not there.
func TestExplainLeftOut(t *testing.T) {
	const spec = "extends: debian-12\nversion: v1.0.0\npackages:\n  add:\n  - tree\n  - {value: htop, when: {arch: [arm64, riscv64]}}\nfiles: [{path: /a, content: a, when: {arch: arm64}}]\n"
	all := explain(t, spec, nil, "amd64")
	found, _ := plan.Find(all, "htop")
	assert.Equal(t, []plan.Reason{{Kind: "left out", Name: "htop", Place: "kairos.spec:6:13", Key: "packages.add[1]", Why: "arch is amd64, not arm64 or riscv64"}}, found)
	assert.Equal(t, "left out htop\n  from     kairos.spec:6:13  packages.add[1]\n  why      arch is amd64, not arm64 or riscv64", found[0].String())
	found, _ = plan.Find(all, "files[0]")
	assert.Equal(t, []plan.Reason{{Kind: "left out", Name: "files[0]", Place: "kairos.spec:7:9", Key: "files[0]", Why: "arch is amd64, not arm64"}}, found)
	found, _ = plan.Find(explain(t, spec, nil, "arm64"), "htop")
	require.Len(t, found, 1)
	assert.Equal(t, "package", found[0].Kind)
}

// TestArchitecturesOfKernels has a donor of the kernel for one architecture.
func TestArchitecturesOfKernels(t *testing.T) {
	for spec, want := range map[string][]string{
		"distro: debian-13\n":                                                      {"amd64", "arm64", "riscv64"},
		"distro: debian-13\nkernel: debian-12\n":                                   {"amd64", "arm64"},
		"distro: debian-13\nkernel: {from: debian-12, when: {arch: amd64}}\n":      {"amd64", "arm64", "riscv64"},
		"distro: debian-13\nkernel: {from: debian-12, when: {distro: debian}}\n":   {"amd64", "arm64"},
		"distro: debian-13\nkernel: {from: debian-12, when: {init: openrc}}\n":     {"amd64", "arm64", "riscv64"},
		"distro: debian-13\nmodel: rpi4\nkernel: {modules: {}, when: {arch: a}}\n": {"arm64"},
	} {
		doc, err := spectest.Load("version: v1.0.0\n"+spec, nil)
		require.NoError(t, err)
		archs, err := plan.Architectures(doc, spectest.Catalog(t))
		require.NoError(t, err)
		assert.ElementsMatch(t, want, archs, spec)
	}
}
