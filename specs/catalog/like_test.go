package catalog_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func TestLike(t *testing.T) {
	c, err := load(map[string]string{
		"distros/new.yaml": "name: new\nlike: debian-12\ntitle: New 1\nrelease: '1'\nbase: acme/new:1\n" +
			"groups:\n  - {name: nfs}\n  - {name: storage, packages: {gdisk: ~, xfsprogs: more filesystems}}\n" +
			"  - {name: mine, why: ours, packages: {acme: a program}}\n",
		"distros/newer.yaml": "name: newer\nlike: new\ntitle: New 2\nrelease: '2'\ninits: [{name: openrc}]\n",
	})
	require.NoError(t, err)
	base, d, newer := c.Distros["debian-12"], c.Distros["new"], c.Distros["newer"]
	assert.Equal(t, "acme/new:1", d.Base)
	assert.Equal(t, "debian", d.Flavor, "what is not said is taken over")
	assert.Equal(t, base.EOL, d.EOL)
	assert.Equal(t, base.Kernel, d.Kernel)
	storage := d.Groups[groupOf(d, "storage")]
	assert.NotContains(t, storage.Packages, "gdisk", "a key without a value takes away")
	assert.Contains(t, storage.Packages, "xfsprogs")
	assert.Contains(t, storage.Packages, "lvm2")
	assert.Negative(t, groupOf(d, "nfs"), "a name alone takes away")
	assert.Positive(t, groupOf(d, "mine"))
	assert.Equal(t, []string{"systemd", "openrc"}, base.InitNames(), "the base is as it was")
	assert.Equal(t, []string{"systemd"}, newer.InitNames())
	assert.Positive(t, groupOf(newer, "mine"), "over two steps")
}

func groupOf(d *catalog.Distro, name string) int {
	return slices.IndexFunc(d.Groups, func(g catalog.Group) bool { return g.Name == name })
}

// TestLikeItself has a record that changes the one that it replaces.
func TestLikeItself(t *testing.T) {
	c, err := load(map[string]string{"components/k3s.yaml": "name: k3s\nlike: k3s\nversion: v1.33.1+k3s1\n"})
	require.NoError(t, err)
	assert.Equal(t, "v1.33.1+k3s1", c.Components["k3s"].Version)
	assert.Equal(t, spectest.Catalog(t).Components["k3s"].URL, c.Components["k3s"].URL)
}

func TestMistakesOfLike(t *testing.T) {
	const good = "title: A\nlike: debian-12\n"
	for _, c := range []struct{ name, file, text, want string }{
		{"itself", "distros/a.yaml", "name: a\nlike: a\n", "catalog/distros/a.yaml:2:7: like: a is like itself"},
		{"nothing", "distros/a.yaml", "name: a\nlike: debian-0\n", `catalog/distros/a.yaml:2:7: like: there is no debian-0; did you mean "debian-12"?`},
		{"name", "distros/a.yaml", good + "name: b\n", `catalog/distros/a.yaml:3:7: name: "b" is not the name of the file; write name: a, or rename the file`},
		{"manager", "distros/a.yaml", good + "name: a\nmanager: pacman\n", `catalog/distros/a.yaml:4:10: manager: "pacman" is not valid; valid: apk, apt, dnf, zypper`},
		{"taken away", "distros/a.yaml", good + "name: a\nbase: ~\n", `catalog/distros/a.yaml:1:1: base: is missing`},
		{"reason", "distros/a.yaml", good + "name: a\ngroups: [{name: x, why: y, packages: {z: ''}}]\n", "catalog/distros/a.yaml:4:42: groups[0].packages.z.why: is empty; give it a text, or remove it"},
		{"day", "distros/a.yaml", good + "name: a\neol: 2026-02-30\n", `catalog/distros/a.yaml:4:6: eol: "2026-02-30" is not a day; write it as 2026-05-31`},
		{"day of a release", "components/k3s.yaml", "name: k3s\nlike: k3s\neol: {v1.36: soon}\n", `catalog/components/k3s.yaml:3:14: eol.v1.36: "soon" is not a day; write it as 2026-05-31`},
		{"copy of nothing", "distros/a.yaml", good + "name: a\nloaders: {amd64: {copies: {/x: /y}}}\n", "catalog/distros/a.yaml:4:32: loaders.amd64.copies./x: is none of shim, grub and diskGrub"},
		{"loader", "distros/a.yaml", good + "name: a\nloaders: {amd64: {from: alpine-3.21}}\n", "catalog/distros/a.yaml:4:25: loaders.amd64.from: alpine-3.21 lends none"},
		{"mask", "distros/a.yaml", good + "name: a\ninits: [{name: openrc, mask: [x]}]\n", "catalog/distros/a.yaml:4:30: inits[1].mask: OpenRC cannot mask a service"},
		{"model", "models/a.yaml", "name: a\ntitle: A\ndistros: {debian-21: {}}\n", `catalog/models/a.yaml:3:22: distros.debian-21: unknown distribution "debian-21"; did you mean "debian-12"?`},
		{"firmware that any file is", "distros/a.yaml", good + "name: a\nkernel: {firmware: [{name: x, why: y, packages: {z: {why: w, firmware: ['*']}}}]}\n", `catalog/distros/a.yaml:4:73: kernel.firmware[1].packages.z.firmware[0]: "*" names no file; name a file of the device`},
		{"firmware that is needed, and any", "requirements/a.yaml", "name: a\nwhy: b\nneeds: {firmware: {'**/*': c}}\n", `catalog/requirements/a.yaml:3:28: needs.firmware.**/*: "**/*" names no file; name a file of the device`},
		{"model of a group", "distros/a.yaml", good + "name: a\ngroups: [{name: x, why: y, model: [rpi9]}]\n", `catalog/distros/a.yaml:4:36: groups[11].model[0]: "rpi9" is not valid; did you mean "rpi"?`},
		{"repositories", "distros/a.yaml", good + "name: a\nskipRepositories: [x]\n", `catalog/distros/a.yaml:4:19: skipRepositories: apt cannot skip repositories by alias; remove it`},
		{"services of a model", "models/a.yaml", "name: a\ntitle: A\ndistros: {alpine-3.21: {enable: {systemd: {x: []}}}}\n", `catalog/models/a.yaml:3:43: distros.alpine-3.21.enable.systemd: "systemd" is not valid; valid: openrc`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(map[string]string{c.file: c.text})
			require.EqualError(t, err, c.want)
			var found specs.Diagnostics
			require.ErrorAs(t, err, &found)
		})
	}
}

// load lays files over those that are part of flavorkit.
func load(files map[string]string) (*catalog.Catalog, error) { return spectest.With(files) }
