package frontend

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// index are the files of an index of Debian with all that the catalog names in Debian 12, as far as
// it is a package or a path without wildcards.
func index(t *testing.T, cat *catalog.Catalog) map[string]string {
	t.Helper()
	var names, paths strings.Builder
	for _, a := range cat.Asked("debian-12", "amd64") {
		names.WriteString(a.Name + "\n")
		for _, command := range a.Commands {
			paths.WriteString("usr/bin/" + command + " utils/" + a.Name + "\n")
		}
		for _, file := range a.Firmware {
			paths.WriteString("lib/firmware/" + file + " kernel/" + a.Name + "\n")
		}
	}
	for _, p := range cat.AskedPaths("debian-12", "amd64") {
		paths.WriteString(strings.TrimPrefix(p.Path, "/") + " admin/x\n")
	}
	return map[string]string{"names": names.String(), "files": paths.String()}
}

func checked(t *testing.T, cat *catalog.Catalog, result map[string]string, check CatalogCheck) []catalog.Finding {
	t.Helper()
	g := newGateway(map[string]string{}, nil)
	g.result.texts = result
	res, err := New(Options{Catalog: cat}).CheckCatalog(check)(t.Context(), g)
	require.NoError(t, err)
	var found []catalog.Finding
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &found))
	return found
}

// bad are the findings that are not right, without their place.
func bad(found []catalog.Finding) []catalog.Finding {
	found = slices.DeleteFunc(found, func(f catalog.Finding) bool { return f.State == catalog.Right })
	for i := range found {
		found[i].Place = ""
	}
	return found
}

func TestCheckCatalog(t *testing.T) {
	cat := spectest.Catalog(t)
	found := checked(t, cat, index(t, cat), CatalogCheck{Distros: []string{"debian-12"}, Archs: []string{"amd64"}})
	assert.Greater(t, len(found), 100)
	assert.Empty(t, bad(found))
}

// TestCheckFindsMistakes plants one of each kind in a catalog.
func TestCheckFindsMistakes(t *testing.T) {
	good := spectest.Catalog(t)
	cat, err := good.With(catalog.Layer{Name: "acme", FS: fstest.MapFS{"distros/debian-12.yaml": {Data: []byte(`name: debian-12
like: debian-12
groups:
  - name: acme
    why: mistakes
    packages:
      gwak: {why: a name, commands: [gwak]}
      editor: another name of one package
      mail-transport-agent: the name of several packages
      firmware-linux-free: {why: a file, firmware: [none.bin]}
loaders:
  amd64:
    shim: /usr/lib/shim/*/shimx64.efi
    grub: /usr/lib/elsewhere/gcdx64.efi.signed
inits:
  - name: systemd
    enable: {none.service: [multi-user.target]}
`)}}})
	require.NoError(t, err)
	files := index(t, good)
	files["provides"] = "Package: editor\nReverse Provides:\nnano 7 (= )\nPackage: mail-transport-agent\nReverse Provides:\npostfix 3 (= )\nssmtp 2 (= )\n"
	files["files"] += "usr/lib/shim/1/shimx64.efi a/b\nusr/lib/shim/2/shimx64.efi a/b\n"
	found := checked(t, cat, files, CatalogCheck{Distros: []string{"debian-12"}, Archs: []string{"amd64"}})
	finding := func(state catalog.State, what, name, note string) catalog.Finding {
		return catalog.Finding{Distro: "debian-12", Arch: "amd64", State: state, Kind: what, Name: name, Note: note}
	}
	at := slices.IndexFunc(found, func(f catalog.Finding) bool { return f.Name == "gwak" })
	require.GreaterOrEqual(t, at, 0)
	assert.Equal(t, "acme/distros/debian-12.yaml:7:13", found[at].Place)
	assert.Contains(t, found, catalog.Finding{Distro: "debian-12", Arch: "amd64", State: catalog.Right, Kind: "package", Name: "editor", Note: "provided by nano", Place: "acme/distros/debian-12.yaml:8:15"})
	assert.ElementsMatch(t, []catalog.Finding{
		finding(catalog.Wrong, "package", "gwak", `did you mean "gawk"?`),
		finding(catalog.Unlisted, "command", "gwak", "no package lists it; the script of one may make it"),
		finding(catalog.Wrong, "package", "mail-transport-agent", "apt chooses none of the packages that provide it: postfix, ssmtp"),
		finding(catalog.Wrong, "firmware", "none.bin", ""),
		finding(catalog.Wrong, "shim", "/usr/lib/shim/*/shimx64.efi", "it has to be one file: /usr/lib/shim/1/shimx64.efi, /usr/lib/shim/2/shimx64.efi"),
		finding(catalog.Moved, "GRUB", "/usr/lib/elsewhere/gcdx64.efi.signed", "is /usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed"),
		finding(catalog.Wrong, "service", "/usr/lib/systemd/system/none.service", ""),
	}, bad(found))
}

