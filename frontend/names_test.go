package frontend

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNameApart checks that the names of an entry's own steps contain its name, and that the steps
// stay the same.
func TestNameApart(t *testing.T) {
	named := func(name string) []llb.ConstraintsOpt {
		return []llb.ConstraintsOpt{llb.WithCustomName(name), llb.ProgressGroup(name, name, false)}
	}
	build := func(version string) *system {
		st := llb.Scratch().File(llb.Mkdir("/etc", 0o755), named("[userland] lay out")...).
			File(llb.Mkfile("/etc/version", 0o644, []byte(version)), named("[release] version")...).
			File(llb.Mkfile("/script", 0o755, []byte(version)), llb.WithCustomName("[internal] script"), llb.ProgressGroup("scripts", "[internal] load", false))
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
	assert.ElementsMatch(t, []string{"[userland] lay out", "[release] version", "[internal] script"}, got, "nothing to tell it from")

	Entries{{Name: "a"}, {Name: "b"}}.nameApart([]*system{a, b})
	for entry, s := range map[string]*system{"a": a, "b": b} {
		got, groups := names(s)
		assert.ElementsMatch(t, []string{"[userland] lay out", "[" + entry + " release] version", "[internal] script"}, got)
		assert.ElementsMatch(t, []string{"[userland] lay out", "[" + entry + " release] version", "[internal] load"}, groups)
	}
	assert.Equal(t, before.definition.Def, a.definition.Def, "the vertices are the same")
}
