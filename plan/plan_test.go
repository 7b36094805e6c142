package plan_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestPlans compares the plan of every entry of the matrix with its golden.
func TestPlans(t *testing.T) {
	for _, entry := range spectest.Entries(t) {
		t.Run(entry.Name, func(t *testing.T) {
			golden.Check(t, filepath.Join("../testdata/plans", entry.Name+".yaml"), spectest.PlanEntry(t, entry).String())
		})
	}
}

// TestNames checks that no two entries of the matrix write the same file or push the same image.
func TestNames(t *testing.T) {
	seen := map[string]string{}
	for _, entry := range spectest.Entries(t) {
		p := spectest.PlanEntry(t, entry)
		for _, name := range []string{p.File, p.Image} {
			assert.Empty(t, seen[name], "%s is also a name of %s", name, entry.Name)
			seen[name] = entry.Name
		}
	}
}

const debian = "extends: debian-12\nversion: v1.0.0\n"

const (
	distros = "alpine-3.21, alpine-3.22, alpine-3.23, alpine-3.24, debian-12, debian-13, fedora-43, fedora-44, opensuse-leap-15.6, opensuse-leap-16.0, " +
		"ubuntu-20.04, ubuntu-22.04, ubuntu-24.04, ubuntu-26.04, ubuntu-26.10"
	boards = "alpine-3.21, alpine-3.22, alpine-3.23, alpine-3.24, debian-12, debian-13, opensuse-leap-15.6, opensuse-leap-16.0, " +
		"ubuntu-20.04, ubuntu-22.04, ubuntu-24.04, ubuntu-26.04, ubuntu-26.10"
	switched = "valid: accelerators, amateur-radio, bluetooth, display, flash, infiniband, kernel-tests, legacy-bus, media, sound, staging, " +
		"storage, storage-network, telephony, usb-gadget, wireless"
)

