package integration

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/releasetest"
)

// TestKubernetesRelease downloads k3s from its URL in the catalog, and then a newer version: the
// rest of the image does not change.
func TestKubernetesRelease(t *testing.T) {
	t.Parallel()
	const size = 8 << 20 // of a program that does not compress
	const publisher = "https://github.com/k3s-io/k3s/releases/download/"
	var releases []releasetest.Release
	for _, version := range []string{"v1.34.1+k3s1", "v1.34.2+k3s1"} {
		program := make([]byte, size)
		_, err := rand.Read(program)
		require.NoError(t, err)
		releases = append(releases, releasetest.StandIn(t, publisher+version+"/sha256sum-amd64.txt", "k3s", program))
	}
	server := releasetest.Serve(t, releases...)

	layers := func(version string) map[string]int64 {
		o := options(t, map[string]string{"kairos.spec": debianSpec + "variant: standard\nkubernetes: {version: " + version + "}\n" +
			"components: {" + from(server, component(t, "k3s")) + "}\n"})
		o.Contexts = standardContexts(t)
		delete(o.Contexts, "k3s")
		r := watch(&o)
		archive := image(t, embedded(t), o)
		assert.Contains(t, r.ran(), "[component/k3s] verify and unpack k3s")
		layers := map[string]int64{}
		for _, l := range manifest(t, archive, arch).Layers {
			layers[l.Digest.String()] = l.Size
		}
		return layers
	}
	before, after := layers("v1.34.1+k3s1"), layers("v1.34.2+k3s1")
	var pulled int64
	for digest, size := range after {
		if _, ok := before[digest]; !ok {
			pulled += size
		}
	}
	assert.Greater(t, pulled, int64(size))
	assert.Less(t, pulled, int64(size*11/10), "a machine pulls little more than k3s")
}
