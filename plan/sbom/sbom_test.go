package sbom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/package-url/packageurl-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdxlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/test/golden"
)

// acme is a system with a bit of everything.
func acme() System {
	return System{
		Name: "kairos-debian-12-core-amd64-generic-v1.0.0", Version: "v1.0.0", Created: time.Unix(1700000000, 0),
		Stages: []Stage{
			{
				Name: "userland",
				Found: pkgdb.System{ID: "debian", Version: "12", Type: packageurl.TypeDebian, Packages: []pkgdb.Package{
					{Name: "bash", Version: "5.2.15-2+b8", Arch: "amd64", Source: "bash", SourceVersion: "5.2.15-2", Licenses: []string{"GPL-2+", "GPL-3+ with Bison exception"}},
					{Name: "libc6", Version: "2.36-9", Arch: "amd64", Source: "glibc", SourceVersion: "2.36-9", Supplier: "GNU Libc Maintainers <debian-glibc@lists.debian.org>"},
				}},
				Archives: map[string]lock.Archive{"libc6/2.36-9/amd64": {URL: "http://deb.debian.org/libc6.deb", SHA256: strings.Repeat("0f", 32)}},
			},
			{
				Name: "kernel",
				Found: pkgdb.System{ID: "opensuse-leap", Version: "15.6", Type: packageurl.TypeRPM, Packages: []pkgdb.Package{
					{Name: "kernel-default", Version: "1:6.4.0-1", Arch: "x86_64", Source: "kernel-default", SourceVersion: "6.4.0-1", Licenses: []string{"GPL-2.0-only AND (MIT OR Apache-2.0)"}, Supplier: "SUSE"},
				}},
			},
		},
		Programs: []Program{
			{
				Name: "kairos-agent", Version: "v2.0.0", Path: "/usr/bin/kairos-agent",
				Archive: lock.Archive{URL: "https://example.com/kairos-agent.tar.gz", SHA256: strings.Repeat("a0", 32)},
				Go:      Module{Path: "github.com/kairos-io/kairos-agent/v2"},
				Modules: []Module{{"github.com/spf13/cobra", "v1.10.2"}, {"stdlib", "1.26.8"}},
			},
			{Name: "immucore", Path: "/usr/bin/immucore", Modules: []Module{{"stdlib", "1.26.8"}}},
			{Name: "script", Path: "/usr/bin/script"},
		},
	}
}

func TestGolden(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			data, err := acme().Write(format)
			require.NoError(t, err)
			golden.Check(t, filepath.Join("testdata", "acme."+format), string(data))
			again, err := acme().Write(format)
			require.NoError(t, err)
			assert.Equal(t, string(data), string(again), "the same facts give the same bytes")
		})
	}
	_, err := acme().Write("xml")
	require.EqualError(t, err, `unknown format "xml" of a bill of materials`)
}

// TestIdentity has another identity for other facts.
func TestIdentity(t *testing.T) {
	one, err := acme().bill()
	require.NoError(t, err)
	changed := acme()
	changed.Stages[0].Found.Packages[0].Version = "5.3"
	other, err := changed.bill()
	require.NoError(t, err)
	assert.NotEqual(t, one.id, other.id)
}

// TestSPDX checks what the format requires, and what readers need.
func TestSPDX(t *testing.T) {
	data, err := acme().Write(SPDX)
	require.NoError(t, err)
	doc, err := spdxjson.Read(bytes.NewReader(data))
	require.NoError(t, err)
	require.NoError(t, spdxlib.ValidateDocument(doc))
	assert.Equal(t, "SPDX-2.3", doc.SPDXVersion)
	assert.Equal(t, "CC0-1.0", doc.DataLicense)
	assert.Equal(t, "2023-11-14T22:13:20Z", doc.CreationInfo.Created)
	namespace, err := url.Parse(doc.DocumentNamespace)
	require.NoError(t, err)
	assert.True(t, namespace.IsAbs())
	assert.Empty(t, namespace.Fragment)
	described, err := spdxlib.GetDescribedPackageIDs(doc)
	require.NoError(t, err)
	assert.Len(t, described, 1)

	other := map[string]bool{}
	for _, l := range doc.OtherLicenses {
		other[l.LicenseIdentifier] = true
		assert.NotEmpty(t, l.ExtractedText)
	}
	id := regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	for _, p := range doc.Packages {
		assert.Regexp(t, id, string(p.PackageSPDXIdentifier))
		assert.False(t, p.FilesAnalyzed)
		for _, required := range []string{p.PackageName, p.PackageDownloadLocation, p.PackageLicenseConcluded, p.PackageLicenseDeclared, p.PackageCopyrightText} {
			assert.NotEmpty(t, required, p.PackageName)
		}
		for word := range strings.FieldsSeq(p.PackageLicenseDeclared) {
			if strings.HasPrefix(word, "LicenseRef-") {
				assert.Contains(t, other, word)
			}
		}
		for _, ref := range p.PackageExternalReferences {
			_, err := packageurl.FromString(ref.Locator)
			assert.NoError(t, err)
		}
	}
}

