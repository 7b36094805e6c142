package inspect_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/internal/layercache"
	"github.com/flavorkit/flavorkit/test/registrytest"
)

// TestPulled upgrades a machine with a cache of layers from one image to another: the registry sends as
// many bytes of layers as the comparison of the images says.
func TestPulled(t *testing.T) {
	reg := registrytest.New(t)
	layered := func(layers ...v1.Layer) v1.Image {
		img, err := mutate.AppendLayers(image(t, "amd64", kairos()), layers...)
		require.NoError(t, err)
		return img
	}
	same, old, changed := registrytest.Archive(t, "same", 300<<10), registrytest.Archive(t, "old", 200<<10), registrytest.Archive(t, "new", 210<<10)
	reg.Write(t, "os:v1", layered(same, old))
	reg.Write(t, "os:v2", layered(same, changed))

	read := func(tag string) *inspect.Report {
		r, err := inspect.Read(t.Context(), reg.Addr()+"/os:"+tag, inspect.Options{Arch: "amd64"})
		require.NoError(t, err)
		return r
	}
	said := inspect.Compare(read("v1"), read("v2")).Layers
	require.NotNil(t, said)
	assert.Equal(t, 1, said.New)

	cache, err := layercache.New(layercache.Options{Dir: t.TempDir(), Size: 1 << 30})
	require.NoError(t, err)
	defer cache.Close()
	server := httptest.NewServer(cache)
	defer server.Close()
	pull := func(tag string) (blobs int64) {
		reg.Reset()
		ref, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/" + reg.In("os:"+tag))
		require.NoError(t, err)
		img, err := remote.Image(ref)
		require.NoError(t, err)
		r := mutate.Extract(img) // as the agent does
		_, err = io.Copy(io.Discard, r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		blobs, _ = reg.Reset()
		return blobs
	}
	pull("v1")
	assert.Equal(t, said.NewSize, pull("v2"))
	assert.Zero(t, pull("v1"), "back to the old version")
}
