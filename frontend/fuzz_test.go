package frontend_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// FuzzPlan takes specs that load and resolve: each must have a graph, and the same one every time.
func FuzzPlan(f *testing.F) {
	for _, seed := range append(spectest.Seeds(), rich) {
		f.Add(seed)
	}
	files := spectest.Files{"base.spec": "extends: debian-12\n", "context:acme/kairos.spec": "extends: debian-12\n"}
	f.Fuzz(func(t *testing.T, spec string) {
		p, err := spectest.Plan(spec, files, "amd64")
		if err != nil {
			var found specs.Diagnostics
			if !errors.As(err, &found) {
				t.Fatalf("not a mistake of the spec: %v", err)
			}
			return
		}
		withContexts := func(g *graph.Graph) { g.Sources = anyContext{g.Sources} }
		first, err := graphtest.Try(p, "iso", withContexts)
		if err != nil {
			t.Fatalf("a right spec has no graph: %v", err)
		}
		again, err := graphtest.Try(p, "iso", withContexts)
		if err != nil || !slices.EqualFunc(first.Definition.Def, again.Definition.Def, bytes.Equal) {
			t.Errorf("another graph the second time: %v", err)
		}
	})
}
