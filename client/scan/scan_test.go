package scan

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/test/golden"
)

const fixture = "testdata/osv"

// edge is a system with packages of every ecosystem, and some that are in none.
func edge(t *testing.T) sbom.Document {
	t.Helper()
	stage := func(name, id, version, kind string, packages ...pkgdb.Package) sbom.Stage {
		return sbom.Stage{Name: name, Found: pkgdb.System{ID: id, Version: version, Type: kind, Packages: packages}}
	}
	data, err := sbom.System{
		Name: "edge", Version: "v1.0.0", Created: time.Unix(1700000000, 0),
		Stages: []sbom.Stage{
			stage("userland", "debian", "12", "deb",
				pkgdb.Package{Name: "bash", Version: "5.2.15-2", Arch: "amd64", Source: "bash", SourceVersion: "5.2.15-2"},
				pkgdb.Package{Name: "libc6", Version: "2.36-9", Arch: "amd64", Source: "glibc", SourceVersion: "2.36-9"},
				pkgdb.Package{Name: "libc-bin", Version: "2.36-9", Arch: "amd64", Source: "glibc", SourceVersion: "2.36-9"},
				pkgdb.Package{Name: "linux-image-6.1.0-1-amd64", Version: "6.1.4-1", Arch: "amd64", Source: "linux-signed-amd64", SourceVersion: "6.1.4+1"}),
			stage("alpine", "alpine", "3.22.1", "apk", pkgdb.Package{Name: "busybox-binsh", Version: "1.37.0-r12", Source: "busybox", SourceVersion: "1.37.0-r12"}),
			stage("kernel", "opensuse-leap", "15.6", "rpm", pkgdb.Package{Name: "kernel-default-base", Version: "6.4.0-150600.23.7", Source: "kernel-default", SourceVersion: "6.4.0-150600.23.7"}),
			stage("loader", "ubuntu", "24.04", "deb", pkgdb.Package{Name: "libssl3t64", Version: "3.0.13-0ubuntu3", Source: "openssl", SourceVersion: "3.0.13-0ubuntu3"}),
			stage("other", "fedora", "43", "rpm", pkgdb.Package{Name: "bash", Version: "5.3-1"}),
		},
		Programs: []sbom.Program{
			{Name: "agent", Version: "v2.0.0", Path: "/usr/bin/agent", Go: sbom.Module{Path: "github.com/acme/agent/v2"}, Modules: []sbom.Module{{Path: "github.com/spf13/cobra", Version: "v1.10.2"}, {Path: "stdlib", Version: "1.26.8"}}},
			{Name: "tool", Path: "/usr/bin/tool", Go: sbom.Module{Path: "github.com/acme/tool"}},
			{Name: "script", Path: "/usr/bin/script"},
		},
	}.Write(sbom.CycloneDX)
	require.NoError(t, err)
	doc, err := sbom.Read(data)
	require.NoError(t, err)
	return doc
}

func scanned(t *testing.T, opt Options) *Report {
	t.Helper()
	r, err := Scan(t.Context(), edge(t), opt)
	require.NoError(t, err)
	return r
}

// ids of findings, each with package, severity and fix.
func ids(found []Finding) (all []string) {
	for _, f := range found {
		all = append(all, strings.Join([]string{f.ID, f.Package.Name, string(f.Severity), f.Fixed}, " "))
	}
	return all
}

