package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/scan"
)

// osv is a database about vulnerabilities that do not exist.
func osv(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../client/scan/testdata/osv")
	require.NoError(t, err)
	return dir
}

// TestScan scans a root filesystem, and bills of materials of it.
func TestScan(t *testing.T) {
	db := osv(t)
	t.Chdir(t.TempDir())
	write(t, "root/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
	write(t, "root/var/lib/dpkg/status", "Package: libc6\nStatus: install ok installed\nSource: glibc\nVersion: 2.36-9\nArchitecture: amd64\n\nPackage: bash\nStatus: install ok installed\nVersion: 5.2.15-2\nArchitecture: amd64\n")
	write(t, "vex.json", `{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"vulnerability": {"name": "CVE-2026-0001"},
		"products": [{"@id": "root"}], "status": "not_affected", "justification": "component_not_present"}]}`)
	for _, format := range []string{"spdx", "cyclonedx"} {
		code, bill, stderr := flavorkit(t.Context(), "sbom", "root", "--format", format)
		require.Zero(t, code, stderr)
		write(t, format+".json", bill)
	}

	for _, system := range []string{"root", "spdx.json", "cyclonedx.json"} {
		code, stdout, stderr := flavorkit(t.Context(), "scan", system, "--db", db)
		require.Zero(t, code, stderr)
		assert.Contains(t, stdout, "root: 2 vulnerabilities in 2 packages (1 critical, 1 unknown)\n")
		assert.Contains(t, stdout, "critical  9.8    DEBIAN-CVE-2026-0001                    glibc    2.36-9    2.36-9+deb12u4\n")
	}
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{"--severity", "critical"}, exitFailed, "flavorkit: 1 vulnerability of the severity critical or worse\n"},
		{[]string{"--severity", "unknown"}, exitFailed, "flavorkit: 2 vulnerabilities of the severity unknown or worse\n"},
		{[]string{"--severity", "critical", "--vex", "vex.json"}, 0, ""},
		{[]string{"--severity", "low", "--vex", "vex.json"}, 0, ""},
		{[]string{"--severity", "bad"}, exitUsage, `unknown severity "bad"; valid: critical, high, low, medium, unknown`},
		{[]string{"--format", "xml"}, exitUsage, `unknown format "xml"; valid: json, openvex, sarif, text`},
		{[]string{"--vex", "spdx.json"}, exitFailed, "spdx.json is no document of OpenVEX"},
		{[]string{"--db", "none.zip"}, exitFailed, "read the database: stat none.zip: no such file or directory"},
		{[]string{"--db", "root/etc/os-release"}, exitFailed, "root/etc/os-release: it is no database of OSV: neither a zip archive nor JSON"},
	} {
		code, _, stderr := flavorkit(t.Context(), append([]string{"scan", "root", "--db", db}, c.args...)...)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, stderr, c.stderr)
	}
	code, stdout, stderr := flavorkit(t.Context(), "scan", "root", "--db", filepath.Join(db, "UBUNTU-CVE-2026-4000.json"), "--severity", "low")
	assert.Equal(t, exitUnreachable, code)
	assert.Contains(t, stdout, "root: 0 vulnerabilities in 2 packages\n\nNOT CHECKED  WHY\nbash, glibc  the databases have nothing about Debian:12\n")
	assert.Equal(t, "flavorkit: the databases have nothing about Debian:12\n", stderr)

	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	code, stdout, stderr = flavorkit(t.Context(), "scan", "root", "--db", db, "--vex", "vex.json", "--format", "json")
	require.Zero(t, code, stderr)
	assert.NotContains(t, stdout, ": null")
	var report scan.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Len(t, report.Findings, 2)
	assert.Equal(t, scan.NotAffected, report.Findings[0].VEX.Status)
	assert.Equal(t, []string{"pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc"}, report.Findings[0].Package.Installed)
	code, stdout, stderr = flavorkit(t.Context(), "scan", "root", "--db", db, "--vex", "vex.json", "--format", "openvex")
	require.Zero(t, code, stderr)
	write(t, "answer.json", stdout)
	statements, err := scan.ReadVEX("answer.json")
	require.NoError(t, err)
	require.Len(t, statements, 2)
	assert.Equal(t, "2023-11-14T22:13:20Z", statements[0].Timestamp.Format("2006-01-02T15:04:05Z07:00"))
	assert.Equal(t, []scan.Status{scan.NotAffected, scan.UnderInvestigation}, []scan.Status{statements[0].Status, statements[1].Status})

	code, stdout, stderr = flavorkit(t.Context(), "scan", "spdx.json", "--db", db, "--vex", "vex.json", "--format", "sarif")
	require.Zero(t, code, stderr)
	var log sarif
	require.NoError(t, json.Unmarshal([]byte(stdout), &log))
	require.Len(t, log.Runs[0].Results, 2)
	first, second := log.Runs[0].Results[0], log.Runs[0].Results[1]
	assert.Equal(t, "DEBIAN-CVE-2026-0001", first.RuleID)
	assert.EqualValues(t, "error", first.Level)
	assert.Equal(t, "glibc 2.36-9 has a known vulnerability, which is fixed in 2.36-9+deb12u4", first.Message.Text)
	assert.Equal(t, "spdx.json", first.Locations[0].PhysicalLocation.ArtifactLocation.URI)
	assert.Equal(t, []sarifSuppression{{"external", "not_affected: component_not_present"}}, first.Suppressions)
	assert.EqualValues(t, "warning", second.Level)
	assert.Empty(t, second.Suppressions)
	assert.Equal(t, "Overflow in a resolver", log.Runs[0].Tool.Driver.Rules[0].ShortDescription.Text)
	assert.Equal(t, "https://osv.dev/vulnerability/DSA-7001-1", log.Runs[0].Tool.Driver.Rules[1].HelpURI)
}

// TestScanMistakes checks command lines that fail before any database is read.
func TestScanMistakes(t *testing.T) {
	db := osv(t)
	t.Chdir(t.TempDir())
	t.Setenv("BUILDKIT_HOST", nowhere)
	write(t, "kairos.spec", good)
	write(t, "other.json", `{"name": "x"}`)
	write(t, "other.xml", "<bom/>")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"scan"}, exitUsage, "--db is missing; name a database in the format of OSV, such as an all.zip of osv.dev"},
		{[]string{"scan", "other.json", "--db", db}, exitFailed, "read other.json: unknown format of a bill of materials; valid: CycloneDX and SPDX 2 in JSON"},
		{[]string{"scan", "other.xml", "--db", db}, exitFailed, "read other.xml: read a bill of materials in JSON: "},
		{[]string{"scan", "none.spdx.json", "--db", db}, exitFailed, "open none.spdx.json: no such file or directory"},
		{[]string{"scan", "none.iso", "--db", db}, exitFailed, "none.iso: no such file or directory"},
		{[]string{"scan", "--db", db, "--platform", "linux/amd64,linux/arm64"}, exitUsage, "--platform takes one platform here"},
		{[]string{"scan", "--db", db}, exitFailed, "talk to the builder " + nowhere},
	} {
		code, stdout, stderr := flavorkit(t.Context(), c.args...)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, stderr, c.want)
		assert.Empty(t, stdout)
	}
}
