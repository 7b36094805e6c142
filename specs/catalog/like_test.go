package catalog_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
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

func TestMistakesOfData(t *testing.T) {
	const good = "title: A\nlike: debian-12\n"
	for _, c := range []struct{ name, file, text, want string }{
		{"cycle", "distros/a.yaml", "name: a\nlike: a\n", "catalog: distros/a.yaml: like: [a a] makes a cycle"},
		{"like nothing", "distros/a.yaml", "name: a\nlike: b\n", "catalog: distros/a.yaml: like: there is no b"},
		{"name", "distros/a.yaml", good + "name: b\n", `catalog: distros/a.yaml: the name is "b", the file says "a"`},
		{"manager", "distros/a.yaml", good + "name: a\nmanager: pacman\n", `catalog: distros/a.yaml: manager "pacman" is none of apt, zypper, apk, dnf`},
		{"reason", "distros/a.yaml", good + "name: a\ngroups: [{name: x, why: y, packages: {z: ''}}]\n", "catalog: distros/a.yaml: package z in group x has no reason"},
		{"loader", "distros/a.yaml", good + "name: a\nloaders: {amd64: {from: alpine-3.21}}\n", "catalog: distros/a.yaml: loaders.amd64: alpine-3.21 lends none"},
		{"mask", "distros/a.yaml", good + "name: a\ninits: [{name: openrc, mask: [x]}]\n", "catalog: distros/a.yaml: inits: OpenRC cannot mask a service"},
		{"model", "models/a.yaml", "name: a\ntitle: A\ndistros: {b: {}}\n", `catalog: models/a.yaml: distros names the unknown distro "b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(map[string]string{c.file: c.text})
			require.EqualError(t, err, c.want)
		})
	}
}

// load lays files over those that are part of flavorkit.
func load(files map[string]string) (*catalog.Catalog, error) {
	return catalog.Load(os.DirFS("."), folder(files))
}
