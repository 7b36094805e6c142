package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/specs"
)

// target is something that --target can ask for.
type target struct {
	name, description string
	generate          func(context.Context, *graph.Graph, *plan.Plan, *rootfs.RootFS) (llb.State, error)
}

// targets are all that can be asked for; the first is the default.
func targets() []target {
	return []target{
		{"image", "OCI image, to push, to upgrade machines from, and to make artifacts of", image},
		{"iso", "bootable live and installer medium, for BIOS and EFI", artifact.ISO},
	}
}

func image(_ context.Context, _ *graph.Graph, _ *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	return r.State, nil
}

func targetByName(name string) (target, error) {
	all := targets()
	if name == "" {
		return all[0], nil
	}
	names := make([]string, len(all))
	for i, t := range all {
		if t.name == name {
			return t, nil
		}
		names[i] = t.name
	}
	return target{}, errors.Errorf("unknown target %q; %s", name, specs.Suggest(name, names))
}

// state generates the graph of the target.
func (t target) state(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
	fs, err := rootfs.Build(ctx, g, p)
	if err != nil {
		return llb.State{}, err
	}
	return t.generate(ctx, g, p, fs)
}

// Generate makes the graph of a target, by name, without a build request.
func Generate(ctx context.Context, g *graph.Graph, p *plan.Plan, name string) (llb.State, error) {
	t, err := targetByName(name)
	if err != nil {
		return llb.State{}, err
	}
	return t.state(ctx, g, p)
}
