package integration

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestComponentImage copies a component from an image in a registry. Any image with a file works:
// here it is that of the frontend.
func TestComponentImage(t *testing.T) {
	t.Parallel()
	registry := testkit.Registry(t)
	ref := registry.PushLayout(testkit.Frontend(t, arch), "acme/agent:v1")
	o := options(t, map[string]string{"kairos.spec": debianSpec + "components: {kairos-agent: {image: '" + ref + "', path: frontend}}\n"})
	delete(o.Contexts, "kairos-agent")
	r := watch(&o)
	solved(t, embedded(t), o)
	assert.Contains(t, r.ran(), "[component/kairos-agent] copy kairos-agent from "+ref)
}

// TestToolsContext replaces the tools with an image that has none: the named context is used, and
// the step that installs the tools does not run.
func TestToolsContext(t *testing.T) {
	t.Parallel()
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	o.Target = "iso"
	o.Contexts["flavorkit-tools"] = o.Contexts["debian:12-slim"]
	r := watch(&o)
	_, err := solve.Build(t.Context(), embedded(t), o)
	require.Error(t, err)
	assert.Regexp(t, `/run/flavorkit/(squashfs|boot)\.sh`, err.Error())
	for _, name := range r.ran() {
		assert.NotContains(t, name, "[tools]")
	}
}

// TestFrontendImage checks the frontend image for a # syntax= line.
func TestFrontendImage(t *testing.T) {
	t.Parallel()
	index, err := layout.ImageIndexFromPath(testkit.Frontend(t, arch))
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, 1)
	image, err := index.Image(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, []string{"/frontend"}, config.Config.Entrypoint)
	assert.Equal(t, "true", config.Config.Labels["moby.buildkit.frontend.network.none"])
	caps := config.Config.Labels["moby.buildkit.frontend.caps"]
	for _, name := range []string{"inputs", "subrequests", "contexts", "gitquerystring", "contexts.zstd"} {
		assert.Contains(t, caps, "moby.buildkit.frontend."+name)
	}
	layers, err := image.Layers()
	require.NoError(t, err)
	assert.Len(t, layers, 1, "one binary on scratch")
}
