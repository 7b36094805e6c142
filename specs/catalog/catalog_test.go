package catalog_test

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/releasetest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const distro = "name: d\ntitle: D\nfamily: f\nflavor: f\nrelease: '1'\nbase: b\nmanager: apt\narchitectures: [amd64]\ninits: [{name: systemd}]\n"

const arch = "name: amd64\ntitle: A\nmachine: x86_64\ndeb: amd64\nefi: x64\nconsoles: [ttyS0]\n" +
	"emulator: {program: p, machine: m, versioned: v, cpu: c, cdrom: d, firmware: {efi: [{code: /c, variables: /v}]}}\n"

// layer is a layer of files by path, with an architecture.
func layer(files map[string]string) catalog.Layer {
	f := fstest.MapFS{"archs/amd64.yaml": &fstest.MapFile{Data: []byte(arch)}}
	for name, text := range files {
		f[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return catalog.Layer{Name: "acme", FS: f}
}

// TestMistakes has records that are not whole.
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"name", map[string]string{"distros/x.yaml": distro}, `acme/distros/x.yaml:1:7: name: "d" is not the name of the file; write name: x, or rename the file`},
		{"all that is needed", map[string]string{"distros/d.yaml": "name: d\nmanager: apt\n"}, `acme/distros/d.yaml:1:1: title: is missing
acme/distros/d.yaml:1:1: base: is missing
acme/distros/d.yaml:1:1: family: is missing
acme/distros/d.yaml:1:1: flavor: is missing
acme/distros/d.yaml:1:1: release: is missing
acme/distros/d.yaml:1:1: architectures: is missing
acme/distros/d.yaml:1:1: inits: is missing`},
		{"manager", map[string]string{"distros/d.yaml": strings.Replace(distro, "apt", "yum", 1)}, `acme/distros/d.yaml:7:10: manager: "yum" is not valid; valid: apk, apt, dnf, zypper`},
		{
			"what apk cannot do", map[string]string{"distros/d.yaml": strings.Replace(distro, "apt", "apk", 1) + "exclude: [/a]\nskipRepositories: [a]\nremoveUsers: [a]\n"},
			"acme/distros/d.yaml:10:10: exclude: apk cannot leave out files of packages; remove it\n" +
				"acme/distros/d.yaml:11:19: skipRepositories: apk cannot skip repositories by alias; remove it\n" +
				"acme/distros/d.yaml:12:14: removeUsers: the script of apk removes no users; remove it",
		},
		{
			"what dnf cannot do", map[string]string{"distros/d.yaml": strings.Replace(distro, "apt", "dnf", 1) + "exclude: [/a, /b/*, '!/c']\n"},
			"acme/distros/d.yaml:10:15: exclude[1]: dnf takes no wildcards, and no ! before a path; name a directory\n" +
				"acme/distros/d.yaml:10:21: exclude[2]: dnf takes no wildcards, and no ! before a path; name a directory",
		},
		{
			"files", map[string]string{
				"distros/d.yaml": strings.Replace(distro, "apt", "dnf", 1) + "files: [{name: g, paths: [/a, /b*]}]\n",
				"distros/e.yaml": "name: e\nlike: d\nmanager: apk\nfiles: [{name: g, why: x, paths: [/a]}]\n",
			},
			`acme/distros/d.yaml:10:9: files[0]: a group needs a name and a reason, why
acme/distros/d.yaml:10:31: files[0].paths[1]: dnf takes no wildcards, and no ! before a path; name a directory
acme/distros/e.yaml:4:34: files[0].paths: apk cannot leave out files of packages; remove it`,
		},
		{
			"areas", map[string]string{"distros/d.yaml": strings.Replace(distro, "apt", "zypper", 1), "models/m.yaml": "name: m\ntitle: m\ndistros: {d: {areas: [non-free]}}\n"},
			`acme/models/m.yaml:3:22: distros.d.areas: zypper knows no areas of an archive; remove it`,
		},
		{"group", map[string]string{"distros/d.yaml": distro + "groups: [{why: x}]\n"}, `acme/distros/d.yaml:10:10: groups[0]: a group needs a name and a reason, why`},
		{
			"package", map[string]string{"distros/d.yaml": distro + "groups: [{name: g, why: x, packages: {a: {commands: [a]}}}]\n"},
			`acme/distros/d.yaml:10:42: groups[0].packages.a: has no reason; say why it is there`,
		},
		{
			"component of an initramfs", map[string]string{"distros/d.yaml": distro + "kernel:\n  initramfs:\n    components: [immucore]\n"},
			`acme/distros/d.yaml:12:18: kernel.initramfs.components[0]: "immucore" is not valid`,
		},
		{"overlay", map[string]string{"distros/d.yaml": distro + "overlays: [acme]\n", "overlay/amce/etc/motd": ""}, `acme/distros/d.yaml:10:12: overlays[0]: "acme" is not valid; did you mean "amce"?`},
		{"requirements", map[string]string{"requirements/r.yaml": "name: r\n"}, `acme/requirements/r.yaml:1:1: why: is missing`},
		{
			"need", map[string]string{"requirements/r.yaml": "name: r\nwhy: x\nneeds: {modules: {overlay: {or: [a]}}}\n"},
			`acme/requirements/r.yaml:3:28: needs.modules.overlay: has no reason; say why it is needed`,
		},
		{
			"facts", map[string]string{"requirements/r.yaml": "name: r\nwhy: x\nwhen: {flavor: [a]}\nneeds: {config: {X: {why: x, when: {inti: [a]}}}}\n"},
			"acme/requirements/r.yaml:3:16: when.flavor: unknown fact \"flavor\"; valid: arch, command, component, compression, donor, init, initramfs, kind, model, modules, package, variant\n" +
				`acme/requirements/r.yaml:4:43: needs.config.X.when.inti: unknown fact "inti"; did you mean "init"?`,
		},
		{
			"category", map[string]string{"requirements/r.yaml": "name: r\nwhy: x\nneeds: {module: {a: b}}\n"},
			`acme/requirements/r.yaml:3:17: needs.module: unknown category "module"; did you mean "modules"?`,
		},
		{
			"class of modules", map[string]string{"modules/m.yaml": "name: m\ntitle: M\ninitramfs: never\nroot: {default: true, models: {rpi9: false}}\npaths: [a/b*, a*/b, /c]\n"},
			`acme/modules/m.yaml:1:1: why: is missing
acme/modules/m.yaml:3:12: initramfs: "never" is not valid; valid: network, none
acme/modules/m.yaml:4:7: root.why: is missing
acme/modules/m.yaml:4:38: root.models.rpi9: "rpi9" is not valid
acme/modules/m.yaml:5:15: paths[1]: "a*/b" is not a path below the kernel's directory of modules; such as drivers/net
acme/modules/m.yaml:5:21: paths[2]: "/c" is not a path below the kernel's directory of modules; such as drivers/net`,
		},
		{
			"modules of firmware", map[string]string{
				"modules/m.yaml": "name: m\ntitle: M\nroot: {default: true, why: x}\npaths: [a]\n", "modules/n.yaml": "name: n\ntitle: N\npaths: [b]\n",
				"distros/d.yaml": distro + "kernel: {firmware: [{name: g, why: x, modules: [m, n]}]}\n",
			},
			`acme/distros/d.yaml:10:52: kernel.firmware[0].modules[1]: "n" is not valid; valid: m`,
		},
		{"component", map[string]string{"components/c.yaml": "name: c\n"}, `acme/components/c.yaml:1:1: install: is missing`},
		{"kind", map[string]string{"components/c.yaml": "name: c\ninstall: /c\nkind: vpn\n"}, `acme/components/c.yaml:3:7: kind: "vpn" is not valid; valid: cache, kubernetes, mesh, provider`},
		{
			"version", map[string]string{"components/c.yaml": "name: c\ninstall: /c\nversion: v1\nversionPattern: ^v[0-9]+[.]\n"},
			`acme/components/c.yaml:3:10: version: v1 does not match versionPattern`,
		},
		{
			"two defaults", map[string]string{
				"components/a.yaml": "name: a\ninstall: /a\nkind: mesh\nvariants: [standard]\n",
				"components/b.yaml": "name: b\ninstall: /b\nkind: mesh\nvariants: [core, standard]\n",
			}, `acme/components/b.yaml:4:18: variants[1]: a is the mesh of the variant standard already`,
		},
		{
			"a multi-call program", map[string]string{
				"components/a.yaml": "name: a\ninstall: /a\nprovides: [b, x]\nvariants: [core]\nversion: v1.0.0\n",
				"components/b.yaml": "name: b\ninstall: /b\nprovides: [a]\nsince: v2.0.0\nversion: v1.0.0\nstages: {s: 1}\n",
				"components/c.yaml": "name: c\ninstall: /c\nwith: {a: {url: 'https://x/c', checksums: 'https://x/s'}, c: {}}\n",
			},
			"acme/components/a.yaml:1:1: since: \"\" is not a version; write it as v4.3.0\n" +
				"acme/components/a.yaml:3:12: provides[0]: b is a multi-call program itself\n" +
				"acme/components/a.yaml:3:15: provides[1]: \"x\" is not valid; valid: a, b, c\n" +
				"acme/components/a.yaml:4:11: variants: the key kairos of a spec chooses it, not a variant\n" +
				"acme/components/b.yaml:3:11: provides: a is a multi-call program already, and a catalog has one at most\n" +
				"acme/components/b.yaml:3:12: provides[0]: a is a multi-call program itself\n" +
				"acme/components/b.yaml:5:10: version: v1.0.0 is older than v2.0.0, the first version\n" +
				"acme/components/b.yaml:6:13: stages.s: \"1\" is not a version; write it as v4.3.0\n" +
				"acme/components/c.yaml:3:62: with.c: c is no multi-call program\n" +
				"acme/components/c.yaml:3:62: with.c: needs url and checksums",
		},
		{
			"a component that follows another", map[string]string{
				"components/a.yaml": "name: a\ninstall: /a\nfollows: b\n",
				"components/b.yaml": "name: b\ninstall: /b\nfollows: x\n",
				"components/c.yaml": "name: c\ninstall: /c\nfollows: d\nversion: v1.0.0\n",
				"components/d.yaml": "name: d\ninstall: /d\nversion: v1.0.0\n",
				"components/e.yaml": "name: e\ninstall: /e\nfollows: d\nvariants: [core]\n",
			},
			"acme/components/a.yaml:3:10: follows: b follows x itself\n" +
				"acme/components/b.yaml:3:10: follows: \"x\" is not valid; valid: a, b, c, d, e\n" +
				"acme/components/c.yaml:3:10: follows: it has the version of d; remove version and releases\n" +
				"acme/components/e.yaml:3:10: follows: only a spec that names it can have it; remove kind and variants",
		},
		{
			"firmware", map[string]string{"distros/d.yaml": strings.Replace(distro, "apt", "apk", 1), "models/m.yaml": "name: m\ntitle: m\nfirmware: {from: d, mbr: fat, areas: [a]}\n"},
			"acme/models/m.yaml:3:11: firmware.packages: is missing\nacme/models/m.yaml:3:11: firmware.files: is missing\n" +
				"acme/models/m.yaml:3:18: firmware.from: apk cannot extract files from packages that are not installed\nacme/models/m.yaml:3:26: firmware.mbr: \"fat\" is not a byte in hexadecimal\n" +
				"acme/models/m.yaml:3:38: firmware.areas: apk knows no areas of an archive; remove it",
		},
		{
			"firmware of nowhere", map[string]string{"models/m.yaml": "name: m\ntitle: m\nfirmware: {from: d, packages: [a], files: [a]}\n"},
			`acme/models/m.yaml:3:18: firmware.from: "d" is not valid`,
		},
		{
			"device trees", map[string]string{"distros/d.yaml": distro, "models/m.yaml": "name: m\ntitle: m\nfirmware: {from: d, packages: [a], files: [a], trees: [a.dtb, b/c.dtb]}\n"},
			`acme/models/m.yaml:3:63: firmware.trees[1]: "b/c.dtb" is a path; write the name of the file`,
		},
		{"tools", map[string]string{"tools/t.yaml": "name: t\ndistro: d\n"}, `acme/tools/t.yaml:2:9: distro: "d" is not valid`},
		{
			"architecture", map[string]string{"archs/a.yaml": "name: a\ntitle: A\nmachine: m\ndeb: d\nefi: e\nemulator: {program: p, machine: m, versioned: v, cdrom: c}\n"},
			"acme/archs/a.yaml:1:1: consoles: is missing\nacme/archs/a.yaml:6:11: emulator.cpu: is missing\nacme/archs/a.yaml:6:11: emulator.firmware.efi: is missing",
		},
		{
			"emulator from nowhere", map[string]string{"distros/d.yaml": distro, "archs/a.yaml": "name: a\ntitle: A\nmachine: m\ndeb: d\nefi: e\nconsoles: [c]\n" +
				"emulator: {program: p, machine: m, versioned: v, cpu: c, cdrom: c, from: e, firmware: {efi: [{code: /c, variables: /v}]}}\n"},
			`acme/archs/a.yaml:7:74: emulator.from: "e" is not valid; valid: d`,
		},
		{
			"emulator without packages", map[string]string{"distros/d.yaml": distro, "archs/a.yaml": "name: a\ntitle: A\nmachine: m\ndeb: d\nefi: e\nconsoles: [c]\n" +
				"emulator: {program: p, machine: m, versioned: v, cpu: c, cdrom: c, from: d, firmware: {efi: [{code: /c, variables: /v}]}, packages: {g: {qemu: q, firmware: f}}}\n"},
			"acme/archs/a.yaml:7:74: emulator.from: there are no packages for the family f",
		},
		{
			"unknown architectures", map[string]string{
				"distros/d.yaml":      distro + "kernel: {packages: {amd46: [linux]}}\nloaders: {x86_64: {grub: /g}}\ngroups: [{name: g, why: x, arch: [amd64, riscv64]}]\n",
				"components/c.yaml":   "name: c\ninstall: /c\narch: {amd46: x86_64}\nsuffix: {amd46: x}\n",
				"models/m.yaml":       "name: m\ntitle: M\narchitectures: [amd46]\n",
				"requirements/r.yaml": "name: r\nwhy: x\nwhen: {arch: [amd46]}\n",
			},
			`acme/distros/d.yaml:10:28: kernel.packages.amd46: unknown architecture "amd46"; did you mean "amd64"? valid: amd64
acme/distros/d.yaml:11:19: loaders.x86_64: unknown architecture "x86_64"; did you mean "amd64"? valid: amd64
acme/distros/d.yaml:12:42: groups[0].arch[1]: unknown architecture "riscv64"; valid: amd64
acme/models/m.yaml:3:17: architectures[0]: unknown architecture "amd46"; did you mean "amd64"? valid: amd64
acme/components/c.yaml:3:15: arch.amd46: unknown architecture "amd46"; did you mean "amd64"? valid: amd64
acme/components/c.yaml:4:17: suffix.amd46: unknown architecture "amd46"; did you mean "amd64"? valid: amd64
acme/requirements/r.yaml:3:15: when.arch[0]: unknown architecture "amd46"; did you mean "amd64"? valid: amd64`,
		},
		{"unknown key", map[string]string{"distros/d.yaml": distro + "nmae: x\n"}, `acme/distros/d.yaml:10:1: unknown key "nmae"; did you mean "name"?`},
		{"kind of value", map[string]string{"distros/d.yaml": distro + "groups: {a: b}\nmerged: [/bin]\n"}, "acme/distros/d.yaml:10:9: groups: must be a list, not a mapping; begin each item with -\nacme/distros/d.yaml:11:9: merged: must be a mapping of names to texts, not a list"},
		{"no value", map[string]string{"distros/d.yaml": distro + "title:\n"}, `acme/distros/d.yaml:10:1: duplicate key "title"; the first is in line 2`},
		{"no YAML", map[string]string{"models/m.yaml": "name: [\n", "components/c.yaml": ""}, "acme/models/m.yaml:2:1: is not YAML: a value is missing, or the list or mapping around it has no end\nacme/components/c.yaml:1:1: the file is empty"},
		{"names of files", map[string]string{"models/m.yml": "", "models/a/b.yaml": "", "flavors/f.yaml": ""}, "acme/flavors/f.yaml: does not end in .spec; call it f.spec\nacme/models/a/b.yaml: is in a directory of its own; keep it in models itself\nacme/models/m.yml: does not end in .yaml; call it m.yaml"},
		{"too large", map[string]string{"overlay/a/b": strings.Repeat("x", 1<<20+1)}, "acme/overlay/a/b: is larger than 1024 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := catalog.Load(layer(c.files))
			require.Error(t, err)
			assert.Equal(t, c.want, err.Error())
		})
	}
}

