// Package graphtest generates and inspects graphs for tests.
package graphtest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// Graph is a graph with the definition that it was read from.
type Graph struct {
	graphtext.Graph
	Definition *llb.Definition
}

// Generate makes the graph of a target for a daemon with all features, with the places in the spec.
// Options change the environment.
func Generate(t testing.TB, p *plan.Plan, target string, options ...func(*graph.Graph)) Graph {
	t.Helper()
	g, err := Try(p, target, options...)
	require.NoError(t, err)
	return g
}

// Try is Generate for plans that may have no graph.
func Try(p *plan.Plan, target string, options ...func(*graph.Graph)) (Graph, error) {
	ctx := context.Background()
	cat, err := spectest.Builtin()
	if err != nil {
		return Graph{}, err
	}
	env := local.Graph(p, cat, nil)
	maps := map[*specs.Source]*llb.SourceMap{}
	var mu sync.Mutex // components are generated side by side
	env.Locate = func(r specs.Range) llb.ConstraintsOpt {
		mu.Lock()
		defer mu.Unlock()
		if maps[r.Source] == nil {
			maps[r.Source] = llb.NewSourceMap(nil, r.Source.Name, "YAML", r.Source.Data)
		}
		return maps[r.Source].Location([]*pb.Range{{
			Start: &pb.Position{Line: int32(r.Start.Line)}, End: &pb.Position{Line: int32(r.End.Line)},
		}})
	}
	for _, o := range options {
		o(env)
	}
	state, err := frontend.Generate(ctx, env, p, target)
	if err != nil {
		return Graph{}, err
	}
	// Directories of the client are identified by session; a test has none.
	def, err := state.Marshal(ctx, llb.Platform(env.Target), llb.LocalUniqueID("test"))
	if err != nil {
		return Graph{}, err
	}
	text, err := graphtext.Of(def)
	return Graph{text, def}, err
}

// Vertex is a step of a graph.
type Vertex struct {
	Name string
	Op   *pb.Op
	Meta llb.OpMetadata
	// Located is true if it has a place in the spec.
	Located bool
}

// Vertices are all steps of a graph, by name.
func (g Graph) Vertices() []Vertex {
	var all []Vertex
	for d, op := range g.Ops {
		if op.Op == nil {
			continue // the pointer to the result
		}
		meta := g.Metadata[d]
		located := g.Definition.Source.Locations[d.String()]
		all = append(all, Vertex{
			Name: meta.Description["llb.customname"], Op: op, Meta: meta,
			Located: located != nil && len(located.Locations) > 0,
		})
	}
	slices.SortFunc(all, func(a, b Vertex) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Changed returns the names of the vertices of other that are not in g: those that a build of other
// would run after a build of g.
func (g Graph) Changed(other Graph) []string {
	names := []string{}
	for d, op := range other.Ops {
		if g.Ops[d] == nil && op.Op != nil {
			names = append(names, other.Metadata[d].Description["llb.customname"])
		}
	}
	slices.Sort(names)
	return names
}
