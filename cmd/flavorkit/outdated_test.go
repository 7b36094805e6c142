package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// publishers serves the releases of k0s, k3s and Alpine, and writes a catalog that asks it for them,
// with versions of its own.
func publishers(t *testing.T, k0s, k3s string) (dir string) {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	for path, answer := range map[string]string{
		"/k0s":    `[{"tag_name": "v1.36.5-rc.0+k0s.0"}, {"tag_name": "v1.36.4+k0s.0"}]`,
		"/k3s":    `{"data": [{"name": "latest", "latest": "v1.36.4+k3s1"}]}`,
		"/alpine": `{"result": {"releases": [{"name": "3.23", "releaseDate": "2025-12-04"}, {"name": "3.24", "releaseDate": "2026-06-01"}]}}`,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
	}
	dir = t.TempDir()
	write(t, dir+"/components/k0s.yaml", "name: k0s\nlike: k0s\nversion: "+k0s+"\nreleases: {url: "+s.URL+"/k0s}\n")
	write(t, dir+"/components/k3s.yaml", "name: k3s\nlike: k3s\nversion: "+k3s+"\nreleases: {url: "+s.URL+"/k3s}\n")
	write(t, dir+"/components/edgevpn.yaml", "name: edgevpn\nlike: edgevpn\nreleases: {url: "+s.URL+"/gone}\n")
	write(t, dir+"/components/immucore.yaml", "name: immucore\nlike: immucore\nreleases: ~\n")
	write(t, dir+"/distros/alpine-3.24.yaml", "name: alpine-3.24\nlike: alpine-3.24\nreleases: {url: "+s.URL+"/alpine}\n")
	return dir
}

func TestOutdated(t *testing.T) {
	current, old := publishers(t, "v1.36.4+k0s.0", "v1.36.4+k3s1"), publishers(t, "v1.37.0+k0s.0", "v1.36.3+k3s1")
	const head = "KIND       NAME  VERSION       NEWEST        STATE     PLACE\n"
	for _, c := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"current", []string{"k0s", "k3s", "alpine", "--catalog", current}, 0, "distribution  alpine  3.24           3.24           current  specs/catalog/distros/alpine-3.24.yaml:", ""},
		{"outdated", []string{"k3s", "--catalog", old}, exitFailed, head + "component  k3s   v1.36.3+k3s1  v1.36.4+k3s1", "flavorkit: 1 of 1 have a newer version\n"},
		{"ahead", []string{"k0s", "--catalog", old}, 0, "the publisher has nothing newer than v1.36.4+k0s.0", ""},
		{"unreachable", []string{"edgevpn", "k0s", "--catalog", current}, exitUnreachable, "404 Not Found", "flavorkit: 1 of 2 publishers could not be asked\n"},
		{"outdated and unreachable", []string{"edgevpn", "k3s", "--catalog", old}, exitFailed, "unreachable", "flavorkit: 1 of 2 have a newer version\n"},
		{"unlisted", []string{"immucore", "--catalog", current}, 0, "unlisted", ""},
		{"markdown", []string{"k3s", "--catalog", old, "--format", "markdown"}, exitFailed, "| kind | name | version | newest | state | place |\n|---|---|---|---|---|---|\n| component | k3s | v1.36.3+k3s1 | v1.36.4+k3s1 | outdated |", "newer"},
		{"name", []string{"k3", "--catalog", old}, exitUsage, "", `no component and no flavor of a distribution is called "k3"; did you mean "k3s"?`},
		{"format", []string{"--format", "yaml"}, exitUsage, "", `unknown format "yaml"; valid: json, markdown, text`},
		{"timeout", []string{"--timeout", "0s"}, exitUsage, "", "the timeout 0s is not positive"},
		{"catalog", []string{"--catalog", old + "/none"}, exitFailed, "", "for the named context catalog"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := flavorkit(t.Context(), append([]string{"catalog", "outdated"}, c.args...)...)
			assert.Equal(t, c.code, code, stdout+stderr)
			assert.Contains(t, stdout, c.stdout)
			assert.Contains(t, stderr, c.stderr)
		})
	}
}

func TestOutdatedJSON(t *testing.T) {
	dir := publishers(t, "v1.36.4+k0s.0", "v1.36.3+k3s1")
	code, stdout, stderr := flavorkit(t.Context(), "catalog", "outdated", "k3s", "k0s", "--format", "json", "--catalog", dir)
	assert.Equal(t, exitFailed, code, stderr)
	var found []catalog.Finding
	require.NoError(t, json.Unmarshal([]byte(stdout), &found))
	require.Len(t, found, 2)
	assert.Equal(t, catalog.Finding{Kind: "component", Name: "k0s", Version: "v1.36.4+k0s.0", Newest: "v1.36.4+k0s.0", State: catalog.Current, Place: found[0].Place}, found[0])
	assert.Equal(t, catalog.Finding{Kind: "component", Name: "k3s", Version: "v1.36.3+k3s1", Newest: "v1.36.4+k3s1", State: catalog.Outdated, Place: "catalog/components/k3s.yaml:3:10"}, found[1])
}

// TestOutdatedInterrupted interrupts the command while a publisher hangs.
func TestOutdatedInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		interrupt()
		<-r.Context().Done()
	}))
	defer s.Close()
	dir := t.TempDir()
	write(t, dir+"/components/k3s.yaml", "name: k3s\nlike: k3s\nreleases: {url: "+s.URL+"}\n")
	code, stdout, stderr := flavorkit(ctx, "catalog", "outdated", "k3s", "--catalog", dir)
	assert.Equal(t, exitInterrupted, code)
	assert.Empty(t, stdout)
	assert.Equal(t, "flavorkit: interrupted\n", stderr)
}
