// Package graph has what the other packages share: the environment that a graph is generated for,
// and stages, which give vertices their names, progress groups and positions in the spec.
package graph

import (
	"context"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// DefaultEpoch is the time of all files in a result if SOURCE_DATE_EPOCH is not set: the first day
// that FAT can store, which zip tools use too.
func DefaultEpoch() time.Time {
	return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
}

// Sources returns the states that a graph starts from. The frontend gets them through the gateway,
// which applies named contexts and source policies.
type Sources interface {
	// Image returns a container image, or the named context that replaces it.
	Image(ctx context.Context, ref string, platform ocispecs.Platform) (llb.State, error)
	// Blobs returns the blobs of a container image for the platform of a stage, or those of the named
	// context that replaces it.
	Blobs(ctx context.Context, s Stage, ref string) (Blobs, error)
	// Context returns a named context; ok is false if there is none with the name.
	Context(ctx context.Context, name string, platform ocispecs.Platform) (state llb.State, ok bool, err error)
	// Names are those of all named contexts, sorted.
	Names() []string
	// Files returns the files of a named context that the plan uses, or those of the build context,
	// which has no name.
	Files(ctx context.Context, name string) (llb.State, error)
}

// Caps are the features of the daemon that a graph depends on.
type Caps struct {
	// Merge is false on Docker's old image store (pb.CapMergeOp).
	Merge bool
	// Diff came with Merge (pb.CapDiffOp).
	Diff bool
	// Passthrough came with BuildKit 0.31 (pb.CapPassthroughOp).
	Passthrough bool
}

// CapsOf returns the features of a daemon.
func CapsOf(set apicaps.CapSet) Caps {
	return Caps{
		Merge:       set.Supports(pb.CapMergeOp) == nil,
		Diff:        set.Supports(pb.CapDiffOp) == nil,
		Passthrough: set.Supports(pb.CapPassthroughOp) == nil,
	}
}

// Graph is the environment that a graph is generated for.
type Graph struct {
	Sources Sources
	// Overlays are the sets of files of the catalog.
	Overlays catalog.Overlays
	Caps     Caps
	// Lock has the exact packages and downloads; nil for the newest ones.
	Lock *lock.File
	// Snapshots are where else a file may be that a distribution's archive had on a day.
	Snapshots func(distro, address, day string) []string
	// Lost counts, by the digest of a download, the URLs that do not have it any more.
	Lost map[digest.Digest]int
	// Bundle has what would be downloaded; nil for none.
	Bundle *Bundle
	// Target is the platform of the system, Build that of the builder.
	Target, Build ocispecs.Platform
	// Several is true when the build is for more than one platform.
	Several bool
	// Epoch is the time of all files in the result.
	Epoch time.Time
	// CacheNamespace is a prefix for the ids of cache mounts.
	CacheNamespace string
	// NoCache reports whether a stage must run again; nil for none.
	NoCache func(stage string) bool
	// Locate sets the place in the spec of a vertex; nil for no places.
	Locate func(specs.Range) llb.ConstraintsOpt
	// Network is the mode of the steps with network.
	Network pb.NetMode
	// RunOptions apply to all steps: limits, hosts, proxy.
	RunOptions []llb.RunOption

	explanations explanations
}

// Context returns a named context for the target platform. If there is none, the error points at the
// key of the spec that names it.
func (g *Graph) Context(ctx context.Context, p *plan.Plan, k key.Key, name string) (llb.State, error) {
	state, ok, err := g.Sources.Context(ctx, name, g.Target)
	if err != nil {
		return llb.State{}, errors.Wrapf(err, "read the named context %s", name)
	}
	if !ok {
		hint := "pass it with --build-context " + name + "=…"
		if names := g.Sources.Names(); len(names) > 0 {
			hint += "; the build has " + strings.Join(names, ", ")
		}
		return llb.State{}, p.Diagnose(rules.ContextNotFound, k, hint, "there is no named context %q", name)
	}
	return state, nil
}

// Merge merges layers, the last one on top: with MergeOp if the daemon has it, otherwise by
// copying.
func (g *Graph) Merge(s Stage, title string, layers ...llb.State) llb.State {
	if g.Caps.Merge {
		return llb.Merge(layers, s.layerOptions(title)...)
	}
	merged := layers[0]
	for _, layer := range layers[1:] {
		merged = s.File(merged, title, llb.Copy(layer, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true}))
	}
	return merged
}

// Diff returns what a state has that the one it was made from does not have, at the same paths, with
// owners and hard links. What was deleted is not in it. It needs Caps.Diff.
func (g *Graph) Diff(s Stage, title string, from, made llb.State) llb.State {
	return llb.Diff(from, made, s.layerOptions(title)...)
}

// Require gates a state: it can be built only if the other states can. It does not change the
// state. The others must be empty.
func (g *Graph) Require(s Stage, title string, state llb.State, empty ...llb.State) llb.State {
	if len(empty) == 0 {
		return state
	}
	if !g.Caps.Passthrough {
		return g.Merge(s, title, append([]llb.State{state}, empty...)...)
	}
	inputs := []llb.PassthroughInput{{State: state, Output: true}}
	for _, e := range empty {
		inputs = append(inputs, llb.PassthroughInput{State: e})
	}
	return state.WithOutput(llb.NewPassthroughOp(title, inputs, s.options(title)...).Output())
}