// TestNoCatalog has a directory with nothing of a catalog in it.
func TestNoCatalog(t *testing.T) {
	_, err := catalog.Load(catalog.Layer{Name: "acme", FS: fstest.MapFS{"distro/d.yaml": &fstest.MapFile{Data: []byte(distro)}}})
	require.EqualError(t, err, "read the catalog: acme holds none of the directories "+strings.Join(catalog.Directories(), ", "))
}

func TestLaterLayerCounts(t *testing.T) {
	c, err := catalog.Load(
		layer(map[string]string{
			"distros/d.yaml": distro, "components/c.yaml": "name: c\ninstall: /a\n", "flavors/f.spec": "distro: d\n",
			"overlay/a/etc/x": "below", "overlay/a/etc/y": "below", "overlay/README.md": "about the sets",
		}),
		layer(map[string]string{"components/c.yaml": "name: c\ninstall: /b\n", "overlay/a/etc/x": "#!/bin/sh\n", "overlay/b/etc/y": "above"}),
	)
	require.NoError(t, err)
	assert.Equal(t, "/b", c.Components["c"].Install)
	assert.Equal(t, []string{"d"}, catalog.Names(c.Distros))
	assert.Equal(t, []string{"f"}, c.FlavorNames())
	set, err := c.Overlays().Files("a")
	require.NoError(t, err)
	x := tree.Entry{Path: "/etc/x", Mode: 0o755, Data: []byte("#!/bin/sh\n")}
	assert.Equal(t, []tree.Entry{x, tree.File("/etc/y", []byte("below"))}, set)
	both, err := c.Overlays().Files("a", "b")
	require.NoError(t, err)
	assert.Equal(t, []tree.Entry{x, tree.File("/etc/y", []byte("above"))}, both)
	assert.Equal(t, []string{"a", "b"}, catalog.Names(c.Overlays()))
}

