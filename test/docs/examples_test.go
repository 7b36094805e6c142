package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// examples returns the directories with a spec or a matrix. Those with a catalog have separate
// tests.
func examples(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, "examples"))
	require.NoError(t, err)
	var dirs []string
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(root, "examples", e.Name()))
		}
	}
	return dirs
}

// TestExamples resolves every example, with its files and named contexts, for each architecture
// that it has.
func TestExamples(t *testing.T) {
	planned := 0
	for _, dir := range examples(t) {
		name := filepath.Base(dir)
		if name == "private-distro" {
			continue
		}
		if file := filepath.Join(dir, "matrix.yaml"); exists(file) {
			planMatrix(t, file)
			planned++
			continue
		}
		contexts := map[string]string{}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			if exists(filepath.Join(dir, e.Name(), specs.DefaultName)) {
				contexts[e.Name()] = filepath.Join(dir, e.Name())
			}
		}
		resolved := 0
		for _, arch := range catalog.Names(spectest.Catalog(t).Archs) {
			_, err := local.Plan(t.Context(), local.Options{
				File: filepath.Join(dir, specs.DefaultName), Context: dir, Arch: arch, Contexts: contexts,
			})
			if err != nil && strings.Contains(err.Error(), " has no "+arch+"; it has ") {
				continue // a board has one architecture
			}
			assert.NoError(t, err, "%s for %s", name, arch)
			resolved++
		}
		assert.NotZero(t, resolved, "%s is for no architecture", name)
		planned++
	}
	assert.GreaterOrEqual(t, planned, 8)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// planMatrix resolves every entry of a matrix.
func planMatrix(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	entries, err := matrix.Read(&specs.Source{Name: filepath.Base(file), Data: data}, matrix.Options{FlavorVersion: matrix.DefaultVersion, Archs: catalog.Names(spectest.Catalog(t).Archs)})
	require.NoError(t, err, file)
	for _, e := range entries {
		_, err := local.PlanSource(t.Context(), e.Spec, local.Options{File: filepath.Join(filepath.Dir(file), e.Spec.Name), Arch: e.Arch})
		assert.NoError(t, err, "%s: %s", file, e.Name)
	}
}

// TestExamplesListed checks that the page of examples lists all of them.
func TestExamplesListed(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "examples", "README.md"))
	require.NoError(t, err)
	for _, dir := range examples(t) {
		assert.Contains(t, string(page), "]("+filepath.Base(dir)+"/", "examples/README.md lacks %s", filepath.Base(dir))
	}
}
