package rootfs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPreloadedArchive imports an archive as containerd does in k3s and k0s, and finds the image by its
// names.
func TestPreloadedArchive(t *testing.T) {
	blobs := t.TempDir()
	put := func(data []byte) ocispecs.Descriptor {
		d := digest.FromBytes(data)
		require.NoError(t, os.WriteFile(filepath.Join(blobs, d.Encoded()), data, 0o600))
		return ocispecs.Descriptor{Digest: d, Size: int64(len(data))}
	}
	layer := put([]byte("a layer"))
	layer.MediaType = ocispecs.MediaTypeImageLayerGzip
	config := put([]byte(`{"architecture":"amd64","os":"linux"}`))
	config.MediaType = ocispecs.MediaTypeImageConfig
	text, err := json.Marshal(ocispecs.Manifest{MediaType: ocispecs.MediaTypeImageManifest, Config: config, Layers: []ocispecs.Descriptor{layer}})
	require.NoError(t, err)
	root := put(text)
	root.MediaType = ocispecs.MediaTypeImageManifest

	ref := "acme/a:v1@" + root.Digest.String()
	entries, err := layoutFiles(ref, root)
	require.NoError(t, err)
	layout := t.TempDir()
	for _, e := range entries {
		require.NoError(t, os.WriteFile(filepath.Join(layout, e.Path), e.Data, 0o644))
	}
	script := filepath.Join(t.TempDir(), "preloaded.sh")
	require.NoError(t, os.WriteFile(script, preloadedScript, 0o755))
	pack := func() []byte {
		out := t.TempDir()
		cmd := exec.Command("sh", script, out, "/var/lib/images/a.tar", blobs, layout)
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=315532800", "LC_ALL=C")
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, string(said))
		data, err := os.ReadFile(filepath.Join(out, "var/lib/images/a.tar"))
		require.NoError(t, err)
		return data
	}
	data := pack()
	require.NoError(t, os.Chmod(filepath.Join(blobs, layer.Digest.Encoded()), 0o640))
	assert.Equal(t, data, pack(), "mode and time of the blobs do not matter")

	file := filepath.Join(t.TempDir(), "a.tar")
	require.NoError(t, os.WriteFile(file, data, 0o644))
	f, err := os.Open(file)
	require.NoError(t, err)
	defer func() { assert.NoError(t, f.Close()) }()
	store, err := local.NewStore(t.TempDir())
	require.NoError(t, err)
	index, err := archive.ImportIndex(t.Context(), store, f)
	require.NoError(t, err)
	stored, err := os.ReadFile(filepath.Join(layout, ocispecs.ImageIndexFile))
	require.NoError(t, err)
	assert.Equal(t, digest.FromBytes(stored), index.Digest)
	for _, d := range []digest.Digest{layer.Digest, config.Digest, root.Digest} {
		_, err := store.Info(t.Context(), d)
		assert.NoError(t, err, d)
	}
	var read ocispecs.Index
	require.NoError(t, json.Unmarshal(stored, &read))
	var names []string
	for _, m := range read.Manifests {
		assert.Equal(t, root.Digest, m.Digest)
		names = append(names, m.Annotations["io.containerd.image.name"])
	}
	assert.Equal(t, []string{"docker.io/acme/a@" + root.Digest.String(), "docker.io/acme/a:v1"}, names)
}

func TestImportNames(t *testing.T) {
	sum := digest.FromString("")
	for ref, want := range map[string]string{
		"nginx":                   "[docker.io/library/nginx:latest]",
		"ghcr.io/acme/a:v1":       "[ghcr.io/acme/a:v1]",
		"a@" + sum.String():       "[docker.io/library/a@" + sum.String() + "]",
		"example.com:5000/a/b:v1": "[example.com:5000/a/b:v1]",
	} {
		names, err := importNames(ref)
		require.NoError(t, err)
		assert.Equal(t, want, fmt.Sprint(names))
	}
	_, err := importNames("A B")
	assert.ErrorContains(t, err, "read the image name A B")
}