func TestScan(t *testing.T) {
	r := scanned(t, Options{Databases: []string{fixture}})
	assert.Equal(t, []string{
		"DEBIAN-CVE-2026-0001 glibc critical 2.36-9+deb12u4",
		"GHSA-aaaa-bbbb-cccc github.com/spf13/cobra high 1.11.0",
		"openSUSE-SU-2026:0001-1 kernel-default high 6.4.0-150600.23.10",
		"GHSA-dddd-eeee-ffff github.com/acme/agent/v2 medium ",
		"ALPINE-CVE-2026-2000 busybox medium 1.37.0-r13",
		"UBUNTU-CVE-2026-4000 openssl medium 3.0.13-0ubuntu3.9",
		"DEBIAN-CVE-2026-0006 linux low 6.1.4-2",
		"DSA-7001-1 bash unknown ",
		"GO-2026-0003 stdlib unknown 1.26.9",
	}, ids(r.Findings))
	glibc := r.Findings[0]
	assert.Equal(t, Package{Ecosystem: "Debian:12", Name: "glibc", Version: "2.36-9", Installed: []string{
		"pkg:deb/debian/libc-bin@2.36-9?arch=amd64&distro=debian-12&upstream=glibc", "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc",
	}}, glibc.Package, "once for all packages of the source")
	assert.InDelta(t, 9.8, glibc.Score, 0)
	assert.Equal(t, []string{"CVE-2026-1000", "GO-2026-0001"}, r.Findings[1].Aliases, "two records of one vulnerability")
	assert.Equal(t, "Completion runs commands", r.Findings[1].Summary)
	assert.Equal(t, []Unchecked{
		{Reason: "its version is not known", Parts: []string{"github.com/acme/tool"}},
		{Reason: "no ecosystem of OSV is known for packages of fedora-43", Parts: []string{"bash"}},
		{Reason: "the bill of materials has no package URL of it", Parts: []string{"script"}},
	}, r.Unchecked)
	assert.Empty(t, r.Missing())
	assert.Len(t, r.AtLeast(High), 3)
	assert.Len(t, r.AtLeast(Unknown), 9)
}

// TestMissing says what the databases have nothing about.
func TestMissing(t *testing.T) {
	r := scanned(t, Options{Databases: []string{filepath.Join(fixture, "DEBIAN-CVE-2026-0002.json"), filepath.Join(fixture, "UBUNTU-CVE-2026-4000.json")}})
	assert.Equal(t, []string{"Alpine:v3.22", "Go", "openSUSE:Leap 15.6"}, r.Missing())
	assert.Equal(t, "the databases have nothing about Alpine:v3.22", r.Unchecked[0].Reason)
	assert.Equal(t, []string{"busybox"}, r.Unchecked[0].Parts)
}

// TestVersion reports a version that cannot be compared.
func TestVersion(t *testing.T) {
	doc := sbom.Document{Parts: []sbom.Part{{URL: "pkg:golang/stdlib@devel", Type: "golang", Source: "stdlib", SourceVersion: "devel", Name: "stdlib", Version: "devel"}}}
	r, err := Scan(t.Context(), doc, Options{Databases: []string{fixture}})
	require.NoError(t, err)
	assert.Empty(t, r.Findings)
	assert.Equal(t, []Unchecked{{Reason: `"devel" is no semantic version`, Parts: []string{"stdlib"}}}, r.Unchecked)
}