// TestCheckUnreachable has what cannot be looked at, which is never right.
func TestCheckUnreachable(t *testing.T) {
	cat := spectest.Catalog(t)
	found := checked(t, cat, nil, CatalogCheck{Distros: []string{"debian-12"}})
	assert.Equal(t, []catalog.Finding{
		{Distro: "debian-12", Arch: "amd64", State: catalog.Unreachable, Kind: "repositories", Name: "docker.io/library/debian:12-slim", Note: "the index of apt has no packages"},
		{Distro: "debian-12", Arch: "arm64", State: catalog.Unreachable, Kind: "architecture", Name: "docker.io/library/debian:12-slim", Note: "the builder runs no arm64"},
	}, found)

	files := index(t, cat)
	files["files"], files["unread"] = "", "E: Failed to fetch Contents\nmore"
	found = checked(t, cat, files, CatalogCheck{Distros: []string{"debian-12"}, Archs: []string{"amd64"}})
	for _, f := range found {
		if f.Kind == "package" {
			assert.Equal(t, catalog.Right, f.State, f.Name)
		} else {
			assert.Equal(t, catalog.Unreachable, f.State, f.Name)
		}
	}

	g := newGateway(map[string]string{}, nil)
	var unknown gwclient.BuildFunc = New(Options{}).CheckCatalog(CatalogCheck{Distros: []string{"debain-12"}})
	_, err := unknown(t.Context(), g)
	assert.EqualError(t, err, `unknown distribution "debain-12"; did you mean "debian-12"?`)
	_, err = New(Options{}).CheckCatalog(CatalogCheck{Archs: []string{"amd46"}})(t.Context(), g)
	assert.ErrorContains(t, err, `unknown architecture "amd46"`)
}

// TestCheckInstalls looks for files that no list has in a system that is thrown away.
func TestCheckInstalls(t *testing.T) {
	cat := spectest.Catalog(t)
	check := CatalogCheck{Distros: []string{"alpine-3.23"}, Archs: []string{"amd64"}}
	var names, installed strings.Builder
	for _, a := range cat.Asked("alpine-3.23", "amd64") {
		names.WriteString("P:" + a.Name + "\np:cmd:sh=1\n\n")
		for _, command := range a.Commands {
			installed.WriteString("/bin/" + command + "\n")
		}
		for _, pattern := range a.Firmware {
			installed.WriteString("/lib/firmware/" + strings.ReplaceAll(pattern, "*", "x") + "\n")
		}
	}
	for _, p := range cat.AskedPaths("alpine-3.23", "amd64") {
		if p.Path != "/etc/init.d/connman" {
			installed.WriteString(p.Path + "\n")
		}
	}
	files := map[string]string{"index": names.String()}
	unlisted := bad(checked(t, cat, files, check))
	require.NotEmpty(t, unlisted)
	for _, f := range unlisted {
		assert.True(t, f.State == catalog.Unlisted || f.Kind == "command" && f.State == catalog.Wrong, "%+v", f)
	}

	check.Install = true
	for i := range cat.Distros["alpine-3.23"].Inits {
		files[fmt.Sprintf("%d/installed", i)] = installed.String()
	}
	files[fmt.Sprintf("%d/installed", len(cat.Distros["alpine-3.23"].Inits))] = ""
	assert.Equal(t, []catalog.Finding{
		{Distro: "alpine-3.23", Arch: "amd64", State: catalog.Wrong, Kind: "service", Name: "/etc/init.d/connman"},
	}, bad(checked(t, cat, files, check)))
}

// TestCheckMirrors has mirrors of the network in use.
func TestCheckMirrors(t *testing.T) {
	g := newGateway(map[string]string{
		"build-arg:" + ConfigArg: "mirrors: {archives: {debian: https://mirror.example/debian}, registries: {docker.io: mirror.example/hub}}",
	}, nil)
	g.result.texts = index(t, spectest.Catalog(t))
	_, err := New(Options{}).CheckCatalog(CatalogCheck{Distros: []string{"debian-12"}, Archs: []string{"amd64"}})(t.Context(), g)
	require.NoError(t, err)
	require.NotEmpty(t, g.execs)
	var mirrors []string
	for _, env := range g.execs[0].Meta.Env {
		if strings.HasPrefix(env, "FLAVORKIT_MIRRORS=") {
			mirrors = append(mirrors, env)
		}
	}
	require.Len(t, mirrors, 1)
	assert.Contains(t, mirrors[0], "deb.debian.org/debian https://mirror.example/debian ")
}
