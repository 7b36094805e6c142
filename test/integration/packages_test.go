package integration

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/packages"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
	"github.com/flavorkit/flavorkit/test/testkit"
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

// checkCatalog returns what flavorkit catalog check finds.
func checkCatalog(t *testing.T, check frontend.CatalogCheck, contexts map[string]string) []catalog.Finding {
	t.Helper()
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	o.Contexts = contexts
	watch(&o)
	check.Archs = []string{arch}
	o.Frontend = frontend.New(frontend.Options{}).CheckCatalog(check)
	var found []catalog.Finding
	err := solve.AskLong(t.Context(), embedded(t), o, "", func(res *gwclient.Result) error {
		return json.Unmarshal(res.Metadata["result.json"], &found)
	})
	require.NoError(t, err, "%v", o.Log)
	return found
}

// withLayer adds a catalog with one distribution to named contexts.
func withLayer(t *testing.T, contexts map[string]string, distro, text string) map[string]string {
	t.Helper()
	contexts["catalog"] = writeFiles(t, map[string]string{"distros/" + distro + ".yaml": text})
	return contexts
}

// TestCatalogCheck holds the catalog to Debian, and a private one with mistakes.
func TestCatalogCheck(t *testing.T) {
	t.Parallel()
	found := checkCatalog(t, frontend.CatalogCheck{Distros: []string{"debian-12"}}, contexts(t))
	require.Greater(t, len(found), 100)
	for _, f := range found {
		assert.Contains(t, []catalog.State{catalog.Right, catalog.Unlisted}, f.State, "%+v", f)
	}
	found = checkCatalog(t, frontend.CatalogCheck{Distros: []string{"debian-12"}}, withLayer(t, contexts(t), "debian-12", `name: debian-12
like: debian-12
groups:
  - name: acme
    why: a mistake
    packages: {gawkk: a name}
loaders:
  amd64: {shim: /usr/share/shimx64.efi.signed}
`))
	assert.Contains(t, found, catalog.Finding{
		Distro: "debian-12", Arch: arch, State: catalog.Wrong, Kind: "package", Name: "gawkk",
		Place: "catalog/distros/debian-12.yaml:6:23", Note: `did you mean "gawk"?`,
	})
	assert.Contains(t, found, catalog.Finding{
		Distro: "debian-12", Arch: arch, State: catalog.Moved, Kind: "shim", Name: "/usr/share/shimx64.efi.signed",
		Place: "catalog/distros/debian-12.yaml:8:17", Note: "is /usr/lib/shim/shimx64.efi.signed",
	})
}

// TestCatalogCheckFamilies finds what is wrong in the other families, on local substitutes of their
// repositories, and nothing else. Where no list tells about a file, an installation does.
func TestCatalogCheckFamilies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ distro, init, service, none string }{
		{"fedora-44", "systemd", "/usr/lib/systemd/system/", "none.service"},
		{"opensuse-leap-16.0", "systemd", "/usr/lib/systemd/system/", "none.service"},
		{"alpine-3.23", "openrc", "/etc/init.d/", "none"},
	} {
		t.Run(tt.distro, func(t *testing.T) {
			all := contexts(t)
			base, err := reference.ParseNormalizedNamed(spectest.Catalog(t).Distros[tt.distro].Base)
			require.NoError(t, err)
			all[reference.FamiliarString(base)] = "oci-layout://" + testkit.StandIn(t, tt.distro)
			found := checkCatalog(t, frontend.CatalogCheck{Distros: []string{tt.distro}, Install: true}, withLayer(t, all, tt.distro, fmt.Sprintf(`name: %s
like: %[1]s
groups:
  - name: acme
    why: mistakes
    packages:
      gawkk: a name
      curl: {why: no such files, commands: [none], firmware: [none.bin]}
inits:
  - name: %s
    enable:
      %s: [default]
`, tt.distro, tt.init, tt.none)))
			require.Greater(t, len(found), 100)
			found = slices.DeleteFunc(found, func(f catalog.Finding) bool {
				return f.State == catalog.Right || strings.HasPrefix(f.Place, "specs/catalog/archs/") || // no substitute has emulators
					path.Base(f.Name) == "dnf-makecache.timer" // Debian's dnf, of which Fedora's substitute is made, has none
			})
			finding := func(kind, name, place, note string) catalog.Finding {
				return catalog.Finding{
					Distro: tt.distro, Arch: arch, State: catalog.Wrong, Kind: kind, Name: name,
					Place: "catalog/distros/" + tt.distro + ".yaml:" + place, Note: note,
				}
			}
			assert.ElementsMatch(t, []catalog.Finding{
				finding("package", "gawkk", "7:14", `did you mean "gawk"?`),
				finding("command", "none", "8:13", ""),
				finding("firmware", "none.bin", "8:13", ""),
				finding("service", tt.service+tt.none, fmt.Sprintf("12:%d", len("      : ")+len(tt.none)+1), ""),
			}, found)
		})
	}
}