// TestLinks has a layer that would lead out of itself.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "models"), 0o755))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "models", "m.yaml")))
	_, err := catalog.Load(catalog.Layer{Name: "acme", FS: os.DirFS(dir)})
	require.EqualError(t, err, "acme/models/m.yaml: is a link or another special file; put the file itself there")
}

// TestBuiltin holds our own data to what Go relies on.
func TestBuiltin(t *testing.T) {
	c, err := catalog.Builtin()
	require.NoError(t, err)
	require.Contains(t, c.Tools, "artifact")
	for name, d := range c.Distros {
		for _, arch := range d.Architectures {
			assert.NotEmpty(t, d.Kernel.Packages[arch], "kernel of %s on %s", name, arch)
			assert.NotEmpty(t, d.Loaders[arch].Grub+d.Loaders[arch].From, "loader of %s on %s", name, arch)
			for name, component := range c.Components {
				if slices.Contains(component.Variants, "core") {
					assert.NotEmpty(t, component.Arch[arch], "%s on %s", name, arch)
				}
			}
		}
		for _, set := range []string{"common", d.Inits[0].Name, d.Kernel.Initramfs.Overlay} {
			files, err := c.Overlays().Files(set)
			require.NoError(t, err)
			assert.NotEmpty(t, files, set)
		}
	}
	_, err = c.Overlays().Files("nowhere")
	assert.EqualError(t, err, "the catalog has no overlay nowhere")
}

