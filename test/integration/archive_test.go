package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"
)

// manifest reads the manifest of the image for an architecture in an OCI archive.
func manifest(t *testing.T, archive, arch string) ocispecs.Manifest {
	t.Helper()
	blobs := smallFiles(t, archive)
	descriptors := []ocispecs.Descriptor{}
	var index ocispecs.Index
	require.NoError(t, json.Unmarshal(blobs["index.json"], &index))
	for _, d := range index.Manifests {
		if d.MediaType != ocispecs.MediaTypeImageIndex {
			descriptors = append(descriptors, d)
			continue
		}
		var inner ocispecs.Index
		require.NoError(t, json.Unmarshal(blobs[blob(d)], &inner))
		descriptors = append(descriptors, inner.Manifests...)
	}
	at := slices.IndexFunc(descriptors, func(d ocispecs.Descriptor) bool {
		return d.Platform == nil || d.Platform.Architecture == arch
	})
	require.GreaterOrEqual(t, at, 0, "%s holds no image for %s", archive, arch)
	var m ocispecs.Manifest
	require.NoError(t, json.Unmarshal(blobs[blob(descriptors[at])], &m))
	var config ocispecs.Image
	require.NoError(t, json.Unmarshal(blobs[blob(m.Config)], &config))
	require.Equal(t, arch, config.Architecture)
	return m
}

func blob(d ocispecs.Descriptor) string { return "blobs/sha256/" + d.Digest.Encoded() }

// smallFiles reads the files of a tar archive that are not layers.
func smallFiles(t *testing.T, archive string) map[string][]byte {
	t.Helper()
	f, err := os.Open(archive)
	require.NoError(t, err)
	defer f.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		if h.Size < 1<<20 {
			var data bytes.Buffer
			_, err = io.Copy(&data, r)
			require.NoError(t, err)
			files[h.Name] = data.Bytes()
		}
	}
}
