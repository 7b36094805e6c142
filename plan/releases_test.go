package plan_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestEveryNeedHasAPackage checks that a package in the list provides each command that a plan
// needs: of the userland for what the agent and the scripts run, of the kernel's stage for what
// makes the initramfs and what is inside. Commands that only the base image or a recommended
// package provides may be missing in the next release.
func TestEveryNeedHasAPackage(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	for _, entry := range spectest.Entries(t) {
		t.Run(entry.Name, func(t *testing.T) {
			p := spectest.PlanEntry(t, entry)
			userland, donor := cat.Distros[p.Userland.Distro], cat.Distros[p.Kernel.Distro]
			brought := commandsOf(userland.Groups, p.Userland.Packages)
			require.NotEmpty(t, p.Needs[catalog.NeedCommands])
			for _, names := range catalog.Names(p.Needs[catalog.NeedCommands]) {
				assert.True(t, met(names, brought), "no package of the userland of %s is there for %s", userland.Name, names)
			}
			brought = commandsOf(donor.Kernel.Initramfs.Groups, p.Kernel.Packages)
			require.NotEmpty(t, p.Needs[catalog.NeedInitramfsTools])
			for _, needs := range []plan.Reasons{p.Needs[catalog.NeedInitramfsTools], p.Needs[catalog.NeedInitramfsCommands]} {
				for _, names := range catalog.Names(needs) {
					assert.True(t, met(names, brought), "no package of the kernel's stage of %s is there for %s", donor.Name, names)
				}
			}
		})
	}
}

// commandsOf returns the commands that packages of groups provide.
func commandsOf(groups []catalog.Group, packages []plan.Package) []string {
	var commands []string
	for _, g := range groups {
		for name, p := range g.Packages {
			if slices.ContainsFunc(packages, func(p plan.Package) bool { return p.Name == name }) {
				commands = append(commands, p.Commands...)
			}
		}
	}
	return commands
}

// met reports whether one of the names is there.
func met(names string, brought []string) bool {
	return slices.ContainsFunc(strings.Split(names, " or "), func(n string) bool { return slices.Contains(brought, n) })
}

// TestKernelFirmware checks that, for every distribution, the build looks for a file of each
// firmware family that servers and PCs need. Debian has only free firmware, and the build looks for
// one file of that.
func TestKernelFirmware(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	for name := range cat.Distros {
		t.Run(name, func(t *testing.T) {
			families := []string{"amdgpu", "bnx2x", "i915", "iwlwifi", "rtl_nic"}
			if cat.Distros[name].Flavor == "debian" {
				families = []string{"isci"}
			}
			p := spectest.MustPlan(t, "distro: "+name+"\nversion: v1.0.0\n", nil, "amd64")
			files := slices.Collect(maps.Keys(p.Needs[catalog.NeedFirmware]))
			for _, family := range families {
				assert.True(t, slices.ContainsFunc(files, func(f string) bool { return strings.Contains(f, family) }), "%s: %v", family, files)
			}
			p = spectest.MustPlan(t, "distro: "+name+"\nmodel: virtual\nversion: v1.0.0\n", nil, "amd64")
			assert.Empty(t, p.Needs[catalog.NeedFirmware], "a virtual machine needs none")
		})
	}
	p := spectest.MustPlan(t, "extends: alpine\nversion: v1.0.0\n", nil, "amd64")
	assert.Contains(t, packageNames(p.Kernel.Packages), "linux-firmware-rtl_nic")
	assert.NotContains(t, packageNames(p.Kernel.Packages), "linux-firmware-none")
	p = spectest.MustPlan(t, "extends: alpine\nmodel: virtual\nversion: v1.0.0\n", nil, "amd64")
	assert.Contains(t, packageNames(p.Kernel.Packages), "linux-firmware-none", "linux-lts asks for any, and takes all if it is not told")
	p = spectest.MustPlan(t, "extends: fedora\nversion: v1.0.0\npackages: {groups: {firmware-wireless: false}}\n", nil, "amd64")
	assert.NotContains(t, packageNames(p.Kernel.Packages), "iwlwifi-mvm-firmware")
	assert.NotContains(t, p.Needs[catalog.NeedFirmware], "*iwlwifi-8265-*")
	p = spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nkernel: {context: mine}\n", nil, "amd64")
	assert.Empty(t, p.Needs[catalog.NeedFirmware], "a kernel of the user's own brings its own")
}