// TestDatabases reads the same records from every form of a database.
func TestDatabases(t *testing.T) {
	dir := t.TempDir()
	var archive, lines, list bytes.Buffer
	w := zip.NewWriter(&archive)
	entries, err := os.ReadDir(fixture)
	require.NoError(t, err)
	var all []string
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(fixture, e.Name()))
		require.NoError(t, err)
		f, err := w.Create(e.Name())
		require.NoError(t, err)
		_, err = f.Write(data)
		require.NoError(t, err)
		if filepath.Ext(e.Name()) == ".json" {
			require.NoError(t, json.Compact(&lines, data))
			lines.WriteByte('\n')
			all = append(all, string(data))
		}
	}
	require.NoError(t, w.Close())
	list.WriteString("\n [" + strings.Join(all, ",") + "]\n")
	want := ids(scanned(t, Options{Databases: []string{fixture}}).Findings)
	for name, data := range map[string][]byte{"Debian/all.zip": archive.Bytes(), "all.jsonl": lines.Bytes(), "all.json": list.Bytes()} {
		file := filepath.Join(dir, name, filepath.Base(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, data, 0o600))
		assert.Equal(t, want, ids(scanned(t, Options{Databases: []string{file}}).Findings), name)
		assert.Equal(t, want, ids(scanned(t, Options{Databases: []string{filepath.Join(dir, name)}}).Findings), "the directory of "+name)
	}

	save := func(name string, data []byte) string {
		file := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(file, data, 0o600))
		return file
	}
	damaged := slices.Clone(archive.Bytes())
	damaged[200] ^= 0xff
	for _, c := range []struct{ file, want string }{
		{"none.zip", "read the database: stat none.zip: no such file or directory"},
		{t.TempDir(), "has no records of OSV: there is no .json, .jsonl or .zip in the directory"},
		{save("a.zip", archive.Bytes()[:archive.Len()/2]), "a.zip: the zip archive is truncated or damaged"},
		{save("b.zip", damaged), "b.zip: read ALPINE-CVE-2026-2000.json in the zip archive: "},
		{save("c.db", []byte("SQLite format 3\x00")), "c.db: it is no database of OSV: neither a zip archive nor JSON"},
		{save("d.json", nil), "d.json: it is no database of OSV: neither a zip archive nor JSON"},
		{save("e.json", []byte(`{"bomFormat": "CycloneDX"}`)), "e.json: it is no database of OSV: a record has no id or no time of modification"},
		{save("f.json", []byte(all[0][:100])), "f.json: the file is truncated"},
		{save("g.json", []byte("["+all[0]+",")), "g.json: the file is truncated"},
		{save("h.json", []byte("["+all[0])), "h.json: the file is truncated"},
		{save("i.json", []byte(`{"id": 1}`)), "i.json: json: cannot unmarshal number"},
		{save("j.zip", []byte("PK\x05\x06"+strings.Repeat("\x00", 18))), "j.zip: the zip archive has no records of OSV: there is no .json in it"},
	} {
		_, err := Scan(t.Context(), edge(t), Options{Databases: []string{c.file}})
		assert.ErrorContains(t, err, c.want)
		if err != nil {
			assert.Contains(t, err.Error(), filepath.Base(c.file), "the error names the file")
		}
	}
}

// TestCompare has versions in the order of each ecosystem's rules.
func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		compare  comparison
		versions []string
	}{
		"dpkg": {compareDeb, []string{"1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1", "1.0-10", "1.0a-1", "1.0+dfsg-1", "1:0.1"}},
		"apk":  {compareApk, []string{"1.2_alpha1", "1.2_rc1", "1.2", "1.2-r1", "1.2-r10", "1.2_p1", "1.2a", "1.3", "1.10"}},
		"rpm":  {compareRPM, []string{"1.0~rc1-1", "1.0-1", "1.0-1.2", "1.0-10", "1.0^git1-1", "1.0.1-1", "1.10-1", "1:0.1-1"}},
		"Go":   {compareGo, []string{"v0.0.0-20240101000000-abcdefabcdef", "1.26.0-0", "v1.26.0-rc.1", "1.26.0", "v1.26.9", "1.26.10", "v2.0.0+incompatible"}},
	} {
		for i, a := range c.versions {
			for j, b := range c.versions {
				n, err := c.compare(a, b)
				require.NoError(t, err)
				assert.Equal(t, i < j, n < 0, "%s: %s %s", name, a, b)
				assert.Equal(t, i > j, n > 0, "%s: %s %s", name, a, b)
			}
		}
	}
	for _, compare := range []comparison{compareDeb, compareApk, compareGo} {
		_, err := compare("?", "1.0")
		require.Error(t, err)
		_, err = compare("1.0", "?")
		require.Error(t, err)
	}
}

