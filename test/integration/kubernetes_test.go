package integration

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKubernetesRelease takes k3s from its publisher, as the catalog says where,
// and then a newer one: the rest of the image stays as it is.
func TestKubernetesRelease(t *testing.T) {
	const size = 8 << 20 // of a program that does not compress
	releases := map[string][]byte{}
	for _, version := range []string{"v1.34.1+k3s1", "v1.34.2+k3s1"} {
		program := make([]byte, size)
		_, err := rand.Read(program)
		require.NoError(t, err)
		releases["/"+version+"/k3s"] = program
		releases["/"+version+"/sha256sum-amd64.txt"] = []byte(
			strings.Repeat("0", 64) + "  k3s-airgap-images-amd64.tar.gz\n" + sha256Of(program) + "  k3s\n")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := releases[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)

	layers := func(version string) map[string]int64 {
		o := options(t, map[string]string{"kairos.spec": debianSpec + "variant: standard\nkubernetes: {version: " + version + "}\n" +
			"components: {k3s: {url: '" + server.URL + "/{version}/k3s{suffix}', checksums: '" + server.URL + "/{version}/sha256sum-{arch}.txt'}}\n"})
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
