package graph

import (
	"strconv"
	"sync"

	"github.com/moby/buildkit/client/llb"
)

// Explain tells what the exit code of a step says about the spec; nil when it
// says nothing.
type Explain func(exitCode uint32) error

// explainKey of a vertex's description leads to the explanation of its
// failures. A description is no part of what a vertex is cached by.
const explainKey = "flavorkit.explain"

// explanations are those of all steps of a graph. Steps may be made side by
// side.
type explanations struct {
	mu  sync.Mutex
	all []Explain
}

// add registers an explanation with the step that the option is given to.
func (e *explanations) add(explain Explain) llb.ConstraintsOpt {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, explain)
	return llb.WithDescription(map[string]string{explainKey: strconv.Itoa(len(e.all) - 1)})
}

// Explain tells what the exit code of a failed vertex says about the spec; nil
// when it says nothing. The metadata are those of the vertex in the definition
// that was made of the graph.
func (g *Graph) Explain(vertex llb.OpMetadata, exitCode uint32) error {
	g.explanations.mu.Lock()
	defer g.explanations.mu.Unlock()
	i, err := strconv.Atoi(vertex.Description[explainKey])
	if err != nil || i < 0 || i >= len(g.explanations.all) {
		return nil
	}
	return g.explanations.all[i](exitCode)
}
