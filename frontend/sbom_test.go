package frontend

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
)

// dpkgStatus is the database of every step.
const dpkgStatus = `Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b8

Package: linux-image-6.1.0-1-amd64
Status: install ok installed
Architecture: amd64
Version: 6.1.4-1
`

// bills is a build of which every result is a root filesystem.
func bills(t *testing.T, opts map[string]string) *gateway {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	program, err := os.ReadFile(self)
	require.NoError(t, err)
	g := asking("", opts)
	delete(g.opts, "requestid")
	maps.Copy(g.result.texts, map[string]string{
		"etc/os-release":                                   "ID=debian\nVERSION_ID=12\n",
		"var/lib/dpkg/status":                              dpkgStatus,
		"var/lib/dpkg/info/bash.list":                      "/bin/bash\n",
		"usr/share/doc/bash/copyright":                     "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-3+\n",
		"usr/bin/kairos-agent":                             string(program),
		"usr/bin/immucore":                                 "#!/bin/sh\n",
		"var/lib/dpkg/info/linux-image-6.1.0-1-amd64.list": "/lib/modules/6.1.0-1-amd64/kernel\n",
	})
	return g
}

// spdxOf are the packages of a document by name.
func spdxOf(t *testing.T, data []byte) map[string]string {
	t.Helper()
	var doc struct {
		Packages []struct{ Name, VersionInfo, LicenseDeclared, Comment, DownloadLocation string }
	}
	require.NoError(t, json.Unmarshal(data, &doc))
	found := map[string]string{}
	for _, p := range doc.Packages {
		found[p.Name] = strings.Join([]string{p.VersionInfo, p.LicenseDeclared, p.Comment, p.DownloadLocation}, "; ")
	}
	return found
}

// TestSBOM has the packages of the database, the kernel, and the components with their modules.
func TestSBOM(t *testing.T) {
	g := bills(t, map[string]string{"target": SBOMTarget})
	_, err := New(Options{}).Build(t.Context(), g)
	require.NoError(t, err)
	const name = "/kairos-debian-12-core-amd64-generic-v1.0.0"
	found := spdxOf(t, g.made[name+".spdx.json"])
	assert.Equal(t, "5.2.15-2+b8; GPL-3.0-or-later; from the stage userland; NOASSERTION", found["bash"])
	assert.Contains(t, found, "linux-image-6.1.0-1-amd64")
	assert.Contains(t, found, "stdlib")
	assert.Contains(t, found["immucore"], "; NOASSERTION; the program /usr/bin/immucore; https://github.com/kairos-io/immucore/releases/")
	assert.Contains(t, string(g.made[name+".cdx.json"]), `"specVersion": "1.6"`)
	assert.Contains(t, string(g.made[name+".sbom.txt"]), "2 packages, 2 programs, 1 Go modules")

	delete(g.result.texts, "usr/bin/immucore")
	_, err = New(Options{}).Build(t.Context(), g)
	require.ErrorContains(t, err, "look at the component immucore: ")
}

// TestSBOMAttestation is an attestation of ours, unless the build names a program that makes it.
func TestSBOMAttestation(t *testing.T) {
	for name, tc := range map[string]struct {
		opts map[string]string
		want []string
	}{
		"not asked for":      {nil, nil},
		"image":              {map[string]string{"attest:sbom": ""}, []string{"linux/amd64"}},
		"as an argument":     {map[string]string{"build-arg:BUILDKIT_ATTEST_SBOM": ""}, []string{"linux/amd64"}},
		"several platforms":  {map[string]string{"attest:sbom": "", "platform": "linux/amd64,linux/arm64"}, []string{"linux/amd64", "linux/arm64"}},
		"iso":                {map[string]string{"attest:sbom": "", "target": "iso"}, []string{"linux/amd64"}},
		"report":             {map[string]string{"attest:sbom": "", "target": SBOMTarget}, nil},
		"another generator":  {map[string]string{"attest:sbom": "generator=acme/scanner"}, nil},
		"only other options": {map[string]string{"attest:provenance": ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := bills(t, tc.opts)
			res, err := New(Options{}).Build(t.Context(), g)
			require.NoError(t, err)
			var ids []string
			for id, all := range res.Attestations {
				ids = append(ids, id)
				require.Len(t, all, 1)
				assert.Equal(t, gwpb.AttestationKind_InToto, all[0].Kind)
				assert.Equal(t, "https://spdx.dev/Document", all[0].InToto.PredicateType)
				assert.Equal(t, "sbom.spdx.json", all[0].Path)
				assert.NotNil(t, all[0].Ref)
				assert.Contains(t, spdxOf(t, g.made["/sbom.spdx.json"]), "bash")
			}
			assert.ElementsMatch(t, tc.want, ids)
		})
	}
}

// TestLockAttestation has the lock of what is built, which is written first if there is none.
func TestLockAttestation(t *testing.T) {
	complete, text := written(t)
	for name, tc := range map[string]struct {
		opts map[string]string
		lock string
		want bool
	}{
		"without a lock":                   {map[string]string{"attest:sbom": ""}, "", false},
		"with a lock":                      {map[string]string{"attest:sbom": ""}, text, true},
		"with a lock, for provenance only": {map[string]string{"attest:provenance": ""}, text, false},
		"with a lock of something else":    {map[string]string{"attest:sbom": ""}, "version: 1\n", false},
		"asked for":                        {map[string]string{"build-arg:" + AttestLockArg: "1"}, "", true},
		"asked for, with an outdated lock": {map[string]string{"build-arg:" + AttestLockArg: "1"}, "version: 1\n", true},
		"asked for, for a report":          {map[string]string{"build-arg:" + AttestLockArg: "1", "target": packagesTarget}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			g := locking(lockSpec)
			delete(g.opts, "requestid")
			maps.Copy(g.opts, tc.opts)
			if tc.lock != "" {
				g.dirs["dockerfile"].texts["kairos.lock"] = tc.lock
			}
			maps.Copy(g.result.texts, map[string]string{
				"etc/os-release": "ID=debian\nVERSION_ID=12\n", "var/lib/dpkg/status": dpkgStatus, "usr/bin/kairos-agent": "#!/bin/sh\n", "usr/bin/immucore": "#!/bin/sh\n",
			})
			res, err := New(Options{}).Build(t.Context(), g)
			require.NoError(t, err)
			var found []string
			for _, all := range res.Attestations {
				for _, a := range all {
					found = append(found, a.InToto.PredicateType)
				}
			}
			if !tc.want {
				assert.NotContains(t, found, lock.Predicate)
				return
			}
			assert.Contains(t, found, lock.Predicate)
			attested, err := lock.Read(&specs.Source{Name: "lock.json", Data: g.made["/lock.json"]})
			require.NoError(t, err)
			assert.Empty(t, lock.Diff(complete, attested))
		})
	}
	g := asking("", map[string]string{"build-arg:" + AttestLockArg: "maybe"})
	delete(g.opts, "requestid")
	_, err := New(Options{}).Build(t.Context(), g)
	require.ErrorContains(t, err, `build argument FLAVORKIT_ATTEST_LOCK="maybe" is neither true nor false`)
}
