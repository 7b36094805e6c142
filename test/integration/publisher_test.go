package integration

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