// releasesWith returns a component as it is with each multi-call program, in its version.
func releasesWith(cat *catalog.Catalog, c *catalog.Component) []*catalog.Component {
	var all []*catalog.Component
	for name, release := range c.With {
		other := *c
		other.Version, other.URL, other.Checksums = cat.Components[name].Version, release.URL, release.Checksums
		all = append(all, &other)
	}
	return all
}

// published tells what is wrong with the url of a component: its file has to stand in the list of
// the publisher to the letter.
func published(c *catalog.Component, arch string) error {
	address := c.Expand(c.Checksums, c.Version, arch)
	list, err := releasetest.Read(address)
	if err != nil {
		return err
	}
	file := path.Base(c.Expand(c.URL, c.Version, arch))
	if _, ok := list.Find(file); !ok {
		return errors.Errorf("%s does not name %s", address, file)
	}
	if path.Dir(c.URL) != path.Dir(c.Checksums) {
		return errors.Errorf("%s is not beside the file", c.Checksums)
	}
	return nil
}

// TestReleases holds the url of every component to what its publisher has.
func TestReleases(t *testing.T) {
	c, err := catalog.Builtin()
	require.NoError(t, err)
	require.NotEmpty(t, c.Components)
	for name, component := range c.Components {
		require.NotEmpty(t, component.Arch, name)
		for arch := range component.Arch {
			assert.NoError(t, published(component, arch), "%s for %s", name, arch)
			for _, beside := range releasesWith(c, component) {
				assert.NoError(t, published(beside, arch), "%s %s for %s", name, beside.Version, arch)
			}
		}
	}

	agent := *c.Components["kairos-agent"]
	list := agent.Expand(agent.Checksums, agent.Version, "amd64")
	wrongCase, unrecorded, elsewhere := agent, agent, agent
	wrongCase.URL = strings.Replace(agent.URL, "-linux-", "-Linux-", 1)
	unrecorded.Version = "v0.0.0"
	elsewhere.URL = strings.Replace(agent.URL, "kairos-io", "kairos", 1)
	assert.EqualError(t, published(&wrongCase, "amd64"), list+" does not name kairos-agent-"+agent.Version+"-Linux-amd64.tar.gz")
	assert.ErrorContains(t, published(&unrecorded, "amd64"), "no checksum list is recorded from "+strings.ReplaceAll(list, agent.Version, "v0.0.0"))
	assert.EqualError(t, published(&elsewhere, "amd64"), agent.Checksums+" is not beside the file")
}