// TestEcosystems has the names of releases.
func TestEcosystems(t *testing.T) {
	for distro, want := range map[string]string{
		"debian-12": "Debian:12", "ubuntu-24.04": "Ubuntu:24.04:LTS", "alpine-3.22.1": "Alpine:v3.22", "alpine-3.22": "Alpine:v3.22",
		"opensuse-leap-15.6": "openSUSE:Leap 15.6", "opensuse-tumbleweed-20260101": "openSUSE:Tumbleweed", "sles-15.6": "SUSE:Linux Enterprise Server 15 SP6",
		"sles-16.0": "SUSE:Linux Enterprise Server 16.0", "fedora-43": "", "debian": "", "": "",
	} {
		eco, ok := ecosystemOf(sbom.Part{Type: "any", Distro: distro})
		assert.Equal(t, want != "", ok, distro)
		if ok {
			assert.Equal(t, want, eco.names[0])
		}
	}
	for source, want := range map[string]string{"linux-signed-amd64": "linux", "linux-signed": "linux", "linux-signed-hwe-6.8": "linux-hwe-6.8", "linux-firmware": "linux-firmware"} {
		name, _ := ecosystem{}.identity(sbom.Part{Type: "deb", Source: source})
		assert.Equal(t, want, name)
	}
}

// TestRanges evaluates ranges as the schema says.
func TestRanges(t *testing.T) {
	in := func(v string) event { return event{Introduced: v} }
	out := func(v string) event { return event{Fixed: v} }
	for _, c := range []struct {
		events   []event
		affected string // of 1.0.0 to 5.0.0
		fixed    string // for the first of them
	}{
		{[]event{in("0")}, "12345", ""},
		{[]event{in("0"), out("3.0.0")}, "12", "3.0.0"},
		{[]event{out("3.0.0"), in("2.0.0")}, "2", "3.0.0"},
		{[]event{in("4.0.0"), out("2.0.0"), in("0")}, "145", "2.0.0"},
		{[]event{in("0"), {LastAffected: "2.0.0"}, in("4.0.0"), out("5.0.0")}, "124", ""},
		{[]event{in("0"), {Limit: "2.0.0"}}, "1", ""},
		{[]event{in("0"), {Limit: "*"}}, "12345", ""},
		{[]event{in("6.0.0")}, "", ""},
		{nil, "", ""},
	} {
		got, first := "", ""
		for _, v := range []string{"1", "2", "3", "4", "5"} {
			hit, fixed, err := versionRange{Events: c.events}.has(v+".0.0", compareGo)
			require.NoError(t, err)
			if hit {
				if got == "" {
					first = fixed
				}
				got += v
			}
		}
		assert.Equal(t, []string{c.affected, c.fixed}, []string{got, first}, c.events)
	}
	_, _, err := versionRange{Events: []event{in("x")}}.has("1.0.0", compareGo)
	require.ErrorContains(t, err, `"x" is no semantic version`)
}

// TestSeverity takes vectors before words, and the package's before the record's.
func TestSeverity(t *testing.T) {
	vector := func(s string) []rating { return []rating{{Type: "CVSS", Score: s}} }
	const v31, v30 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"
	for _, c := range []struct {
		record   record
		affected affected
		want     Level
		score    float64
	}{
		{record{Severity: vector(v31)}, affected{}, High, 7.5},
		{record{Severity: vector(v30)}, affected{}, Low, 1.8},
		{record{Severity: append(vector(v30), vector(v31)...)}, affected{}, High, 7.5},
		{record{Severity: vector(v31)}, affected{Severity: vector(v30)}, Low, 1.8},
		{record{Severity: vector(v31), Specific: map[string]any{"severity": "LOW"}}, affected{}, High, 7.5},
		{record{Severity: vector("CVSS:3.1/AV:N"), Specific: map[string]any{"severity": "MODERATE"}}, affected{}, Medium, 0},
		{record{Severity: vector("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H")}, affected{}, Critical, 10},
		{record{Severity: vector("AV:N/AC:L/Au:N/C:N/I:N/A:N")}, affected{}, Low, 0},
		{record{}, affected{EcosystemSpecific: map[string]any{"urgency": "low"}}, Low, 0},
		{record{}, affected{EcosystemSpecific: map[string]any{"urgency": "not yet assigned"}}, Unknown, 0},
		{record{Specific: map[string]any{"severity": 9}}, affected{}, Unknown, 0},
	} {
		level, score := c.record.severity(&c.affected)
		assert.Equal(t, c.want, level)
		assert.InDelta(t, c.score, score, 0.001)
	}
}

