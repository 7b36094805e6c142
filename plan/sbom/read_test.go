package sbom

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRead reads what Write writes.
func TestRead(t *testing.T) {
	// CycloneDX has names as the database spells them where one of them is not in SPDX's list.
	for format, bash := range map[string][]string{SPDX: {"GPL-2.0-or-later", "GPL-3+ with Bison exception"}, CycloneDX: {"GPL-2+", "GPL-3+ with Bison exception"}} {
		t.Run(format, func(t *testing.T) {
			data, err := acme().Write(format)
			require.NoError(t, err)
			assert.True(t, IsDocument(data))
			doc, err := Read(data)
			require.NoError(t, err)
			assert.Equal(t, "kairos-debian-12-core-amd64-generic-v1.0.0", doc.Name)
			assert.Contains(t, doc.ID, "17898e11-56ab-52dc-ae26-ca8ff4e483fa")
			assert.ElementsMatch(t, []string{"immucore", "script"}, doc.Nameless)
			for i := range doc.Parts {
				doc.Parts[i].URL = ""
			}
			assert.ElementsMatch(t, []Part{
				{Type: "golang", Name: "github.com/spf13/cobra", Version: "v1.10.2", Source: "github.com/spf13/cobra", SourceVersion: "v1.10.2"},
				{Type: "golang", Name: "github.com/kairos-io/kairos-agent/v2", Version: "v2.0.0", Source: "github.com/kairos-io/kairos-agent/v2", SourceVersion: "v2.0.0", SHA256: strings.Repeat("a0", 32)},
				{Type: "golang", Name: "stdlib", Version: "1.26.8", Source: "stdlib", SourceVersion: "1.26.8"},
				{Type: "deb", Name: "bash", Version: "5.2.15-2+b8", Arch: "amd64", Stage: "userland", Source: "bash", SourceVersion: "5.2.15-2+b8", Distro: "debian-12", Licenses: bash},
				{Type: "deb", Name: "libc6", Version: "2.36-9", Arch: "amd64", Stage: "userland", SHA256: strings.Repeat("0f", 32), Source: "glibc", SourceVersion: "2.36-9", Distro: "debian-12"},
				{Type: "rpm", Name: "kernel-default", Version: "1:6.4.0-1", Arch: "x86_64", Stage: "kernel", Source: "kernel-default", SourceVersion: "1:6.4.0-1", Distro: "opensuse-leap-15.6", Licenses: []string{"GPL-2.0-only", "MIT OR Apache-2.0"}},
			}, doc.Parts)

			stated, err := Read([]byte(`{"_type": "https://in-toto.io/Statement/v0.1", "predicate": ` + string(data) + `}`))
			require.NoError(t, err)
			assert.Len(t, stated.Parts, len(doc.Parts))
		})
	}
}

// TestReadOther reads what other programs write.
func TestReadOther(t *testing.T) {
	doc, err := Read([]byte(`{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
		{"type": "library", "name": "libssl3", "purl": "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3?arch=amd64&distro=ubuntu-24.04&upstream=openssl%403.0.13",
		 "components": [{"type": "library", "name": "inner", "purl": "pkg:apk/alpine/inner@1.0-r0?distro=alpine-3.22.1&upstream=outer"}]},
		{"type": "library", "name": "odd", "purl": "odd"}, {"type": "file", "name": "/etc/passwd"}, {"type": "operating-system", "name": "ubuntu"}
	]}`))
	require.NoError(t, err)
	require.Len(t, doc.Parts, 2)
	assert.Equal(t, []string{"openssl", "3.0.13"}, []string{doc.Parts[0].Source, doc.Parts[0].SourceVersion})
	assert.Equal(t, []string{"outer", "1.0-r0"}, []string{doc.Parts[1].Source, doc.Parts[1].SourceVersion})
	assert.Equal(t, []string{"odd"}, doc.Nameless)
	doc, err = Read([]byte(`{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
		{"type": "library", "name": "a", "purl": "pkg:deb/debian/a@1", "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "own words"}}]},
		{"type": "library", "name": "b", "purl": "pkg:deb/debian/b@1", "licenses": [{"expression": "(MIT AND (ISC OR (Zlib AND X11))) AND MIT AND GPL-2.0-only WITH Classpath-exception-2.0"}]}
	]}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"MIT", "own words"}, doc.Parts[0].Licenses)
	assert.Equal(t, []string{"(MIT AND (ISC OR (Zlib AND X11)))", "MIT", "GPL-2.0-only WITH Classpath-exception-2.0"}, doc.Parts[1].Licenses)
	doc, err = Read([]byte(`{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": [{"name": "a", "SPDXID": "SPDXRef-a"}]}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, doc.Nameless)
}

func TestReadErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"name": "x"}`:                               "unknown format of a bill of materials; valid: CycloneDX and SPDX 2 in JSON",
		`<bom/>`:                                      "read a bill of materials in JSON: invalid character '<'",
		`{"bomFormat": "CycloneDX"`:                   "read a bill of materials in JSON: unexpected end of JSON input",
		`{"spdxVersion": "SPDX-9.9"}`:                 "read SPDX: ",
		"SPDXVersion: SPDX-2.3\n":                     "read a bill of materials in JSON: invalid character 'S'",
		`{"bomFormat": "CycloneDX", "components": 1}`: "read CycloneDX: ",
	} {
		assert.True(t, IsDocument([]byte(text)), text)
		_, err := Read([]byte(text))
		assert.ErrorContains(t, err, want)
	}
	assert.False(t, IsDocument([]byte("extends: debian-12\n")))
}
