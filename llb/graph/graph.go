// Package graph has what the packages of the layers share: the environment of a
// graph, and stages, which give vertices their names, progress groups and
// positions in the spec.
package graph

import (
	"context"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// DefaultEpoch is the time of everything in a result when SOURCE_DATE_EPOCH is
// not set: the first day that FAT can express, which zip tools use too.
var DefaultEpoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Sources are the states that a graph starts from. The frontend answers from
// the gateway, so that named contexts and source policies count.
type Sources interface {
	// Image is a container image, or the named context that replaces it.
	Image(ctx context.Context, ref string, platform ocispecs.Platform) (llb.State, error)
	// Context is a named context; ok is false when there is none of the name.
	Context(ctx context.Context, name string, platform ocispecs.Platform) (state llb.State, ok bool, err error)
	// Files are the files that the plan takes from a named context, or from the
	// build context, which has no name.
	Files(ctx context.Context, name string) (llb.State, error)
}

// Caps are the capabilities of the daemon that a graph depends on.
type Caps struct {
	// Merge is false on Docker's old image store (pb.CapMergeOp).
	Merge bool
	// Passthrough came with BuildKit 0.31 (pb.CapPassthroughOp).
	Passthrough bool
}

// CapsOf reads the capabilities that a daemon offers.
func CapsOf(set apicaps.CapSet) Caps {
	return Caps{
		Merge:       set.Supports(pb.CapMergeOp) == nil,
		Passthrough: set.Supports(pb.CapPassthroughOp) == nil,
	}
}

// Graph is the environment that a graph is generated for.
type Graph struct {
	Sources Sources
	// Overlays are the sets of files of the catalog.
	Overlays catalog.Overlays
	Caps     Caps
	// Target is the platform of the system, Build that of the builder.
	Target, Build ocispecs.Platform
	// Several is true when the build is for more than one platform.
	Several bool
	// Epoch is the time of everything in the result.
	Epoch time.Time
	// CacheNamespace is put before the ids of cache mounts.
	CacheNamespace string
	// NoCache reports the stages that the user wants to run again; nil is none.
	NoCache func(stage string) bool
	// Locate points a vertex at a place in the spec; nil leaves it out.
	Locate func(specs.Range) llb.ConstraintsOpt
	// Network is the mode of the steps with network.
	Network pb.NetMode
	// RunOptions apply to all steps: limits, hosts, proxy.
	RunOptions []llb.RunOption

	explanations explanations
}

// Merge stacks layers, the last on top: with MergeOp if the daemon has it, else by
// copying.
func (g *Graph) Merge(s Stage, title string, layers ...llb.State) llb.State {
	if g.Caps.Merge {
		return llb.Merge(layers, s.options(title)...)
	}
	merged := layers[0]
	for _, layer := range layers[1:] {
		merged = merged.File(llb.Copy(layer, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true}), s.options(title)...)
	}
	return merged
}

// Require gates a state: it can be built only when the other states can. It does
// not change the state. The others must be empty.
func (g *Graph) Require(s Stage, title string, state llb.State, empty ...llb.State) llb.State {
	if !g.Caps.Passthrough {
		return g.Merge(s, title, append([]llb.State{state}, empty...)...)
	}
	inputs := []llb.PassthroughInput{{State: state, Output: true}}
	for _, e := range empty {
		inputs = append(inputs, llb.PassthroughInput{State: e})
	}
	return state.WithOutput(llb.NewPassthroughOp(title, inputs, s.options(title)...).Output())
}
