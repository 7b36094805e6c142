package frontend

import (
	"cmp"
	"context"
	"slices"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
)

// Unresolved are the sources of a graph that is looked at and not built. No registry is asked: images
// have their names at their mirrors, without digests. contexts are the names of all named contexts.
func Unresolved(p *plan.Plan, contexts []string) graph.Sources { return unresolved{p, contexts} }

type unresolved struct {
	plan     *plan.Plan
	contexts []string
}

func (u unresolved) Image(_ context.Context, ref string, platform ocispecs.Platform) (llb.State, error) {
	ref = u.plan.MirroredImage(ref)
	return llb.Image(ref, llb.Platform(platform), llb.WithCustomName("[base] "+ref)), nil
}

// Blobs returns a single one: which blobs an image has is written in its registry, which is not asked.
func (u unresolved) Blobs(_ context.Context, stage graph.Stage, ref string) (graph.Blobs, error) {
	name := u.plan.MirroredImage(ref)
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return graph.Blobs{}, err
	}
	unknown := digest.FromString(name)
	from := func(d digest.Digest, opts ...llb.ImageBlobOption) llb.State {
		return llb.ImageBlob(reference.TrimNamed(named).Name()+"@"+d.String(), opts...)
	}
	return graph.Blobs{
		Root:  ocispecs.Descriptor{MediaType: ocispecs.MediaTypeImageManifest, Digest: unknown},
		Files: map[digest.Digest]llb.State{unknown: stage.Blob(from, "download the image "+ref, unknown)},
	}, nil
}

func (u unresolved) Context(_ context.Context, name string, _ ocispecs.Platform) (llb.State, bool, error) {
	return llb.Local(name, llb.WithCustomName("[context "+name+"]")), slices.Contains(u.contexts, name), nil
}

func (u unresolved) Names() []string { return u.contexts }

func (unresolved) Files(_ context.Context, name string) (llb.State, error) {
	name = cmp.Or(name, "context")
	return llb.Local(name, llb.WithCustomName("[internal] load "+name)), nil
}