// TestCycloneDX validates the document with the schema of the format, and all references in it.
func TestCycloneDX(t *testing.T) {
	data, err := acme().Write(CycloneDX)
	require.NoError(t, err)
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	for _, name := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schemax.json"} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema", name))
		require.NoError(t, err)
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err)
		require.NoError(t, c.AddResource("http://cyclonedx.org/schema/"+strings.Replace(name, "schemax", "schema", 1), schema))
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(doc))

	var bom struct {
		Metadata struct {
			Component struct {
				BOMRef string `json:"bom-ref"`
			}
		}
		Components []struct {
			BOMRef string `json:"bom-ref"`
		}
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	require.NoError(t, json.Unmarshal(data, &bom))
	refs := map[string]bool{bom.Metadata.Component.BOMRef: true}
	for _, c := range bom.Components {
		assert.False(t, refs[c.BOMRef], "%s is there twice", c.BOMRef)
		refs[c.BOMRef] = true
	}
	for _, d := range bom.Dependencies {
		assert.True(t, refs[d.Ref], d.Ref)
		for _, ref := range d.DependsOn {
			assert.True(t, refs[ref], ref)
		}
	}
}

// TestSize has more than a system with Kubernetes: a thousand packages, and eight programs with five
// hundred modules each, of which half are the same.
func TestSize(t *testing.T) {
	const limit = 4 << 20
	s := acme()
	for i := range 1000 {
		p := pkgdb.Package{
			Name: fmt.Sprintf("libacme-something%d", i), Version: "1:2.36.1-9+deb12u13", Arch: "amd64", Source: "acme-something", SourceVersion: "2.36.1-9",
			Licenses: []string{"GPL-2+", "permissive " + fmt.Sprint(i)}, Supplier: "Debian Something Maintainers <pkg-something-devel@lists.alioth.debian.org>",
		}
		s.Stages[0].Found.Packages = append(s.Stages[0].Found.Packages, p)
	}
	for i := range 8 {
		p := Program{Name: fmt.Sprint("program", i), Path: fmt.Sprint("/usr/bin/program", i)}
		for j := range 500 {
			owner := 0
			if j%2 == 0 {
				owner = i
			}
			p.Modules = append(p.Modules, Module{fmt.Sprintf("github.com/acme%d/some-module%d", owner, j), "v0.0.0-20240814133006-030d3b2625d0"})
		}
		s.Programs = append(s.Programs, p)
	}
	for _, format := range Formats() {
		data, err := s.Write(format)
		require.NoError(t, err)
		assert.Less(t, len(data), limit, format)
	}
}

func TestLicenses(t *testing.T) {
	l := newLicenses()
	for license, want := range map[string]string{
		"GPL-2.0-or-later":               "GPL-2.0-or-later",
		"gpl-2.0-ONLY":                   "GPL-2.0-only",
		"GPL-2":                          "GPL-2.0-only",
		"LGPL-2.1+":                      "LGPL-2.1-or-later",
		"Expat":                          "MIT",
		"Apache-2.0+":                    "Apache-2.0+",
		"MIT and (BSD-3-clause or Zlib)": "MIT AND (BSD-3-Clause OR Zlib)",
		"GPL-2.0-only WITH Autoconf-exception-2.0": "GPL-2.0-only WITH Autoconf-exception-2.0",
	} {
		text, listed := l.one(license)
		assert.Equal(t, want, text)
		assert.True(t, listed, license)
	}
	for _, license := range []string{"permissive", "GPL-2+ with a friend", "MIT AND", "(MIT", "MIT)", "MIT Zlib", "(", " "} {
		text, listed := l.one(license)
		assert.Regexp(t, `^LicenseRef-[A-Za-z0-9.-]+$`, text)
		assert.False(t, listed, license)
		assert.Equal(t, license, l.other[text])
	}
	text, complete := l.expression([]string{"MIT", "GPL-2 or MIT", "Expat"})
	assert.Equal(t, "MIT AND (GPL-2.0-only OR MIT)", text)
	assert.True(t, complete)
}

// FuzzLicense makes an identifier or an expression of anything.
func FuzzLicense(f *testing.F) {
	f.Add("GPL-2+ and (MIT or Zlib)")
	valid := regexp.MustCompile(`^[A-Za-z0-9.+() -]+$`)
	f.Fuzz(func(t *testing.T, license string) {
		text, _ := newLicenses().one(license)
		assert.Regexp(t, valid, text)
	})
}

// TestModules reads what the linker wrote into this test.
func TestModules(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	f, err := os.Open(self)
	require.NoError(t, err)
	defer f.Close()
	_, modules, ok := ReadModules(f)
	require.True(t, ok)
	version, _, _ := strings.Cut(strings.TrimPrefix(runtime.Version(), "go"), " ")
	assert.Contains(t, modules, Module{"stdlib", version})
	_, _, ok = ReadModules(strings.NewReader("#!/bin/sh\n"))
	assert.False(t, ok)
}
