package integration

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestPreloaded has container images in a system, one from a registry and one that a named context
// replaces, and imports them as k3s does: with the library of containerd.
func TestPreloaded(t *testing.T) {
	t.Parallel()
	layout := testkit.Base(t, "debian-12", arch)
	ref := testkit.Registry(t).PushLayout(layout, "acme/app:v1")
	const given = "example.com/acme/app:v2"
	o := options(t, map[string]string{"kairos.spec": debianSpec + "variant: standard\nimages: ['" + ref + "', '" + given + "']\n"})
	o.Contexts = standardContexts(t)
	o.Contexts[given] = "oci-layout://" + layout
	watch(&o)
	root := rootArchive(t, o)

	roots := map[string]digest.Digest{}
	for _, name := range []string{ref, given} {
		const dir = "var/lib/rancher/k3s/agent/images/"
		file := filepath.Join(t.TempDir(), "image.tar")
		ask(t, "", "sh", "-c", `tar -xOf "$1" "$2" >"$3"`, "sh", root, dir+strings.NewReplacer("/", "_", ":", "_", "@", "_").Replace(name)+".tar", file)
		f, err := os.Open(file)
		require.NoError(t, err)
		defer f.Close()
		store, err := local.NewStore(t.TempDir())
		require.NoError(t, err)
		index, err := archive.ImportIndex(t.Context(), store, f)
		require.NoError(t, err)

		// What the machine needs is there: all blobs of its platform.
		blobs := 0
		handler := images.FilterPlatforms(images.ChildrenHandler(store), platforms.OnlyStrict(ocispecs.Platform{OS: "linux", Architecture: arch}))
		require.NoError(t, images.Walk(t.Context(), images.HandlerFunc(func(ctx context.Context, d ocispecs.Descriptor) ([]ocispecs.Descriptor, error) {
			if at := d.Annotations["io.containerd.image.name"]; at != "" {
				assert.Equal(t, name, at)
				roots[name] = d.Digest
			}
			blobs++
			data, err := content.ReadBlob(ctx, store, d)
			require.NoError(t, err)
			assert.Equal(t, d.Digest, digest.FromBytes(data))
			return handler.Handle(ctx, d)
		}), index))
		assert.GreaterOrEqual(t, blobs, 4, "the index of the archive, the manifest, the configuration and a layer")
	}
	require.Len(t, roots, 2)
	assert.Equal(t, roots[ref], roots[given], "both are the same image")
}
