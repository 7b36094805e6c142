package graph

import (
	"strconv"
	"sync"

	"github.com/moby/buildkit/client/llb"
)

// Explain explains the exit code of a step as an error in the spec; nil if it is not about the
// spec.
type Explain func(exitCode uint32) error

// NotFound is the code for a copy of a path that its source does not have. No failed step exits with
// it.
const NotFound uint32 = 0

// explainKey is the key in a vertex's description for the explanation of its failures. A
// description is not part of the cache key.
const explainKey = "flavorkit.explain"

// ExplainFetch explains why a download failed as an error in a file of the user.
type ExplainFetch func(cause error) error

// fetchKey is the key in a vertex's description for the explanation of a failed download.
const fetchKey = "flavorkit.fetch"

// explanations has those of all steps of a graph. Steps may be made concurrently.
type explanations struct {
	mu      sync.Mutex
	all     []Explain
	fetches []Download
}

// add returns an option that registers an explanation with its step.
func (e *explanations) add(explain Explain) llb.ConstraintsOpt {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, explain)
	return llb.WithDescription(map[string]string{explainKey: strconv.Itoa(len(e.all) - 1)})
}

// addFetch returns an option that registers an explanation with a download.
func (e *explanations) addFetch(f Download) llb.ConstraintsOpt {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fetches = append(e.fetches, f)
	return llb.WithDescription(map[string]string{fetchKey: strconv.Itoa(len(e.fetches) - 1)})
}

// Fetch returns the download that a vertex is, if it has an explanation.
func (g *Graph) Fetch(vertex llb.OpMetadata) (f Download, ok bool) {
	g.explanations.mu.Lock()
	defer g.explanations.mu.Unlock()
	i, err := strconv.Atoi(vertex.Description[fetchKey])
	if err != nil || i < 0 || i >= len(g.explanations.fetches) {
		return Download{}, false
	}
	return g.explanations.fetches[i], true
}

// Explain explains the exit code of a failed vertex as an error in the spec; nil if it is not about
// the spec. The metadata is that of the vertex in the definition of the graph.
func (g *Graph) Explain(vertex llb.OpMetadata, exitCode uint32) error {
	g.explanations.mu.Lock()
	defer g.explanations.mu.Unlock()
	i, err := strconv.Atoi(vertex.Description[explainKey])
	if err != nil || i < 0 || i >= len(g.explanations.all) {
		return nil
	}
	return g.explanations.all[i](exitCode)
}
