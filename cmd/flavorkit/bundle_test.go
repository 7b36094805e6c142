package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/bundle"
	planbundle "github.com/flavorkit/flavorkit/plan/bundle"
)

// bundleOf is a bundle of a spec, or of a matrix with entries. Both have a catalog.
func bundleOf(t *testing.T, name, text string, entries ...string) string {
	t.Helper()
	source := t.TempDir()
	write(t, filepath.Join(source, name), text)
	dir := t.TempDir()
	require.NoError(t, bundle.Write(t.Context(), dir, bundle.Options{
		Files: t.TempDir(), Spec: filepath.Join(source, name), Context: source, Dirs: map[string]string{"catalog": "../../examples/private-distro/catalog"},
		Contents: planbundle.Contents{Platforms: []string{"linux/amd64"}, Entries: entries},
	}))
	return dir
}

// TestBundleUsage has mistakes in the command line, and bundles that are for another command.
func TestBundleUsage(t *testing.T) {
	spec := bundleOf(t, "kairos.spec", good)
	matrix := bundleOf(t, "edge.yaml", "entries: [{extends: [acme], architectures: [amd64]}]\n", "core-acme-amd64")
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{"bundle", "../../testdata/demo"}, exitUsage, "name the bundle with -o, such as -o edge.tar"},
		{[]string{"matrix", "bundle", "--file", "edge.yaml"}, exitUsage, "name the bundle with -o, such as -o edge.tar"},
		{[]string{"matrix", "bundle", "-o", "edge.tar"}, exitUsage, "name the matrix with --file"},
		{[]string{"matrix", "bundle", "--file", "none.yaml", "-o", "edge.tar"}, exitFailed, "no matrix none.yaml"},
		{[]string{"build", "--from-bundle", matrix}, exitFailed, "the bundle " + matrix + " is of the matrix edge.yaml, and not of a spec; build its entries with flavorkit matrix build --from-bundle"},
		{[]string{"matrix", "build", "--from-bundle", spec}, exitFailed, "the bundle " + spec + " is of the spec kairos.spec, and not of a matrix; build it with flavorkit build --from-bundle"},
		{[]string{"matrix", "build", "--from-bundle", "none.tar"}, exitFailed, "open the bundle: "},
		// The catalog in the bundle knows the flavor and the architecture.
		{[]string{"matrix", "build", "--from-bundle", matrix, "--entry", "edge"}, exitUsage, `--entry "edge" matches no entry; valid: acme-amd64`},
		{[]string{"matrix", "build", "--from-bundle", matrix, "--builder", "unix:///nowhere"}, exitFailed, "talk to the builder unix:///nowhere"},
		{[]string{"matrix", "build", "--from-bundle", spec, "--file", "none.yaml"}, exitFailed, "no matrix none.yaml"},
		{[]string{"build", "--from-bundle", spec, "--platform", "linux/vax"}, exitUsage, `unknown platform "linux/vax"`},
	} {
		code, _, stderr := flavorkit(t.Context(), c.args...)
		assert.Equal(t, c.code, code, "%v: %s", c.args, stderr)
		assert.Contains(t, stderr, c.stderr, "%v", c.args)
	}
}
