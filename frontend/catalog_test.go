package frontend

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// directory reads a directory for the gateway.
func directory(t *testing.T, dir string) files {
	t.Helper()
	texts := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		texts[filepath.ToSlash(name)] = string(data)
		return err
	}))
	return files{texts: texts}
}

// TestCatalogContext builds a distribution from a catalog in a named context.
func TestCatalogContext(t *testing.T) {
	const dir = "../examples/private-distro"
	for name, o := range map[string]map[string]string{
		"plan":  {"requestid": PlanRequest},
		"build": {"target": "iso"},
	} {
		t.Run(name, func(t *testing.T) {
			o["filename"], o["context:catalog"] = "kairos.spec", "local:catalog"
			g := newGateway(o, map[string]files{"dockerfile": directory(t, dir), "catalog": directory(t, dir+"/catalog")})
			res, err := New(Options{}).Build(t.Context(), g)
			require.NoError(t, err)
			assert.Equal(t, append([]string{".dockerignore"}, catalog.Directories()...), g.sent["catalog"], "no more than the catalog, and once")
			if name == "plan" {
				assert.Contains(t, string(res.Metadata["result.txt"]), "image: core-acme:1-core-amd64-generic-v1.0.0\n")
			}
		})
	}
}

// TestFlavorOfCatalogContext extends a file of the catalog that is beside its directories.
func TestFlavorOfCatalogContext(t *testing.T) {
	g := newGateway(map[string]string{"filename": "kairos.spec", "context:catalog": "local:catalog", "requestid": PlanRequest}, map[string]files{
		"dockerfile": {texts: map[string]string{"kairos.spec": "extends: acme\nversion: v1.0.0\n"}},
		"catalog": {texts: map[string]string{
			"flavors/acme.spec": "extends: ../bases/acme.spec\n", "bases/acme.spec": "extends: debian-12\ncmdline: [acme]\n",
		}},
	})
	res, err := New(Options{}).Build(t.Context(), g)
	require.NoError(t, err)
	assert.Contains(t, string(res.Metadata["result.txt"]), "- acme\n")
	assert.Contains(t, g.sent["catalog"], "bases/acme.spec")
}

// TestCatalogOfOptions uses a frontend with another catalog.
func TestCatalogOfOptions(t *testing.T) {
	cat, err := spectest.With(directory(t, "../examples/private-distro/catalog").texts)
	require.NoError(t, err)
	g := newGateway(map[string]string{"filename": "kairos.spec", "requestid": PlanRequest}, map[string]files{"dockerfile": directory(t, "../examples/private-distro")})
	res, err := New(Options{Catalog: cat}).Build(t.Context(), g)
	require.NoError(t, err)
	assert.Contains(t, string(res.Metadata["result.txt"]), "- /usr/share/doc/*\n")
	assert.Empty(t, g.sent["catalog"])
}

// TestMistakesOfCatalogContext checks the positions of mistakes in a catalog, in a build and in a
// check.
func TestMistakesOfCatalogContext(t *testing.T) {
	dirs := map[string]files{
		"dockerfile": {texts: map[string]string{"kairos.spec": "extends: debian-12\nversion: v1.0.0\n"}},
		"catalog":    {texts: map[string]string{"distros/acme.yaml": "name: acme\nlike: debian-12\nmanager: pacman\n"}},
	}
	const want = `catalog/distros/acme.yaml:3:10: manager: "pacman" is not valid; valid: apk, apt, dnf, zypper`
	_, err := New(Options{}).Build(t.Context(), newGateway(map[string]string{"filename": "kairos.spec", "context:catalog": "local:catalog"}, dirs))
	require.EqualError(t, err, want)
	sources := errdefs.Sources(err)
	require.Len(t, sources, 1)
	assert.Equal(t, "catalog/distros/acme.yaml", sources[0].Info.Filename)
	assert.Equal(t, int32(3), sources[0].Ranges[0].Start.Line)

	res, err := New(Options{}).Build(t.Context(), newGateway(map[string]string{"filename": "kairos.spec", "context:catalog": "local:catalog", "requestid": lint.RequestLint}, dirs))
	require.NoError(t, err)
	assert.Contains(t, string(res.Metadata["result.json"]), "pacman")
}