// TestEmulatorPackages has those of an emulator asked of the distribution that boot tests take them
// from, and of no other.
func TestEmulatorPackages(t *testing.T) {
	c, err := catalog.Builtin()
	require.NoError(t, err)
	of := func(distro string) (names []string) {
		for _, a := range c.Asked(distro, "amd64") {
			if strings.HasPrefix(a.What, "emulator of ") {
				names = append(names, a.Name)
			}
		}
		return names
	}
	assert.Equal(t, []string{"qemu-system-x86", "ovmf", "qemu-system-arm", "qemu-efi-aarch64"}, of("debian-12"))
	assert.Subset(t, of("debian-13"), []string{"qemu-system-riscv", "qemu-efi-riscv64"})
	assert.NotContains(t, of("ubuntu-24.04"), "qemu-efi-riscv64")
}

// TestFlavors loads every flavor, and knows what is none.
func TestFlavors(t *testing.T) {
	c, err := catalog.Builtin()
	require.NoError(t, err)
	assert.Contains(t, c.FlavorNames(), "debian-12")
	for _, name := range c.FlavorNames() {
		doc, err := spectest.Load("extends: "+name+"\nversion: v1.0.0\n", nil)
		require.NoError(t, err)
		archs, err := plan.Architectures(doc, c)
		require.NoError(t, err)
		for _, arch := range archs {
			_, err := spectest.Plan("extends: "+name+"\nversion: v1.0.0\n", nil, arch)
			assert.NoError(t, err, name)
		}
	}
	for _, name := range []string{"", ".", "../flavors/debian-12", "./debian-12", "debian-12/", "debian-12.spec", "*"} {
		_, ok := c.Flavor(name)
		assert.False(t, ok, name)
	}
}
