package frontend_test

import (
	"context"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// anyContext has every named context.
type anyContext struct{ graph.Sources }

func (anyContext) Context(_ context.Context, name string, _ ocispecs.Platform) (llb.State, bool, error) {
	return llb.Local(name, llb.WithCustomName("[context] "+name)), true, nil
}

// TestNamedContextWins shows that a context replaces downloads and the tools.
func TestNamedContextWins(t *testing.T) {
	p := spectest.MustPlan(t, debian, nil, "amd64")
	text := graphtest.Generate(t, p, "iso", func(g *graph.Graph) { g.Sources = anyContext{g.Sources} }).String()
	assert.Contains(t, text, "[component/kairos-agent] copy kairos-agent from the named context kairos-agent")
	assert.NotContains(t, text, "download ")
	assert.NotContains(t, text, "[tools] install")
}

func TestContextThatIsNotThere(t *testing.T) {
	p := spectest.MustPlan(t, debian+"components:\n  immucore:\n    context: mine\n", nil, "amd64")
	_, err := graphtest.Try(p, "image")
	require.Error(t, err)
	assert.Equal(t, `kairos.spec:6:14: components.immucore.context: there is no named context "mine"; pass it with --build-context mine=…`, err.Error())
}

// TestArchiveNameOfUrl uses URLs with more than a file name at their end.
func TestArchiveNameOfUrl(t *testing.T) {
	p := spectest.MustPlan(t, debian+"components: {immucore: {url: 'https://x/a/b.tar.gz?token=1/2#x', checksums: 'https://x/s'}}\n", nil, "amd64")
	text := graphtest.Generate(t, p, "image").String()
	assert.Contains(t, text, "run /run/flavorkit/unpack.sh /out /usr/bin/immucore immucore /run/flavorkit/in/b.tar.gz /run/flavorkit/in/checksums.txt")
}

// TestToolsOfForeignBuilder builds and boots an arm64 system on an amd64 builder.
func TestToolsOfForeignBuilder(t *testing.T) {
	g := graphtest.Generate(t, spectest.MustPlan(t, tested, nil, "arm64"), "test")
	for _, v := range g.Vertices() {
		switch {
		case v.Op.GetExec() == nil:
		case strings.HasPrefix(v.Name, "[tools] "), strings.HasPrefix(v.Name, "[test] "), strings.HasPrefix(v.Name, "[debian-12/directories] "), v.Name == "[rootfs] check the root filesystem":
			assert.Equal(t, "amd64", v.Op.Platform.Architecture, v.Name)
		case v.Name[:5] == "[debi":
			assert.Equal(t, "arm64", v.Op.Platform.Architecture, v.Name)
		}
	}
}
