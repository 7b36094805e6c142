package local_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/specs"
)

// TestTexts counts what an editor holds of a spec, of what it extends and of its files.
func TestTexts(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, map[string]string{
		"kairos.spec": "extends: nothing\n", "base.spec": "extends: nothing\n", "user.yaml": "no cloud-config",
		"acme/kairos.spec": "extends: nothing\n",
	})
	o := local.Options{File: "kairos.spec", Context: ".", Arch: "amd64", Contexts: map[string]string{"acme": "acme"}, Texts: map[string][]byte{
		filepath.Join(dir, "kairos.spec"):         []byte("extends: ./base.spec\nversion: v1.0.0\ncloudConfig: user.yaml\n"),
		filepath.Join(dir, "base.spec"):           []byte("extends: acme\n"),
		filepath.Join(dir, "acme", "kairos.spec"): []byte("extends: debian-12\n"),
		filepath.Join(dir, "user.yaml"):           []byte("#cloud-config\n"),
	}}
	p, doc, err := local.Resolve(t.Context(), o)
	require.NoError(t, err)
	_, err = local.Check(t.Context(), p, o)
	require.NoError(t, err)

	var paths []string
	for _, src := range doc.Sources {
		path, _ := o.Path(src)
		paths = append(paths, path)
	}
	assert.Equal(t, []string{"kairos.spec", "base.spec", filepath.Join("acme", "kairos.spec"), ""}, paths)
	path, ok := o.Path(nil)
	assert.True(t, ok)
	assert.Equal(t, "kairos.spec", path)
	_, ok = o.Path(&specs.Source{Name: "none.yaml"})
	assert.False(t, ok)

	// What no disk has is no file of a build yet.
	require.NoError(t, os.Remove("user.yaml"))
	_, err = local.Check(t.Context(), p, o)
	require.ErrorContains(t, err, `there is no file "user.yaml" in the build context`)
}
