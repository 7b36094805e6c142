package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/packages"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// TestPackages asks Debian what a build would install, and for packages that it does not have.
func TestPackages(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	o := options(t, map[string]string{"kairos.spec": debianSpec + "packages: {add: [tree]}\n"})
	r := watch(&o)
	var all []packages.System
	err := solve.AskLong(t.Context(), c, o, frontend.PackagesRequest, func(res *gwclient.Result) error {
		return json.Unmarshal(res.Metadata["result.json"], &all)
	})
	require.NoError(t, err, "%v", o.Log)
	require.Len(t, all, 1)
	var stages []string
	for _, s := range all[0].Stages {
		stages = append(stages, s.Stage)
		require.NotEmpty(t, s.Packages, s.Stage)
		for _, p := range s.Packages {
			assert.NotEmpty(t, p.Version, p.Name)
			assert.NotEmpty(t, p.Arch, p.Name)
			assert.Positive(t, p.Size, p.Name)
			assert.NotEmpty(t, p.Repository, p.Name)
		}
	}
	assert.Equal(t, []string{"userland", "kernel", "tools", "tools-disk", "tools-convert"}, stages)
	assert.True(t, slices.ContainsFunc(all[0].Stages[0].Packages, func(p distro.Package) bool {
		return p.Name == "tree"
	}))
	for _, name := range r.ran() {
		assert.NotContains(t, name, "] install ")
	}

	o = options(t, map[string]string{"kairos.spec": debianSpec + "packages:\n  add:\n    - treee\n    - jq=0.1\n"})
	o.Target = "packages"
	_, err = solve.Build(t.Context(), c, o)
	require.Error(t, err)
	assert.Contains(t, err.Error(), `kairos.spec:6:7: packages.add[0]: debian-12 has no package "treee" for amd64; did you mean "tree"?`)
	assert.Contains(t, err.Error(), `kairos.spec:7:7: packages.add[1]: debian-12 has no version "0.1" of the package jq for amd64; it has `)
}

// TestCatalogCheck holds the catalog to Debian, and a private one with mistakes.
func TestCatalogCheck(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	check := func(contexts map[string]string) []catalog.Finding {
		o := options(t, map[string]string{"kairos.spec": debianSpec})
		for name, dir := range contexts {
			o.Contexts[name] = dir
		}
		watch(&o)
		o.Frontend = frontend.New(frontend.Options{}).CheckCatalog([]string{"debian-12"}, []string{arch})
		var found []catalog.Finding
		err := solve.AskLong(t.Context(), c, o, "", func(res *gwclient.Result) error {
			return json.Unmarshal(res.Metadata["result.json"], &found)
		})
		require.NoError(t, err, "%v", o.Log)
		return found
	}
	found := check(nil)
	require.Greater(t, len(found), 100)
	for _, f := range found {
		assert.Contains(t, []catalog.State{catalog.Right, catalog.Unlisted}, f.State, "%+v", f)
	}

	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "distros"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "distros", "debian-12.yaml"), []byte(`name: debian-12
like: debian-12
groups:
  - name: acme
    why: a mistake
    packages: {gawkk: a name}
loaders:
  amd64: {shim: /usr/share/shimx64.efi.signed}
`), 0o644))
	found = check(map[string]string{"catalog": dir})
	assert.Contains(t, found, catalog.Finding{
		Distro: "debian-12", Arch: arch, State: catalog.Wrong, Kind: "package", Name: "gawkk",
		Place: "catalog/distros/debian-12.yaml:6:23", Note: `did you mean "gawk"?`,
	})
	assert.Contains(t, found, catalog.Finding{
		Distro: "debian-12", Arch: arch, State: catalog.Moved, Kind: "shim", Name: "/usr/share/shimx64.efi.signed",
		Place: "catalog/distros/debian-12.yaml:8:17", Note: "is /usr/lib/shim/shimx64.efi.signed",
	})
}