// TestReleases checks the differences between releases of one distribution.
func TestReleases(t *testing.T) {
	of := func(spec, arch string) *plan.Plan {
		return spectest.MustPlan(t, spec+"\nversion: v1.0.0\n", nil, arch)
	}
	for _, r := range []struct {
		release    string
		polkit     string
		compress   bool
		removeUser []string
		raspi      []string
	}{
		{"20.04", "policykit-1", false, nil, []string{"linux-image-raspi", "linux-firmware-raspi2"}},
		{"22.04", "polkitd", true, nil, []string{"linux-image-raspi", "linux-firmware-raspi", "linux-modules-extra-raspi"}},
		{"24.04", "polkitd", false, []string{"ubuntu"}, []string{"linux-image-raspi"}},
		{"26.04", "polkitd", false, []string{"ubuntu"}, []string{"linux-image-raspi"}},
		{"26.10", "polkitd", false, []string{"ubuntu"}, []string{"linux-image-raspi"}},
	} {
		t.Run("ubuntu-"+r.release, func(t *testing.T) {
			p := of("distro: ubuntu-"+r.release, "amd64")
			assert.Contains(t, packageNames(p.Userland.Packages), r.polkit)
			assert.Contains(t, p.Checks.Commands, "pkaction")
			assert.Contains(t, packageNames(p.Kernel.Packages), "linux-firmware", "named, whatever the kernel's package asks for")
			assert.Equal(t, r.compress, p.Kernel.CompressModules)
			assert.ElementsMatch(t, r.removeUser, p.Userland.RemoveUsers)
			assert.Empty(t, p.Kernel.RemoveUsers, "nobody sees those of the kernel's stage")
			p = of("distro: ubuntu-"+r.release+"\nmodel: rpi4", "arm64")
			assert.Equal(t, r.raspi, packageNames(p.Kernel.Packages)[:len(r.raspi)])
			assert.NotContains(t, packageNames(p.Kernel.Packages), "linux-raspi", "it brings headers")
		})
	}
	for release, alias := range map[string]string{"15.6": "repo-openh264", "16.0": "openSUSE:repo-openh264"} {
		leap := of("distro: opensuse-leap-"+release, "amd64")
		assert.Equal(t, []string{alias}, leap.Userland.SkipRepositories)
		assert.Equal(t, []string{alias}, leap.Kernel.SkipRepositories)
		assert.Contains(t, packageNames(leap.Userland.Packages), "util-linux-systemd")
		assert.Subset(t, packageNames(leap.Kernel.Packages), []string{"tar", "gzip", "util-linux-systemd"})
		merged := release != "15.6"
		assert.Equal(t, merged, len(leap.Userland.Merged) > 0)
		assert.Equal(t, merged, slices.Contains(leap.System.Overlays, "selinux-off"))
		for _, packages := range [][]plan.Package{leap.Userland.Packages, leap.Kernel.Packages} {
			assert.Equal(t, !merged, slices.Contains(packageNames(packages), "systemd-sysvinit"), "it became a part of systemd")
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		assert.Contains(t, packageNames(of("extends: fedora", arch).Userland.Packages), "util-linux")
	}
	for spec, backend := range map[string]bool{"debian-12": false, "debian-13": true, "ubuntu": true, "fedora": true, "opensuse": false} {
		_, asked := of("extends: "+spec, "amd64").Needs[catalog.NeedNetworkFiles]["/var/lib/dracut/hooks/initqueue/settled/99-networkd-run.sh or "+
			"/usr/lib/dracut/hooks/initqueue/settled/99-networkd-run.sh or /lib/dracut/hooks/initqueue/settled/99-networkd-run.sh"]
		assert.Equal(t, backend, asked, spec)
	}
}

// TestMovingFlavors has the flavors that are named without a release on one that gets updates, and
// none of those on a release with a day that no one has thought of.
func TestMovingFlavors(t *testing.T) {
	for flavor, distro := range map[string]string{
		"ubuntu": "ubuntu-26.10", "fedora": "fedora-44", "opensuse": "opensuse-leap-16.0", "alpine": "alpine-3.23",
	} {
		p := spectest.MustPlan(t, "extends: "+flavor+"\nversion: v1.0.0\n", nil, "amd64")
		assert.Equal(t, distro, p.Userland.Distro, flavor)
	}
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	days := map[string]string{}
	for name, d := range cat.Distros {
		if name == "ubuntu-26.10" {
			assert.Empty(t, d.EOL, "no day is announced")
			continue
		}
		assert.NotEmpty(t, d.EOL, name)
		other, taken := days[d.EOL]
		assert.False(t, taken, "%s has the day of %s, which it may be like", name, other)
		days[d.EOL] = name
	}
}

// TestLoadersOfFedora has them where the agent looks, wherever the packages have them.
func TestLoadersOfFedora(t *testing.T) {
	for arch, efi := range map[string]string{"amd64": "x64", "arm64": "aa64"} {
		of := func(distro string) plan.Loader {
			return spectest.MustPlan(t, "distro: "+distro+"\nversion: v1.0.0\n", nil, arch).Userland.Loader
		}
		old, current := of("fedora-43"), of("fedora-44")
		assert.Empty(t, old.Copies)
		assert.Equal(t, map[string]string{
			"/boot/efi/EFI/fedora/shim.efi":            "/usr/lib/efi/shim/*/EFI/fedora/shim" + efi + ".efi",
			"/boot/efi/EFI/fedora/grub" + efi + ".efi": "/usr/lib/efi/grub2/*/EFI/fedora/grub" + efi + ".efi",
		}, current.Copies)
		current.Copies = nil
		assert.Equal(t, old, current)
	}
}

func TestAlpine(t *testing.T) {
	of := func(spec, arch string) *plan.Plan {
		return spectest.MustPlan(t, spec+"\nversion: v1.0.0\n", nil, arch)
	}
	p := of("extends: alpine", "amd64")
	assert.Equal(t, []string{"boot"}, p.System.Enable["acpid"], "the power button")
	assert.Equal(t, []string{"boot"}, p.System.Enable["hwclock"])
	assert.NotContains(t, p.System.Enable, "swclock")
	assert.Contains(t, packageNames(p.Userland.Packages), "eudev-netifnames")
	assert.Equal(t, "debian-12", p.Userland.Loader.From.Distro)
	assert.Equal(t, "debian-13", of("extends: alpine", "arm64").Userland.Loader.From.Distro, "its GRUB starts a kernel that unpacks itself")

	p = of("extends: alpine-arm-rpi", "arm64")
	assert.Equal(t, []string{"boot"}, p.System.Enable["swclock"], "a board has no clock that runs without power")
	assert.NotContains(t, p.System.Enable, "hwclock")

	assert.Contains(t, of("extends: debian-12\nkernel: alpine-3.23", "amd64").Needs[catalog.NeedConfig], "FHANDLE", "systemd runs, and not in the initramfs alone")
	assert.NotContains(t, of("extends: alpine", "amd64").Needs[catalog.NeedConfig], "FHANDLE")
	assert.Contains(t, of("extends: alpine-ubuntu", "amd64").Needs[catalog.NeedConfig], "FHANDLE", "systemd runs in the initramfs")
}

// packageNames returns packages without their versions.
func packageNames(packages []plan.Package) []string {
	names := make([]string, len(packages))
	for i, p := range packages {
		names[i] = p.Name
	}
	return names
}
