package frontend

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNameApart has the name of a cell in the names of its own steps, and the same
// steps as before.
func TestNameApart(t *testing.T) {
	named := func(name string) []llb.ConstraintsOpt {
		return []llb.ConstraintsOpt{llb.WithCustomName(name), llb.ProgressGroup(name, name, false)}
	}
	graph := func(version string) *llb.Definition {
		st := llb.Scratch().File(llb.Mkdir("/etc", 0o755), named("[userland] lay out")...).
			File(llb.Mkfile("/etc/version", 0o644, []byte(version)), named("[release] version")...).
			File(llb.Mkfile("/script", 0o755, []byte(version)), llb.WithCustomName("[internal] script"), llb.ProgressGroup("scripts", "[internal] load", false))
		def, err := st.Marshal(t.Context())
		require.NoError(t, err)
		return def
	}
	names := func(def *llb.Definition) (names, groups []string) {
		for _, m := range def.Metadata {
			if name := m.Description[customName]; name != "" {
				names, groups = append(names, name), append(groups, m.ProgressGroup.Name)
			}
		}
		return names, groups
	}
	a, b, before := graph("a"), graph("b"), graph("a")

	nameApart([]string{"alone"}, []*llb.Definition{a})
	got, _ := names(a)
	assert.ElementsMatch(t, []string{"[userland] lay out", "[release] version", "[internal] script"}, got, "nothing to tell it from")

	nameApart([]string{"a", "b"}, []*llb.Definition{a, b})
	for cell, def := range map[string]*llb.Definition{"a": a, "b": b} {
		got, groups := names(def)
		assert.ElementsMatch(t, []string{"[userland] lay out", "[" + cell + " release] version", "[internal] script"}, got)
		assert.ElementsMatch(t, []string{"[userland] lay out", "[" + cell + " release] version", "[internal] load"}, groups)
	}
	assert.Equal(t, before.Def, a.Def, "the vertices are the same")
}
