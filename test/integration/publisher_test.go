package integration

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/releasetest"
)

// component is an entry of the catalog.
func component(t testing.TB, name string) *catalog.Component {
	t.Helper()
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	require.Contains(t, cat.Components, name)
	return cat.Components[name]
}

// fileOf returns the name of a component's file at its publisher.
func fileOf(c *catalog.Component) string {
	return path.Base(c.Expand(c.URL, c.Version, arch))
}

// release returns a substitute for the release of a component.
func release(t testing.TB, c *catalog.Component, program []byte) releasetest.Release {
	t.Helper()
	return releasetest.StandIn(t, c.Expand(c.Checksums, c.Version, arch), cmp.Or(c.Program, c.Name), program)
}

// from returns the entry of a spec for a component on a server, with the URLs of the catalog on
// that server.
func from(s *releasetest.Server, c *catalog.Component) string {
	return fmt.Sprintf("%s: {url: '%s', checksums: '%s'}", c.Name, s.At(c.URL), s.At(c.Checksums))
}

// TestComponentDownload downloads all programs of the standard variant from their URLs in the
// catalog.
func TestComponentDownload(t *testing.T) {
	t.Parallel()
	contexts := standardContexts(t)
	var components []*catalog.Component
	var releases []releasetest.Release
	for _, name := range []string{"edgevpn", "immucore", "k3s", "kairos-agent", "provider-kairos"} {
		program, err := os.ReadFile(filepath.Join(contexts[name], name))
		require.NoError(t, err)
		delete(contexts, name)
		c := component(t, name)
		components = append(components, c)
		releases = append(releases, release(t, c, program))
	}
	server := releasetest.Serve(t, releases...)
	var entries, ran []string
	for _, c := range components {
		entries = append(entries, from(server, c))
		ran = append(ran, "[component/"+c.Name+"] verify and unpack "+fileOf(c))
	}
	o := options(t, map[string]string{"kairos.spec": debianSpec + "variant: standard\ncomponents: {" + strings.Join(entries, ", ") + "}\n"})
	o.Contexts = contexts
	for _, c := range components { // another test may have unpacked the same file
		o.NoCacheStages = append(o.NoCacheStages, "component/"+c.Name)
	}
	r := watch(&o)
	image(t, embedded(t), o)
	assert.Subset(t, r.ran(), ran)
}

// TestComponentSecret downloads a program from a server that asks for a token, which nothing has that
// is left of the build.
func TestComponentSecret(t *testing.T) {
	t.Parallel()
	const token, id = "Bearer t0ken-of-the-publisher", "agent-downloads"
	all := contexts(t)
	program, err := os.ReadFile(filepath.Join(all["kairos-agent"], "kairos-agent"))
	require.NoError(t, err)
	delete(all, "kairos-agent")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != token {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(program)
	}))
	defer server.Close()
	o := options(t, map[string]string{"kairos.spec": debianSpec + fmt.Sprintf(
		"components: {kairos-agent: {url: %s/agent, sha256: {%s: %x}, secret: %s}}\n", server.URL, arch, sha256.Sum256(program), id)})
	o.Contexts = all
	o.NoCacheStages = []string{"component/kairos-agent"}
	c := embedded(t)

	_, err = solve.Build(t.Context(), c, o)
	require.ErrorContains(t, err, `the build has no secret "agent-downloads"; pass it with --secret id=agent-downloads,src=FILE`)
	require.ErrorContains(t, err, "kairos.spec:4:")

	o.Secrets = secretsprovider.FromMap(map[string][]byte{id: []byte("Bearer another")})
	_, err = solve.Build(t.Context(), c, o)
	require.ErrorContains(t, err, "kairos-agent cannot be downloaded: "+server.URL+"/agent: invalid response status 401")

	o.Secrets = secretsprovider.FromMap(map[string][]byte{id: []byte(token)})
	r, began := watch(&o), time.Now()
	archive, provenance, _ := provenanceOf(t, c, o)
	assert.Subset(t, r.ran(), []string{"[component/kairos-agent] verify and unpack agent"})
	assert.NotContains(t, r.log.String(), token)
	assert.NotContains(t, provenance, token)
	assert.Contains(t, provenance, server.URL+"/agent")
	for _, tree := range []string{filepath.Dir(archive), shared.root} { // the layers are in the engine, unpacked
		assert.Empty(t, filesWith(t, tree, token, began), "files with the token")
	}
	assert.NotEmpty(t, filesWith(t, shared.root, server.URL+"/agent", began), "what is no secret is found there")
}
