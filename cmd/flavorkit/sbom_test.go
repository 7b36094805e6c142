package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSBOM checks the command line of sbom without a builder.
func TestSBOM(t *testing.T) {
	dir := t.TempDir()
	spec := filepath.Join(dir, "kairos.spec")
	require.NoError(t, os.WriteFile(spec, []byte("extends: debian-12\nversion: v1.0.0\n"), 0o600))
	image := filepath.Join(dir, "image")
	require.NoError(t, os.Mkdir(image, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(image, "index.json"), []byte(`{"schemaVersion":2,"manifests":[]}`), 0o600))
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"sbom", spec, "--format", "xml"}, exitUsage, `unknown format "xml"; valid: cyclonedx, json, spdx, text`},
		{[]string{"sbom", spec, "--platform", "linux/amd64,linux/arm64"}, exitUsage, "--platform takes one platform here; use --target sbom for several"},
		{[]string{"sbom", image, "--platform", "a/b/c/d"}, exitUsage, "a/b/c/d"},
		{[]string{"sbom", image}, exitFailed, "read " + image + " as OCI layout: there is no image"},
		{[]string{"sbom", filepath.Join(dir, "none.iso")}, exitFailed, "none.iso: no such file or directory"},
		{[]string{"sbom", spec, "--builder", "unix:///nowhere"}, exitFailed, "talk to the builder unix:///nowhere"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, tc.code, run(t.Context(), tc.args, &stdout, &stderr), tc.args)
		assert.Contains(t, stderr.String(), tc.want)
		assert.Empty(t, stdout.String())
	}
}
