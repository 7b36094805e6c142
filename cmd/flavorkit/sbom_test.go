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
	require.NoError(t, os.WriteFile(filepath.Join(image, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600))
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"sbom", spec, "--format", "xml"}, exitUsage, `unknown format "xml"; valid: cyclonedx, spdx, text`},
		{[]string{"sbom", spec, "--platform", "linux/amd64,linux/arm64"}, exitUsage, "--platform takes one platform here; use --target sbom for several"},
		{[]string{"sbom", image, "--platform", "a/b/c/d"}, exitUsage, "a/b/c/d"},
		{[]string{"sbom", image}, exitFailed, "it is no OCI layout"},
		{[]string{"sbom", spec, "--builder", "unix:///nowhere"}, exitFailed, "talk to the builder unix:///nowhere"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, tc.code, run(t.Context(), tc.args, &stdout, &stderr), tc.args)
		assert.Contains(t, stderr.String(), tc.want)
		assert.Empty(t, stdout.String())
	}
}