func TestVEX(t *testing.T) {
	statements, err := ReadVEX("testdata/edge.openvex.json")
	require.NoError(t, err)
	r := scanned(t, Options{Databases: []string{fixture}, Statements: statements})
	out := map[string]string{}
	for _, f := range r.Findings {
		if f.VEX != nil {
			out[f.ID] = f.VEX.Why()
		}
	}
	assert.Equal(t, map[string]string{
		"DEBIAN-CVE-2026-0001": "not_affected: vulnerable_code_not_in_execute_path",
		"GHSA-aaaa-bbbb-cccc":  "fixed",
	}, out, "not: one of two of DSA-7001-1, what a later statement says, another version of stdlib")
	assert.Len(t, r.AtLeast(High), 1)

	more := Statement{Verdict: Verdict{Status: Fixed}, Products: []VEXProduct{{VEXComponent: VEXComponent{ID: "edge"}}}}
	more.Vulnerability.Name = "CVE-2026-0055"
	r = scanned(t, Options{Databases: []string{fixture}, Statements: append(statements, more)})
	for _, f := range r.Findings {
		if f.ID == "DSA-7001-1" {
			require.NotNil(t, f.VEX, "both of two are ruled out")
		}
	}

	// The document to answer has all of it, and rules out the same when it is read.
	doc, err := r.VEX("Acme", time.Unix(1700000000, 0))
	require.NoError(t, err)
	assert.Len(t, doc.Statements, len(r.Findings))
	data, err := json.MarshalIndent(doc, "", "  ")
	require.NoError(t, err)
	golden.Check(t, "testdata/edge.answer.openvex.json", string(data)+"\n")
	file := filepath.Join(t.TempDir(), "vex.json")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	again, err := ReadVEX(file)
	require.NoError(t, err)
	assert.Equal(t, ids(r.AtLeast(Unknown)), ids(scanned(t, Options{Databases: []string{fixture}, Statements: again}).AtLeast(Unknown)))
}

func TestVEXErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                   "vex.json: unexpected end of JSON input",
		`{"@context": "https://example.com"}`: `vex.json is no document of OpenVEX: its @context is "https://example.com" and not https://openvex.dev/ns/v0.2.0`,
		`{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"status": "fixed"}]}`:                                            "vex.json: statement 1 names no vulnerability",
		`{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"vulnerability": {"name": "CVE-1"}, "status": "done"}]}`:         `vex.json: statement 1 has the unknown status "done"`,
		`{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"vulnerability": {"name": "CVE-1"}, "status": "not_affected"}]}`: "vex.json: statement 1 has neither a justification nor an impact_statement, which not_affected needs",
	} {
		file := filepath.Join(t.TempDir(), "vex.json")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := ReadVEX(file)
		assert.ErrorContains(t, err, want)
	}
	_, err := ReadVEX("none.json")
	assert.ErrorContains(t, err, "read the VEX document: open none.json")
}

func TestText(t *testing.T) {
	statements, err := ReadVEX("testdata/edge.openvex.json")
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, scanned(t, Options{Databases: []string{fixture}, Statements: statements}).WriteText(&out))
	golden.Check(t, "testdata/edge.txt", out.String())
}

// FuzzRecords reads records that are damaged, and looks packages up in them.
func FuzzRecords(f *testing.F) {
	entries, err := filepath.Glob(filepath.Join(fixture, "*.json"))
	require.NoError(f, err)
	for _, e := range entries {
		data, err := os.ReadFile(e)
		require.NoError(f, err)
		f.Add(data, "1.0-1")
	}
	f.Fuzz(func(t *testing.T, data []byte, version string) {
		_ = readRecords(t.Context(), bufio.NewReader(bytes.NewReader(data)), func(r *record) {
			for _, a := range r.Affected {
				for _, compare := range []comparison{compareDeb, compareApk, compareRPM, compareGo} {
					hit, _, err := a.has(version, compare)
					assert.False(t, hit && err != nil)
				}
				level, _ := r.severity(&a)
				assert.Contains(t, Levels(), level)
			}
		})
	})
}
