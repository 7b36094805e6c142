package catalog_test

import (
	"io/fs"
	"maps"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/catalog/overlay"
	"github.com/flavorkit/flavorkit/specs/flavors"
	"github.com/flavorkit/flavorkit/test/releasetest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const distro = "name: d\nfamily: f\nflavor: f\nrelease: '1'\nbase: b\nmanager: apt\narchitectures: [amd64]\ninits: [{name: systemd}]\n"

// folder is a catalog of files by path.
func folder(files map[string]string) fs.FS {
	f := fstest.MapFS{}
	for name, text := range files {
		f[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return f
}

func TestMistakes(t *testing.T) {
	for want, files := range map[string]map[string]string{
		`catalog: distros/x.yaml: the name is "d", the file says "x"`: {"distros/x.yaml": distro},
		`catalog: distros/d.yaml: base, family, flavor and release are all needed`: {
			"distros/d.yaml": "name: d\nmanager: apt\n",
		},
		`catalog: distros/d.yaml: architectures and inits are both needed`: {
			"distros/d.yaml": "name: d\nfamily: f\nflavor: f\nrelease: '1'\nbase: b\nmanager: apt\n",
		},
		`catalog: distros/d.yaml: manager "yum" is none of apt, zypper, apk, dnf`: {
			"distros/d.yaml": "name: d\nfamily: f\nflavor: f\nrelease: '1'\nbase: b\nmanager: yum\n",
		},
		`catalog: distros/d.yaml: group "" needs a name and a reason`:                      {"distros/d.yaml": distro + "groups: [{why: x}]\n"},
		`catalog: distros/d.yaml: package a in group g has no reason`:                      {"distros/d.yaml": distro + "groups: [{name: g, why: x, packages: {a: {commands: [a]}}}]\n"},
		`catalog: distros/d.yaml: kernel.initramfs names the unknown component "immucore"`: {"distros/d.yaml": distro + "kernel: {initramfs: {components: [immucore]}}\n"},
		`catalog: requirements/r.yaml: needs name: r and a reason`:                         {"requirements/r.yaml": "name: r\n"},
		`catalog: requirements/r.yaml: overlay has no reason`:                              {"requirements/r.yaml": "name: r\nwhy: x\nmodules: {overlay: {or: [a]}}\n"},
		`catalog: requirements/r.yaml: overlay: when names the unknown fact "flavor"`:      {"requirements/r.yaml": "name: r\nwhy: x\nmodules: {overlay: {why: x, when: {flavor: [a]}}}\n"},
		`catalog: requirements/r.yaml: when names the unknown fact "flavor"`:               {"requirements/r.yaml": "name: r\nwhy: x\nwhen: {flavor: [a]}\n"},
		`catalog: components/c.yaml: needs name: c and install`:                            {"components/c.yaml": "name: c\n"},
		`catalog: components/c.yaml: kind "vpn" is none of kubernetes, mesh, provider`:     {"components/c.yaml": "name: c\ninstall: /c\nkind: vpn\n"},
		`catalog: components/c.yaml: version v1 does not match versionPattern`:             {"components/c.yaml": "name: c\ninstall: /c\nversion: v1\nversionPattern: ^v[0-9]+[.]\n"},
		`catalog: components a and b are both the mesh of the variant standard`: {
			"components/a.yaml": "name: a\ninstall: /a\nkind: mesh\nvariants: [standard]\n",
			"components/b.yaml": "name: b\ninstall: /b\nkind: mesh\nvariants: [core, standard]\n",
		},
		`catalog: models/m.yaml: firmware: from is "d", which has no packages of apt`: {
			"distros/d.yaml": strings.Replace(distro, "apt", "apk", 1), "models/m.yaml": "name: m\ntitle: m\nfirmware: {from: d}\n",
		},
		`catalog: models/m.yaml: firmware: packages and files are both needed`: {
			"distros/d.yaml": distro, "models/m.yaml": "name: m\ntitle: m\nfirmware: {from: d, files: [/a]}\n",
		},
		`catalog: models/m.yaml: firmware: mbr "fat" is not a byte in hexadecimal`: {
			"distros/d.yaml": distro, "models/m.yaml": "name: m\ntitle: m\nfirmware: {from: d, packages: [p], files: [/a], mbr: fat}\n",
		},
		`catalog: tools/t.yaml: needs name: t and a known distro, not "d"`:      {"tools/t.yaml": "name: t\ndistro: d\n"},
		`catalog: emulators/a.yaml: needs name: a, program, cdrom and firmware`: {"emulators/a.yaml": "name: a\nprogram: p\ncdrom: c\n"},
	} {
		t.Run(want, func(t *testing.T) {
			_, err := catalog.Load(folder(files))
			require.Error(t, err)
			assert.Equal(t, want, err.Error())
		})
	}
	_, err := catalog.Load(folder(map[string]string{"distros/d.yaml": distro + "nmae: x\n"}))
	require.ErrorContains(t, err, "read the catalog: distros/d.yaml: ")
	require.ErrorContains(t, err, "nmae")
}

func TestLaterSourceCounts(t *testing.T) {
	c, err := catalog.Load(
		folder(map[string]string{"distros/d.yaml": distro, "components/c.yaml": "name: c\ninstall: /a\n"}),
		folder(map[string]string{"components/c.yaml": "name: c\ninstall: /b\n"}),
	)
	require.NoError(t, err)
	assert.Equal(t, "/b", c.Components["c"].Install)
	assert.Equal(t, []string{"d"}, catalog.Names(c.Distros))
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
			require.Contains(t, c.Emulators, arch)
			assert.Contains(t, c.Emulators[arch].Firmware, "efi")
			for component := range maps.Keys(c.Components) {
				assert.NotEmpty(t, c.Components[component].Arch[arch], "%s on %s", component, arch)
			}
		}
		for _, set := range []string{"common", d.Inits[0].Name, d.Kernel.Initramfs.Overlay} {
			files, err := overlay.Files(set)
			require.NoError(t, err)
			assert.NotEmpty(t, files, set)
		}
	}
	_, err = overlay.Files("nowhere")
	assert.EqualError(t, err, "read the overlay nowhere: open nowhere: file does not exist")
}

// published tells what is wrong with the url of a component: its file has to
// stand in the list of the publisher to the letter.
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

// TestFlavors loads every flavor, and knows what is none.
func TestFlavors(t *testing.T) {
	c, err := catalog.Builtin()
	require.NoError(t, err)
	assert.Contains(t, flavors.Names(), "debian-12")
	for _, name := range flavors.Names() {
		doc, err := spectest.Load("extends: "+name+"\nversion: v1.0.0\n", nil)
		require.NoError(t, err)
		for _, arch := range plan.Architectures(doc, c) {
			_, err := spectest.Plan("extends: "+name+"\nversion: v1.0.0\n", nil, arch)
			assert.NoError(t, err, name)
		}
	}
	for _, name := range []string{"", ".", "../flavors/debian-12", "./debian-12", "debian-12/", "debian-12.spec", "*"} {
		_, ok := flavors.Read(name)
		assert.False(t, ok, name)
	}
}
