package local_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
)

// TestPrivateDistro plans a distribution that is not in the built-in catalog, and generates its
// graph.
func TestPrivateDistro(t *testing.T) {
	const dir = "../../examples/private-distro"
	contexts := map[string]string{"catalog": dir + "/catalog"}
	cat, err := local.Catalog(t.Context(), local.Options{Contexts: contexts})
	require.NoError(t, err)
	p, err := local.Plan(t.Context(), local.Options{File: dir + "/kairos.spec", Arch: "amd64", Context: dir, Contexts: contexts})
	require.NoError(t, err)
	assert.Equal(t, "core-acme:1-core-amd64-generic-v1.0.0", p.Image)
	assert.Equal(t, "kairos-acme-1-core-amd64-generic-v1.0.0", p.File)
	assert.Contains(t, p.Userland.Packages, plan.Package{Name: "jq"})
	assert.Contains(t, p.Userland.Packages, plan.Package{Name: "systemd"}, "as its base")
	assert.Contains(t, p.Checks.Commands, "jq")

	g := local.Graph(p, cat, contexts)
	state, err := frontend.Generate(t.Context(), g, p, "iso")
	require.NoError(t, err)
	def, err := state.Marshal(t.Context(), llb.Platform(g.Target))
	require.NoError(t, err)
	text, err := graphtext.Of(def)
	require.NoError(t, err)
	assert.Contains(t, text.String(), "/etc/issue.d/02-acme.issue")
	assert.Contains(t, text.String(), "[acme-1/userland] install")
	assert.Contains(t, text.String(), "[acme-1/initramfs] make the initramfs with dracut")

	_, err = local.Plan(t.Context(), local.Options{File: dir + "/kairos.spec", Arch: "amd64", Context: dir})
	require.ErrorContains(t, err, `kairos.spec:2:10: extends: no flavor and no named context is called "acme"`)
}

func TestMistakesOfCatalog(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"record":    {"distros/acme.yaml", "name: acme\nlike: debian-12\nmangaer: apt\n", `catalog/distros/acme.yaml:3:1: unknown key "mangaer"; did you mean "manager"?`},
		"flavor":    {"flavors/acme.spec", "distro: debian-12\nint: systemd\n", `catalog/flavors/acme.spec:2:1: unknown key "int"; did you mean "init"?`},
		"a path":    {"flavors/acme.spec", "extends: ./other.spec\n", `catalog/flavors/acme.spec:1:10: extends: the named context catalog has no flavors/other.spec`},
		"outside":   {"flavors/acme.spec", "extends: ../../kairos.spec\n", `catalog/flavors/acme.spec:1:10: extends: "../../kairos.spec" is outside the named context catalog; put the file into it, or pass another named context with it`},
		"no record": {"acme.yaml", "name: acme\n", "read the catalog: catalog holds none of the directories "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, map[string]string{"kairos.spec": "extends: acme\nversion: v1.0.0\n", filepath.Join("acme", c.file): c.text})
			_, err := local.Plan(t.Context(), local.Options{File: "kairos.spec", Arch: "amd64", Contexts: map[string]string{"catalog": "acme"}})
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := local.Catalog(t.Context(), local.Options{Contexts: map[string]string{"catalog": "https://acme.example/catalog.git"}})
	require.ErrorIs(t, err, local.ErrNotLocal)
}

// TestFilesOfFlavor checks that a flavor's files come from its catalog, and those of what it extends.
func TestFilesOfFlavor(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, map[string]string{
		"kairos.spec":         "extends: acme\nversion: v1.0.0\n",
		"c/flavors/acme.spec": "extends: ../bases/acme.spec\n",
		"c/bases/acme.spec":   "extends: debian-12\nfiles: [{path: /etc/acme, from: acme.conf}]\n",
		"c/acme.conf":         "x",
	})
	o := local.Options{File: "kairos.spec", Context: ".", Arch: "amd64", Contexts: map[string]string{"catalog": "c"}}
	p, err := local.Plan(t.Context(), o)
	require.NoError(t, err)
	_, err = local.Check(t.Context(), p, o)
	require.NoError(t, err)
	require.NoError(t, os.Remove("c/acme.conf"))
	_, err = local.Check(t.Context(), p, o)
	var found specs.Diagnostics
	require.ErrorAs(t, err, &found)
	assert.Contains(t, err.Error(), `catalog/bases/acme.spec:2:33: files[0].from: there is no file "acme.conf" in the named context "catalog"`)
}
