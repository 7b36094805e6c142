package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

func TestPackagesUsage(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/kairos.spec", "extends: debian-12\nversion: v1.0.0\n")
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{"packages", dir, "--format", "yaml"}, exitUsage, `unknown format "yaml"; valid: json, text`},
		{[]string{"packages", dir, "--platform", "linux/mips64"}, exitUsage, `unknown platform "linux/mips64"`},
		{[]string{"packages", dir + "/none"}, exitFailed, "no spec " + dir + "/none/kairos.spec"},
		{[]string{"packages", dir + "/kairos.spec", "--builder", "unix:///nowhere"}, exitFailed, "talk to the builder unix:///nowhere"},
		{[]string{"catalog", "chekc"}, exitUsage, `unknown command "catalog chekc"; did you mean "check"?`},
		{[]string{"catalog", "check", "debain-12"}, exitUsage, `unknown distribution "debain-12"; did you mean "debian-12"?`},
		{[]string{"catalog", "check", "--arch", "amd46"}, exitUsage, `unknown architecture "amd46"`},
		{[]string{"catalog", "check", "--format", "html"}, exitUsage, `unknown format "html"; valid: json, markdown, text`},
		{[]string{"catalog", "check", "debian-12", "--builder", "unix:///nowhere"}, exitFailed, "talk to the builder unix:///nowhere"},
	} {
		code, _, stderr := flavorkit(t.Context(), c.args...)
		assert.Equal(t, c.code, code, "%v: %s", c.args, stderr)
		assert.Contains(t, stderr, c.stderr)
	}
	code, stdout, _ := flavorkit(t.Context(), "catalog")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "Check the catalog against the repositories of its distributions")
}

func findings(states ...catalog.State) []catalog.Finding {
	var all []catalog.Finding
	for _, s := range states {
		all = append(all, catalog.Finding{Distro: "debian-12", Arch: "amd64", State: s, Kind: "package", Name: "a|" + string(s), Place: "x.yaml:1:2"})
	}
	return append(all, catalog.Finding{Distro: "fedora-43", Arch: "arm64", State: catalog.Right, Kind: "package", Name: "b"})
}

func TestVerdict(t *testing.T) {
	assert.NoError(t, verdict(findings(catalog.Right, catalog.Unlisted)))
	assert.EqualError(t, verdict(findings(catalog.Wrong, catalog.Moved, catalog.Unreachable)), "the catalog is wrong in 2 places")
	err := verdict(findings(catalog.Right, catalog.Unreachable))
	var coded *codeError
	require.True(t, errors.As(err, &coded))
	assert.Equal(t, exitUnreachable, coded.code, "unreachable is never passed")
}

func TestReportFormats(t *testing.T) {
	found := findings(catalog.Right, catalog.Wrong)
	show := func(format string, found []catalog.Finding, all bool) string {
		var out bytes.Buffer
		require.NoError(t, reportFormats()[format](&out, catalogReport{summary: checkStates(), all: all}, found))
		return out.String()
	}
	assert.Equal(t, `DISTRO     ARCH   RIGHT  MOVED  WRONG  UNLISTED  UNREACHABLE
debian-12  amd64  1      0      1      0         0
fedora-43  arm64  1      0      0      0         0

DISTRO     ARCH   KIND     NAME     STATE  PLACE
debian-12  amd64  package  a|wrong  wrong  x.yaml:1:2
`, show("text", found, false))
	assert.Contains(t, show("text", found, true), "debian-12  amd64  package  a|right  right  x.yaml:1:2\n")
	assert.NotContains(t, show("text", findings(), false), "STATE")
	assert.Equal(t, `| distro | arch | right | moved | wrong | unlisted | unreachable |
|---|---|---|---|---|---|---|
| debian-12 | amd64 | 1 | 0 | 1 | 0 | 0 |
| fedora-43 | arm64 | 1 | 0 | 0 | 0 | 0 |

| distro | arch | kind | name | state | place |
|---|---|---|---|---|---|
| debian-12 | amd64 | package | a\|wrong | wrong | x.yaml:1:2 |
`, show("markdown", found, false))
	var back []catalog.Finding
	require.NoError(t, json.Unmarshal([]byte(show("json", found, false)), &back))
	assert.Equal(t, found, back)
}
