// Package trace records the steps of a build, from BuildKit's status updates, and says what they
// took: as a summary, and as traces for viewers.
package trace

import (
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/flavorkit/flavorkit/llb/graphtext"
)

// Record is what became of a build. It is plain data, and a JSON round trip does not change it.
type Record struct {
	// Name of what was built.
	Name string `json:"name"`
	// Began and Ended limit all runs of steps.
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// Error is why the build failed; empty if it did not.
	Error string `json:"error,omitempty"`
	// Cores is the number of steps that the builder runs at the same time; zero if it is not known.
	// Downloads and exports do not count.
	Cores int `json:"cores,omitempty"`
	// Steps in the order in which BuildKit reported them.
	Steps []Step `json:"steps"`
}

// Step is a vertex of a solve.
type Step struct {
	Digest digest.Digest     `json:"digest"`
	Name   string            `json:"name"`
	Group  *pb.ProgressGroup `json:"group,omitempty"`
	// Inputs are digests of other steps.
	Inputs []digest.Digest `json:"inputs,omitempty"`
	// Runs are in order of time. BuildKit may look for a step in the cache first and run it later.
	Runs   []Run `json:"runs,omitempty"`
	Cached bool  `json:"cached,omitempty"`
	// Error of the step; empty if it did not fail.
	Error string `json:"error,omitempty"`
	// Bytes that were transferred, as far as BuildKit reports them.
	Bytes int64 `json:"bytes,omitempty"`
	// Log is the end of its output.
	Log string `json:"log,omitempty"`
}

// Run is a time in which BuildKit worked on a step.
type Run struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Duration of the run.
func (r Run) Duration() time.Duration { return r.End.Sub(r.Start) }

// State is what became of a step.
type State string

// The states.
const (
	Ran      State = "ran"
	Cached   State = "cached"
	Failed   State = "failed"
	Canceled State = "canceled"
	// Unused steps were not needed, because what uses them was cached or another step failed.
	Unused State = "not needed"
)

// State returns what became of the step.
func (s Step) State() State {
	switch {
	case strings.HasSuffix(s.Error, "context canceled"):
		return Canceled
	case s.Error != "":
		return Failed
	case s.Cached:
		return Cached
	case len(s.Runs) == 0:
		return Unused
	default:
		return Ran
	}
}

// Duration is the time of all runs.
func (s Step) Duration() time.Duration {
	var sum time.Duration
	for _, r := range s.Runs {
		sum += r.Duration()
	}
	return sum
}

// Duration of the build.
func (r Record) Duration() time.Duration { return r.Ended.Sub(r.Began) }

// Inputs returns the numbers of the steps that each step takes. BuildKit does not say what an export
// takes: a step without inputs that no other uses takes the last step that ended before it began.
func (r Record) Inputs() [][]int {
	numbers := map[digest.Digest]int{}
	for i, s := range r.Steps {
		numbers[s.Digest] = i
	}
	inputs := make([][]int, len(r.Steps))
	used := map[int]bool{}
	for i, s := range r.Steps {
		for _, in := range s.Inputs {
			if n, ok := numbers[in]; ok && !slices.Contains(inputs[i], n) {
				inputs[i] = append(inputs[i], n)
				used[n] = true
			}
		}
	}
	for i, s := range r.Steps {
		if used[i] || len(s.Inputs) > 0 || len(s.Runs) == 0 {
			continue
		}
		last := -1
		for n, other := range r.Steps {
			if len(other.Runs) > 0 && !other.end().After(s.Runs[0].Start) && (last < 0 || other.end().After(r.Steps[last].end())) {
				last = n
			}
		}
		if last >= 0 && last != i {
			inputs[i] = []int{last}
		}
	}
	return inputs
}

// end of a step that ran.
func (s Step) end() time.Time { return s.Runs[len(s.Runs)-1].End }

// Picture returns the steps that share a line of the progress output as one, inputs first.
func (r Record) Picture() []graphtext.Step {
	vertices := map[digest.Digest]graphtext.Vertex{}
	used := map[digest.Digest]bool{}
	for i, from := range r.Inputs() {
		s := r.Steps[i]
		v := graphtext.Vertex{Name: s.Name, Group: s.Group}
		for _, in := range from {
			v.Inputs = append(v.Inputs, r.Steps[in].Digest)
			used[r.Steps[in].Digest] = true
		}
		vertices[s.Digest] = v
	}
	var roots []digest.Digest
	for _, s := range r.Steps {
		if !used[s.Digest] {
			roots = append(roots, s.Digest)
		}
	}
	return graphtext.Picture(vertices, roots)
}
