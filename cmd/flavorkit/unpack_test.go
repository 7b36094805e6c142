package main

import (
	"archive/tar"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dataImage is an OCI layout with an image that holds a disk.
func dataImage(t *testing.T) string {
	t.Helper()
	files, archive := t.TempDir(), filepath.Join(t.TempDir(), "layer.tar")
	require.NoError(t, os.WriteFile(filepath.Join(files, "disk.raw"), []byte("disk"), 0o600))
	f, err := os.Create(archive)
	require.NoError(t, err)
	w := tar.NewWriter(f)
	require.NoError(t, w.AddFS(os.DirFS(files)))
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	layer, err := tarball.LayerFromFile(archive)
	require.NoError(t, err)
	image, err := mutate.AppendLayers(empty.Image, layer)
	require.NoError(t, err)
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, path.AppendImage(image))
	return dir
}

func TestUnpack(t *testing.T) {
	image := dataImage(t)
	t.Chdir(t.TempDir())
	for _, c := range []commandLine{
		{line: "unpack", code: exitUsage, stderr: "flavorkit: accepts between 1 and 2 arg(s), received 0\nSee"},
		{line: "unpack none.tar", code: exitFailed, stderr: "flavorkit: stat none.tar: no such file or directory\n"},
		{line: "unpack " + image + " --progress loud", code: exitUsage, stderr: `progress "loud" is none of auto, plain, tty, rawjson, quiet`},
		{line: "unpack " + image + " --progress quiet", stdout: "wrote 1 file of 4B into .\n"},
		{line: "unpack " + image, code: exitFailed, stderr: "write disk.raw: disk.raw exists; use --force to replace it\n"},
		{line: "unpack " + image + " --progress quiet --force", stdout: "wrote 1 file of 4B into .\n"},
		{line: "unpack " + image + " new/dir --progress quiet", stdout: "wrote 1 file of 4B into new/dir\n"},
	} {
		t.Run(c.line, c.run)
	}
	disk, err := os.ReadFile("new/dir/disk.raw")
	require.NoError(t, err)
	assert.Equal(t, "disk", string(disk))

	code, _, stderr := flavorkit(t.Context(), "unpack", image, "other")
	assert.Zero(t, code)
	assert.Contains(t, stderr, " unpack the layer sha256:")
	assert.Contains(t, stderr, " DONE ")
}
