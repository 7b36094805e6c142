package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// TestCurrent checks that nothing is to be done for the versions of the catalog, without a network.
func TestCurrent(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(root, "test", "releasetest", "lists"), os.DirFS("../../test/releasetest/lists")))
	page, err := os.ReadFile("../../docs/upstream.md")
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(root, "docs"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "docs", "upstream.md"), page, 0o644))
	require.NoError(t, run(t.Context(), &http.Client{Transport: nobody{}}, root))
	now, err := os.ReadFile(filepath.Join(root, "docs", "upstream.md"))
	require.NoError(t, err)
	assert.Equal(t, string(page), string(now))
}

// nobody answers.
type nobody struct{}

func (nobody) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, errors.Errorf("asked for %s", r.URL)
}

func TestRecord(t *testing.T) {
	sum := strings.Repeat("a", 64)
	answers := map[string]string{
		"/v1/amd64.txt": sum + "  tool-amd64\n", "/v1/arm64.txt": sum + " *tool-arm64",
		"/v2/amd64.txt": "<html>", "/v3/amd64.txt": "",
	}
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		answer, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer s.Close()
	dir := t.TempDir()
	tool := func(version string) *catalog.Component {
		return &catalog.Component{Version: version, Checksums: s.URL + "/{version}/{arch}.txt", Arch: map[string]string{"amd64": "amd64", "arm64": "arm64"}}
	}
	for range 2 { // nothing is fetched twice
		require.NoError(t, record(t.Context(), s.Client(), dir, tool("v1")))
		assert.Equal(t, 2, asked)
	}
	for arch, line := range map[string]string{"amd64": sum + "  tool-amd64\n", "arm64": sum + " *tool-arm64\n"} {
		data, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(s.URL, "http://"), "v1", arch+".txt"))
		require.NoError(t, err)
		assert.Equal(t, "# Recorded from the release.\n"+line, string(data))
	}
	assert.ErrorContains(t, record(t.Context(), s.Client(), dir, tool("v2")), `/v2/amd64.txt: "<html>" is not a line of sha256sum`)
	assert.ErrorContains(t, record(t.Context(), s.Client(), dir, tool("v3")), `/v3/amd64.txt: "" is not a line of sha256sum`)
	assert.ErrorContains(t, record(t.Context(), s.Client(), dir, tool("v4")), "/v4/amd64.txt: 404 Not Found")
	assert.NoFileExists(t, filepath.Join(dir, strings.TrimPrefix(s.URL, "http://"), "v2", "amd64.txt"))
}

func TestVersions(t *testing.T) {
	components := map[string]*catalog.Component{"k3s": {Version: "v1.37.0+k3s1"}}
	page, err := versions("| `k3s` | v1.36.4+k3s1 | from |\n| `k3s-x` | v1 | |\n", components)
	require.NoError(t, err)
	assert.Equal(t, "| `k3s` | v1.37.0+k3s1 | from |\n| `k3s-x` | v1 | |\n", page)
	_, err = versions("nothing", components)
	assert.EqualError(t, err, "no line of a table begins with k3s and its version")
}