func TestMistakes(t *testing.T) {
	sum := strings.Repeat("a", 64)
	for _, c := range []struct {
		name, spec, arch string
		files            spectest.Files
		want             []string
	}{
		{
			name: "no distribution", spec: "version: v1.0.0\n",
			want: []string{`kairos.spec:1:1: distro.name: no distribution is chosen; extend a flavor, such as "extends: debian-12", or name one: ` + distros},
		},
		{
			name: "unknown distribution", spec: "version: v1.0.0\ndistro: debain-12\n",
			want: []string{`kairos.spec:2:9: distro.name: unknown distribution "debain-12"; did you mean "debian-12"?`},
		},
		{
			name: "an architecture that the catalog has not", spec: debian, arch: "arm46",
			want: []string{`kairos.spec:1:10: unknown architecture "arm46"; did you mean "arm64"? valid: amd64, arm64, riscv64`},
		},
		{
			name: "an architecture by another name", spec: debian, arch: "x86_64",
			want: []string{`kairos.spec:1:10: unknown architecture "x86_64"; did you mean "amd64"? valid: amd64, arm64, riscv64`},
		},
		{
			name: "the sum of a program for an architecture that the catalog has not",
			spec: debian + "components: {immucore: {url: 'https://x/a', sha256: {amd64: " + sum + ", amd46: " + sum + "}}}\n",
			want: []string{`kairos.spec:3:134: components.immucore.sha256.amd46: "amd46" is not an architecture; did you mean "amd64"? valid: amd64, arm64, riscv64`},
		},
		{
			name: "everything at once",
			spec: debian + "init: systemd\nkernel: gentoo\nmodel: rpi9\n" +
				"packages: {remove: [nona], groups: {nsf: false, base: false}}\ncomponents: {immucor: {version: v1}}\n",
			want: []string{
				`kairos.spec:4:9: kernel.from: unknown distribution "gentoo"; valid: ` + distros,
				`kairos.spec:5:8: model: unknown model "rpi9"; did you mean "rpi"?`,
				`kairos.spec:6:21: packages.remove[0]: "nona" is not on the list of debian-12; did you mean "nano"?`,
				`kairos.spec:6:42: packages.groups.nsf: "nsf" is not an optional group of debian-12; valid: admin, iscsi, nfs`,
				`kairos.spec:6:55: packages.groups.base: "base" is not an optional group of debian-12; valid: admin, iscsi, nfs`,
				`kairos.spec:7:23: components.immucor: unknown component "immucor"; did you mean "immucore"?`,
			},
		},
		{
			name: "unknown classes of kernel modules", spec: debian + "kernel: {modules: {sond: true, gpu: false, network: false}}\n",
			want: []string{
				`kairos.spec:3:26: kernel.modules.sond: unknown class of kernel modules "sond"; did you mean "sound"?`,
				`kairos.spec:3:37: kernel.modules.gpu: unknown class of kernel modules "gpu"; ` + switched,
				`kairos.spec:3:53: kernel.modules.network: every root filesystem has the class "network"; ` + switched,
			},
		},
		{
			name: "a class of kernel modules that the machine needs", spec: debian + "kernel:\n  modules:\n    storage: false\n",
			want: []string{`kairos.spec:5:14: kernel.modules.storage: the system needs modules of the class "storage": ` +
				`ahci (SATA disks and drives), ata_piix (disks and drives of older PCs and of VMs), hv_storvsc (disks of VMs on Hyper-V and Azure) and 12 more; leave it on`},
		},
		{
			name: "groups of files", spec: debian + "packages: {files: {hwbd: true, loaders: true}}\n",
			want: []string{
				`kairos.spec:3:26: packages.files.hwbd: "hwbd" is not a group of files that debian-12 goes without; did you mean "hwdb"?`,
				`kairos.spec:3:41: packages.files.loaders: "loaders" is not a group of files that debian-12 goes without; valid: hwdb`,
			},
		},
		{
			name: "an init system that the userland lacks", spec: "extends: ubuntu\nversion: v1.0.0\ninit: openrc\n",
			want: []string{`kairos.spec:3:7: init: Ubuntu 26.10 has no openrc; valid: systemd`},
		},
		{
			name: "a board with the wrong architecture, by flavor", spec: "extends: opensuse-arm-rpi\nversion: v1.0.0\n",
			want: []string{`kairos.spec:1:10: model: Raspberry Pi 4 has no amd64; it has arm64`},
		},
		{
			name: "a board with the wrong architecture, by model", spec: debian + "model: rpi3\n",
			want: []string{`kairos.spec:3:8: model: Raspberry Pi 3 has no amd64; it has arm64`},
		},
		{
			name: "no kernel for the board", spec: "extends: fedora\nversion: v1.0.0\nmodel: rpi4\n", arch: "arm64",
			want: []string{`kairos.spec:3:8: model: Fedora 44 has no kernel for Raspberry Pi 4; kernels for it come from ` + boards},
		},
		{
			name: "no kernel for the board, borrowed", spec: "extends: alpine-arm-rpi\nversion: v1.0.0\nkernel: fedora-43\n", arch: "arm64",
			want: []string{`kairos.spec:3:9: kernel.from: Fedora 43 has no kernel for Raspberry Pi 4; kernels for it come from ` + boards},
		},
		{
			name: "a kernel without drivers for the board", spec: "extends: debian-13\nversion: v1.0.0\nmodel: rpi5\n", arch: "arm64",
			want: []string{`kairos.spec:3:8: model: Debian 13 (trixie) has no kernel for Raspberry Pi 5; kernels for it come from alpine-3.21, alpine-3.22, alpine-3.23, alpine-3.24`},
		},
		{
			name: "a board for another architecture", spec: "extends: debian-13\nversion: v1.0.0\nmodel: rpi\n", arch: "riscv64",
			want: []string{`kairos.spec:3:8: model: Raspberry Pi 3, 4 and 5 has no riscv64; it has arm64`},
		},
		{
			name: "a distribution without the architecture", spec: debian, arch: "riscv64",
			want: []string{`kairos.spec:1:10: distro.name: Debian 12 (bookworm) has no riscv64; it has amd64, arm64`},
		},
		{
			name: "a kernel from a distribution without the architecture", spec: "extends: debian-13\nversion: v1.0.0\nkernel: debian-12\n", arch: "riscv64",
			want: []string{`kairos.spec:3:9: kernel.from: Debian 12 (bookworm) has no riscv64; it has amd64, arm64`},
		},
		{
			name: "kernel for the wrong architecture", spec: debian + "kernel: {package: linux-image-arm64}\n",
			want: []string{`kairos.spec:3:19: kernel.package: linux-image-arm64 is a kernel for arm64, not for amd64; valid: linux-image-amd64`},
		},
		{
			name: "a kernel of one's own and a package", spec: debian + "kernel: {context: mine, package: linux-image-amd64}\n",
			want: []string{`kairos.spec:3:9: kernel: has both a custom kernel and a package; keep one of them`},
		},
		{
			name: "two kernels of one's own", spec: debian + "kernel: {context: mine, image: acme/kernel}\n",
			want: []string{`kairos.spec:3:9: kernel: has both image and context; keep one of them`},
		},
		{
			name: "checksum for the other architecture",
			spec: debian + "components: {immucore: {url: 'https://x/y', sha256: {arm64: " + strings.Repeat("a", 64) + "}}}\n",
			want: []string{`kairos.spec:3:53: components.immucore.sha256: https://x/y needs a checksum for amd64; add the sha256 of amd64`},
		},
		{
			name: "of the language and of the catalog",
			spec: debian + "kernel: gentoo\nnaem: edge\nmodel: rpi9\ninit: openrcd\n",
			want: []string{
				`kairos.spec:3:9: kernel.from: unknown distribution "gentoo"; valid: ` + distros,
				`kairos.spec:4:1: unknown key "naem"; did you mean "name"?`,
				`kairos.spec:5:8: model: unknown model "rpi9"; did you mean "rpi"?`,
				`kairos.spec:6:7: init: "openrcd" is not valid; did you mean "openrc"?`,
			},
		},
		{
			name: "an unknown distribution does not hide what does not depend on it",
			spec: "version: v1.0.0\ndistro: debain-12\nkernel: gentoo\nmodel: rpi9\ncomponents: {immucor: {version: v1}}\n",
			want: []string{
				`kairos.spec:2:9: distro.name: unknown distribution "debain-12"; did you mean "debian-12"?`,
				`kairos.spec:3:9: kernel.from: unknown distribution "gentoo"; valid: ` + distros,
				`kairos.spec:4:8: model: unknown model "rpi9"; did you mean "rpi"?`,
				`kairos.spec:5:23: components.immucor: unknown component "immucor"; did you mean "immucore"?`,
			},
		},
		{
			name: "nothing that follows from a misspelled key",
			spec: debian + "varaint: standard\nkubernetes: k3s\ncomponents: {edgevpn: {version: v0.1.0}}\n",
			want: []string{`kairos.spec:3:1: unknown key "varaint"; did you mean "variant"?`},
		},
		{
			name: "nothing that follows from a wrong value",
			spec: debian + "variant: standart\nkubernetes: k3s\npackages: {remove: [k3s-selinux]}\n",
			want: []string{`kairos.spec:3:10: variant: "standart" is not valid; did you mean "standard"?`},
		},
		{
			name: "nothing that follows from a base that cannot be read",
			spec: "extends: ./bsae.spec\nversion: v1.0.0\npackages: {remove: [htop]}\nkubernetes: k3s\nmodel: rpi9\n",
			want: []string{
				`kairos.spec:1:10: extends: there is no file "./bsae.spec" beside the spec`,
				`kairos.spec:5:8: model: unknown model "rpi9"; did you mean "rpi"?`,
			},
		},
		{
			name: "nothing that follows from a base that is not YAML",
			spec: "extends: ./base.spec\nversion: v1.0.0\nkernel: gentoo\n", files: spectest.Files{"base.spec": "a: ["},
			want: []string{
				`kairos.spec:3:9: kernel.from: unknown distribution "gentoo"; valid: ` + distros,
				`base.spec:1:5: is not YAML: a value is missing, or the list or mapping around it has no end`,
			},
		},
		{
			name: "a file that is not YAML", spec: "a: [",
			want: []string{`kairos.spec:1:5: is not YAML: a value is missing, or the list or mapping around it has no end`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.arch == "" {
				c.arch = "amd64"
			}
			_, err := spectest.Plan(c.spec, c.files, c.arch)
			var found specs.Diagnostics
			require.ErrorAs(t, err, &found)
			for _, d := range found {
				assert.Contains(t, rules.All(), d.Rule, "%v", d)
				assert.Equal(t, rules.Error, d.Rule.Severity, "%v", d)
			}
			if diff := cmp.Diff(c.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestPackages(t *testing.T) {
	base := spectest.MustPlan(t, debian, nil, "amd64")
	for _, c := range []struct {
		name, spec      string
		files           spectest.Files
		added, taken    []string
		commandsMissing []string
	}{
		{name: "add", spec: "packages: {add: [htop, curl]}\n", added: []string{"htop"}},
		{name: "remove takes the check along", spec: "packages: {remove: [nano]}\n", taken: []string{"nano"}, commandsMissing: []string{"nano"}},
		{name: "group off", spec: "packages: {groups: {nfs: false}}\n", taken: []string{"nfs-common"}, commandsMissing: []string{"mount.nfs"}},
		{name: "group on is no change", spec: "packages: {groups: {nfs: true}}\n"},
		{
			name: "remove what a base added", spec: "extends: ./b.spec\npackages: {remove: [htop]}\n",
			files: spectest.Files{"b.spec": "extends: debian-12\npackages: {add: [htop, jo]}\n"}, added: []string{"jo"},
		},
		{
			name: "add what a base removed", spec: "extends: ./b.spec\npackages: {add: [nano]}\n",
			files: spectest.Files{"b.spec": "extends: debian-12\npackages: {remove: [nano]}\n"},
		},
		{
			name: "remove what a base removes", spec: "extends: ./b.spec\npackages: {remove: [nano]}\n",
			files: spectest.Files{"b.spec": "extends: debian-12\npackages: {remove: [nano]}\n"},
			taken: []string{"nano"}, commandsMissing: []string{"nano"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := debian
			if c.files != nil {
				spec = "version: v1.0.0\n"
			}
			p := spectest.MustPlan(t, spec+c.spec, c.files, "amd64")
			packages, before := texts(p.Userland.Packages), texts(base.Userland.Packages)
			assert.ElementsMatch(t, c.added, without(packages, before))
			assert.ElementsMatch(t, c.taken, without(before, packages))
			assert.ElementsMatch(t, c.commandsMissing, without(base.Checks.Commands, p.Checks.Commands))
			assert.IsIncreasing(t, packages, "sorted, and each once")
		})
	}
}

// texts returns packages as in a spec.
func texts(packages []plan.Package) []string {
	var texts []string
	for _, p := range packages {
		texts = append(texts, p.String())
	}
	return texts
}

// without returns the items of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func TestComponents(t *testing.T) {
	sum := strings.Repeat("a", 64)
	for _, c := range []struct {
		name, spec string
		want       plan.Component
	}{
		{
			name: "version of the catalog's url", spec: "{version: v9.9.9}",
			want: plan.Component{Version: "v9.9.9", Path: "immucore", Download: &plan.Download{
				URL:       "https://github.com/kairos-io/immucore/releases/download/v9.9.9/immucore-v9.9.9-linux-amd64.tar.gz",
				Checksums: "https://github.com/kairos-io/immucore/releases/download/v9.9.9/immucore-v9.9.9-checksums.txt",
			}},
		},
		{
			name: "own url and checksum", spec: "{version: v9, url: 'https://x/{version}/{arch}', sha256: {amd64: " + sum + "}, path: /bin/i}",
			want: plan.Component{Version: "v9", Path: "bin/i", Download: &plan.Download{URL: "https://x/v9/amd64", SHA256: sum}},
		},
		{
			name: "behind credentials", spec: "{url: 'https://x/y', sha256: {amd64: " + sum + "}, secret: acme}",
			want: plan.Component{Version: "v0.20.4", Path: "immucore", Download: &plan.Download{URL: "https://x/y", SHA256: sum, Secret: "acme"}},
		},
		{
			name: "image", spec: "{image: acme/immucore}",
			want: plan.Component{Version: "v0.20.4", Path: "immucore", Image: "acme/immucore"},
		},
		{
			name: "named context", spec: "{context: mine}",
			want: plan.Component{Version: "v0.20.4", Path: "immucore", Context: "mine"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := spectest.MustPlan(t, debian+"components: {immucore: "+c.spec+"}\n", nil, "amd64")
			got, ok := p.Component("immucore")
			require.True(t, ok)
			c.want.Name, c.want.Install = "immucore", "/usr/bin/immucore"
			assert.Equal(t, c.want, got)
		})
	}
}

func TestOptionalComponentIsTakenInByName(t *testing.T) {
	_, ok := spectest.MustPlan(t, debian, nil, "amd64").Component("kcrypt-discovery-challenger")
	assert.False(t, ok)
	p := spectest.MustPlan(t, debian+"components: {kcrypt-discovery-challenger: {}}\n", nil, "amd64")
	_, ok = p.Component("kcrypt-discovery-challenger")
	assert.True(t, ok)
	assert.Contains(t, p.Checks.Programs, "/system/discovery/kcrypt-discovery-challenger")
}

func TestKernels(t *testing.T) {
	for _, c := range []struct {
		name, spec, arch, image, file string
		first, lib                    string
		own                           *plan.Own
	}{
		{
			name: "borrowed", spec: "extends: alpine-ubuntu\n",
			image: "core-alpine-ubuntu:3.23-core-amd64-generic-v1.0.0", file: "kairos-alpine-ubuntu-3.23-core-amd64-generic-v1.0.0",
			first: "linux-image-generic-hwe-24.04", lib: "/lib",
		},
		{
			name: "of the board", spec: "extends: opensuse-arm-rpi\nmodel: rpi3\n", arch: "arm64",
			image: "core-opensuse-arm-rpi:leap-16.0-core-arm64-rpi3-v1.0.0", file: "kairos-opensuse-leap-16.0-core-arm64-rpi3-v1.0.0",
			first: "kernel-default", lib: "/usr/lib",
		},
		{
			name: "vendor's for the board", spec: "extends: alpine-arm-rpi\nkernel: alpine-3.23\n", arch: "arm64",
			image: "core-alpine-arm-rpi:3.23-core-arm64-rpi4-v1.0.0", file: "kairos-alpine-3.23-core-arm64-rpi4-v1.0.0",
			first: "linux-rpi", lib: "/lib",
		},
		{
			name: "Debian's for the board", spec: "extends: debian-12\nmodel: rpi3\n", arch: "arm64",
			image: "core-debian-12:12-core-arm64-rpi3-v1.0.0", file: "kairos-debian-12-core-arm64-rpi3-v1.0.0",
			first: "linux-image-arm64", lib: "/usr/lib",
		},
		{
			name: "own image", spec: "extends: debian-12\nkernel: {image: acme/kernel, from: debian-13}\n",
			image: "core-debian-12:12-core-amd64-generic-v1.0.0", file: "kairos-debian-12-core-amd64-generic-v1.0.0",
			first: "ca-certificates", lib: "/usr/lib", own: &plan.Own{Image: "acme/kernel"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.arch == "" {
				c.arch = "amd64"
			}
			p := spectest.MustPlan(t, c.spec+"version: v1.0.0\n", nil, c.arch)
			assert.Equal(t, c.image, p.Image)
			assert.Equal(t, c.file, p.File)
			assert.Equal(t, c.first, p.Kernel.Packages[0].Name)
			assert.Equal(t, c.lib, p.Userland.Real("/lib"))
			assert.Equal(t, c.own, p.Kernel.Own)
		})
	}
}

// TestNewRelease adds a release of a known distribution with one file and no Go.
func TestNewRelease(t *testing.T) {
	const file = "name: ubuntu-28.04\nlike: ubuntu-26.04\ntitle: Ubuntu 28.04 LTS\nrelease: '28.04'\nbase: acme/ubuntu:28.04\n" +
		"kernel: {packages: {amd64: [linux-image-new]}}\n"
	cat, err := spectest.With(map[string]string{"distros/ubuntu-28.04.yaml": file})
	require.NoError(t, err)
	doc, err := spectest.Load("extends: ubuntu\ndistro: ubuntu-28.04\nversion: v1.0.0\n", nil)
	require.NoError(t, err)
	p, err := plan.Resolve(doc, cat, "amd64")
	require.NoError(t, err)
	assert.Equal(t, "acme/ubuntu:28.04", p.Userland.Base)
	assert.Equal(t, "kairos-ubuntu-28.04-core-amd64-generic-v1.0.0", p.File)
	assert.Equal(t, plan.Package{Name: "linux-image-new"}, p.Kernel.Packages[0])
	assert.Contains(t, texts(p.Userland.Packages), "systemd-resolved")
}

func TestReal(t *testing.T) {
	u := plan.Userland{Merged: map[string]string{"/lib": "/usr/lib", "/sbin": "/usr/sbin", "/usr/sbin": "/usr/bin"}}
	for path, want := range map[string]string{
		"/lib": "/usr/lib", "/lib/x": "/usr/lib/x", "/library": "/library", "/sbin/init": "/usr/bin/init", "/usr/sbin/x": "/usr/bin/x", "/etc": "/etc",
	} {
		assert.Equal(t, want, u.Real(path))
	}
}

// TestFilesOfUnmergedUserland uses a distribution with a real directory /lib.
func TestFilesOfUnmergedUserland(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	cat.Distros["debian-12"].Merged = nil
	doc, err := spectest.Load(debian+"files: [{path: /lib/x, content: a}]\n", nil)
	require.NoError(t, err)
	p, err := plan.Resolve(doc, cat, "amd64")
	require.NoError(t, err)
	assert.Equal(t, "/lib/x", p.Files[0].Path)
}

func TestDetails(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nname: acme\nversion: v1.2.3-rc.1+b5\n"+
		"kernel: {package: linux-image-cloud-amd64, version: 6.1.1-1}\n"+
		"files: [{path: /lib/x, content: a}, {path: /etc/x, content: b}, {path: /library, content: c}]\n"+
		"artifacts: {iso: {compression: xz}}\n", nil, "amd64")
	assert.Equal(t, "acme-debian-12-core-amd64-generic-v1.2.3-rc.1+b5", p.File)
	assert.Equal(t, "core-debian-12:12-core-amd64-generic-v1.2.3-rc.1-b5", p.Image, "a tag takes no +")
	assert.Equal(t, plan.Package{Name: "linux-image-cloud-amd64", Version: "6.1.1-1"}, p.Kernel.Packages[0])
	assert.Equal(t, "/usr/lib/x", p.Files[0].Path, "must not replace the link /lib")
	assert.Equal(t, "/etc/x", p.Files[1].Path)
	assert.Equal(t, "/library", p.Files[2].Path)
	assert.Zero(t, p.ISO.Level, "xz has no levels")
}

// TestNeeds checks that the requirements follow the spec: the initramfs tool, the model, the
// compression, commands of the userland.
func TestNeeds(t *testing.T) {
	const v = "version: v1.0.0\n"
	p := spectest.MustPlan(t, "extends: debian-12\n"+v, nil, "amd64")
	assert.Contains(t, p.Needs[catalog.NeedConfig], "SQUASHFS_ZSTD")
	assert.Contains(t, p.Needs[catalog.NeedModules], "nfs")
	assert.NotContains(t, p.Needs[catalog.NeedModules], "rbd", "nobody mounts Ceph without a cluster")
	assert.Contains(t, p.Needs[catalog.NeedInitramfsModules], "nvme")
	assert.Contains(t, p.Needs[catalog.NeedInitramfsFiles], "/usr/bin/immucore")

	p = spectest.MustPlan(t, "extends: debian-12\npackages: {groups: {nfs: false}}\nartifacts: {iso: {compression: xz}}\n"+v, nil, "amd64")
	assert.NotContains(t, p.Needs[catalog.NeedConfig], "SQUASHFS_ZSTD")
	assert.Contains(t, p.Needs[catalog.NeedConfig], "SQUASHFS_XZ")
	assert.NotContains(t, p.Needs[catalog.NeedModules], "nfs")

	p = spectest.MustPlan(t, "extends: alpine-arm-rpi\nmodel: rpi4\n"+v, nil, "arm64")
	assert.NotContains(t, p.Needs[catalog.NeedInitramfsModules], "nvme", "not on that board")
	assert.Contains(t, p.Needs[catalog.NeedFirmware], "brcm/brcmfmac43455-sdio.bin*")

	p = spectest.MustPlan(t, "extends: debian-12\nmodel: rpi3\n"+v, nil, "arm64")
	assert.Contains(t, p.Needs[catalog.NeedInitramfsModules], "bcm2835 or bcm2835_sdhost")
	assert.Contains(t, p.Needs[catalog.NeedFirmware], "brcm/brcmfmac43430-sdio.bin*")

	p = spectest.MustPlan(t, "extends: alpine\n"+v, nil, "amd64")
	assert.Contains(t, p.Needs[catalog.NeedInitramfsForeign], "/usr/lib/dracut")
	assert.NotContains(t, p.Needs[catalog.NeedConfig], "RD_ZSTD")
}

// TestFirmware checks that the firmware is that of the board, for every userland and kernel.
func TestFirmware(t *testing.T) {
	assert.Nil(t, spectest.MustPlan(t, debian, nil, "arm64").Disk.Firmware)
	four := spectest.MustPlan(t, debian+"model: rpi4\n", nil, "arm64")
	assert.Equal(t, []string{"non-free-firmware"}, four.Disk.Firmware.Areas)
	assert.Equal(t, []string{"non-free-firmware"}, four.Kernel.Areas)
	assert.Empty(t, four.Userland.Areas)
	assert.Contains(t, four.Disk.Firmware.Files, "/usr/lib/raspi-firmware/start4.elf")
	assert.Empty(t, four.Disk.Firmware.MBR, "it reads GPT")
	for _, spec := range []string{"extends: opensuse-arm-rpi\n", "extends: alpine-arm-rpi\nkernel: alpine-3.23\n"} {
		assert.Equal(t, four.Disk.Firmware, spectest.MustPlan(t, spec+"version: v1.0.0\n", nil, "arm64").Disk.Firmware)
	}

	three := spectest.MustPlan(t, debian+"model: rpi3\n", nil, "arm64").Disk.Firmware
	assert.Equal(t, "0c", three.MBR)
	assert.NotContains(t, three.Files, "/usr/lib/raspi-firmware/start4.elf")
	assert.Equal(t, four.Disk.Firmware.Texts, three.Texts)
}

// TestTrees has the device trees of the kernel on the card of a board that needs them, wherever the
// kernel is from.
func TestTrees(t *testing.T) {
	for _, c := range []struct {
		spec  string
		in    []string
		trees []string
	}{
		{"extends: alpine\nmodel: rpi5\n", []string{"/lib/modules/*/dtb", "/boot"}, []string{"bcm2712*.dtb"}},
		{"extends: debian-12\nkernel: alpine-3.22\nmodel: rpi\n", []string{"/lib/modules/*/dtb", "/boot"}, []string{"bcm2710-rpi-3-*.dtb", "bcm2711-rpi-*.dtb", "bcm2712*.dtb"}},
		{"extends: debian-13\nkernel: {package: linux-image-acme}\nmodel: rpi5\n", []string{"/lib/modules/*/dtb", "/usr/lib/linux-image-*"}, []string{"bcm2712*.dtb"}},
		{"extends: debian-13\nkernel: {context: mine}\nmodel: rpi5\n", []string{"/lib/modules/*/dtb", "/usr/lib/linux-image-*"}, []string{"bcm2712*.dtb"}},
	} {
		f := spectest.MustPlan(t, c.spec+"version: v1.0.0\n", nil, "arm64").Disk.Firmware
		assert.Equal(t, c.in, f.TreesIn, c.spec)
		assert.Equal(t, c.trees, f.Trees, c.spec)
		assert.Equal(t, "debian-13", f.Distro, "U-Boot of Debian 12 does not know the board")
	}
	four := spectest.MustPlan(t, debian+"model: rpi4\n", nil, "arm64").Disk.Firmware
	assert.Empty(t, four.Trees, "those of Linux do for all kernels")
	assert.Empty(t, four.TreesIn)
}

// TestRaspberryPi checks what the firmware of each board reads (Raspberry Pi documentation, The
// config.txt file).
func TestRaspberryPi(t *testing.T) {
	of := func(model string) *plan.Plan {
		return spectest.MustPlan(t, "extends: alpine\nversion: v1.0.0\nmodel: "+model+"\n", nil, "arm64")
	}
	five, all := of("rpi5"), of("rpi")
	assert.Equal(t, []string{"/usr/lib/u-boot/rpi_arm64/u-boot.bin"}, five.Disk.Firmware.Files, "the firmware is in a chip")
	assert.Empty(t, five.Disk.Firmware.Areas, "none of it is from the vendor")
	assert.Empty(t, five.Disk.Firmware.MBR, "it reads GPT")
	assert.Subset(t, all.Disk.Firmware.Files, of("rpi4").Disk.Firmware.Files[:2])
	assert.Subset(t, all.Disk.Firmware.Files, of("rpi3").Disk.Firmware.Files[:3])
	assert.Equal(t, "0c", all.Disk.Firmware.MBR)
	for _, p := range []*plan.Plan{five, all} {
		assert.Equal(t, "linux-rpi", p.Kernel.Packages[0].Name)
		assert.Contains(t, p.CommandLine.Installed, "console=ttyAMA10,115200")
		assert.Contains(t, p.Needs[catalog.NeedInitramfsModules], "sdhci_brcmstb")
		assert.Contains(t, p.Needs[catalog.NeedConfig], "EFI_STUB", "or GRUB does not start it")
		assert.NotContains(t, p.System.Enable, "hwclock")
		// A section of config.txt ends at the next one, so what holds for all boards is in front of the first.
		common, _, _ := strings.Cut(p.Disk.Firmware.Texts["config.txt"], "\n[")
		assert.Contains(t, common, "\nkernel=u-boot.bin\n")
		assert.NotContains(t, common, "upstream_kernel", "the device trees are the kernel's own")
	}
	assert.NotContains(t, five.Needs[catalog.NeedInitramfsModules], "sdhci_iproc")
	assert.Subset(t, slices.Collect(maps.Keys(all.Needs[catalog.NeedInitramfsModules])), []string{"sdhci_iproc", "bcm2835 or bcm2835_sdhost"})
	assert.Contains(t, all.CommandLine.Installed, "8250.nr_uarts=1")
}

// TestRISCV checks what no other architecture has: no shim, no release of some components, and an
// emulator that is not in the distribution of the other tools.
func TestRISCV(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\nvariant: standard\ntest: {assertions: [{service: ssh}]}\n", nil, "riscv64")
	assert.Equal(t, "linux-image-riscv64", p.Kernel.Packages[0].Name)
	assert.NotContains(t, packageNames(p.Userland.Packages), "shim-signed")
	assert.Equal(t, plan.Loader{
		Default: "bootriscv64.efi", Config: "/EFI/BOOT", Grub: "/usr/lib/grub/riscv64-efi/monolithic/gcdriscv64.efi",
		DiskGrub: "/usr/lib/grub/riscv64-efi/monolithic/grubriscv64.efi", GrubName: "grubriscv64.efi",
	}, p.Userland.Loader)
	assert.Contains(t, p.CommandLine.Installed, "console=ttyS0")
	assert.False(t, p.ISO.BIOS)
	assert.Equal(t, "debian-13", p.Test.Tools.Distro, "Debian 12 has no such firmware")
	assert.Equal(t, []string{"qemu-efi-riscv64", "qemu-system-riscv", "xorriso"}, packageNames(p.Test.Tools.Packages))
	assert.Equal(t, "debian-12", p.ISO.Tools.Distro)
	for name, published := range map[string]bool{"kairos-agent": true, "immucore": true, "edgevpn": true, "k3s": false, "provider-kairos": false} {
		c, ok := p.Component(name)
		require.True(t, ok, name)
		assert.Equal(t, published, c.Download != nil, name)
	}
	p = spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\nvariant: standard\n"+
		"components: {k3s: {url: 'https://acme.example/k3s-{arch}', sha256: {riscv64: "+strings.Repeat("a", 64)+"}}}\n", nil, "riscv64")
	c, _ := p.Component("k3s")
	assert.Equal(t, "https://acme.example/k3s-riscv64", c.Download.URL)
}

// TestExamplePlans compares the plans of examples whose systems differ with the architecture or a build
// argument.
func TestExamplePlans(t *testing.T) {
	for _, name := range []string{"build-arguments", "conditions"} {
		for _, arch := range []string{"amd64", "arm64"} {
			t.Run(name+" "+arch, func(t *testing.T) {
				spec, err := os.ReadFile("../examples/" + name + "/kairos.spec")
				require.NoError(t, err)
				golden.Check(t, "../testdata/targets/"+name+"-"+arch+"-plan.yaml", spectest.MustPlan(t, string(spec), nil, arch).String())
			})
		}
	}
}
