package frontend

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/specs"
)

// TestNameApart checks that the names of an entry's own steps contain its name, except those of layers,
// and that the steps stay the same.
func TestNameApart(t *testing.T) {
	named := func(name string) []llb.ConstraintsOpt {
		return []llb.ConstraintsOpt{llb.WithCustomName(name), llb.ProgressGroup(name, name, false)}
	}
	build := func(version string) *system {
		st := llb.Scratch().File(llb.Mkdir("/etc", 0o755), named("[userland] lay out")...).
			File(llb.Mkfile("/etc/version", 0o644, []byte(version)), named("[release] version")...).
			File(llb.Mkfile("/script", 0o755, []byte(version)), llb.WithCustomName("[internal] script"), llb.ProgressGroup("scripts", "[internal] load", false))
		g := &graph.Graph{Caps: graph.Caps{Merge: true}}
		st = g.Merge(g.Stage("rootfs", specs.Range{}), "merge", st, llb.Scratch().File(llb.Mkdir("/opt", 0o755), named("[layer] make")...))
		def, err := st.Marshal(t.Context())
		require.NoError(t, err)
		return &system{definition: def}
	}
	names := func(s *system) (names, groups []string) {
		for _, m := range s.definition.Metadata {
			if name := m.Description[customName]; name != "" {
				names, groups = append(names, name), append(groups, m.ProgressGroup.Name)
			}
		}
		return names, groups
	}
	a, b, before := build("a"), build("b"), build("a")

	Entries{{Name: "alone"}}.nameApart([]*system{a})
	got, _ := names(a)
	assert.ElementsMatch(t, []string{"[userland] lay out", "[release] version", "[internal] script", "[layer] make", "[rootfs] merge"}, got, "nothing to tell it from")

	Entries{{Name: "a"}, {Name: "b"}}.nameApart([]*system{a, b})
	for entry, s := range map[string]*system{"a": a, "b": b} {
		got, groups := names(s)
		assert.ElementsMatch(t, []string{"[userland] lay out", "[" + entry + " release] version", "[internal] script", "[layer] make", "[rootfs] merge"}, got)
		assert.ElementsMatch(t, []string{"[userland] lay out", "[" + entry + " release] version", "[internal] load", "[layer] make", "[" + entry + " rootfs] merge"}, groups)
	}
	assert.Equal(t, before.definition.Def, a.definition.Def, "the vertices are the same")
}

// TestLayersOfPlatforms has the same names of layers in builds for one platform and for several.
func TestLayersOfPlatforms(t *testing.T) {
	for several, group := range map[bool]string{false: "[rootfs] take", true: "[linux/arm64 rootfs] take"} {
		arm64 := ocispecs.Platform{OS: "linux", Architecture: "arm64"}
		g := &graph.Graph{Caps: graph.Caps{Merge: true, Diff: true}, Several: several, Target: arm64, Build: ocispecs.Platform{OS: "linux", Architecture: "amd64"}}
		s := g.Stage("rootfs", specs.Range{})
		base := s.File(llb.Scratch(), "take", llb.Mkdir("/etc", 0o755))
		opt := g.Diff(s, "take", base, s.File(base, "take", llb.Mkdir("/opt", 0o755)))
		def, err := g.Merge(s, "take", base, opt).Marshal(t.Context())
		require.NoError(t, err)
		layers := 0
		for _, m := range def.Metadata {
			if graph.IsLayer(m) {
				layers++
				assert.Equal(t, "[rootfs] take", m.Description[customName])
				assert.Equal(t, group, m.ProgressGroup.Name)
			}
		}
		assert.Equal(t, 4, layers)
	}
}
