// Package rootfs puts the layers together, in order, into the root filesystem
// of a system, and holds the layers that are neither packages, kernel nor
// component.
package rootfs

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"golang.org/x/sync/errgroup"

	"github.com/flavorkit/flavorkit/llb/compat"
	"github.com/flavorkit/flavorkit/llb/component"
	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/kernel"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// RootFS is a root filesystem and the parts that artifacts are made from.
type RootFS struct {
	// State is the whole root filesystem. It can be built only when its checks
	// pass.
	State llb.State
	// unchecked is the same, for steps that run beside the checks.
	unchecked llb.State
	// checks are empty, and can be built only when the root filesystem is what
	// the contract asks for, and its kernel fits it.
	checks []llb.State
	// Userland is the distribution with its packages alone.
	Userland llb.State
	// Loader holds the EFI programs of the plan: the userland, or what lends
	// them to it.
	Loader llb.State
	// Kernel are the kernel's own layers.
	Kernel kernel.Kernel
}

// Build makes the root filesystem of a plan.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan) (*RootFS, error) {
	components, err := buildComponents(ctx, g, p)
	if err != nil {
		return nil, err
	}
	userlandStage := g.Stage(p.Userland.Distro+"/userland", p.At(key.Packages))
	userland, err := distro.Install(ctx, userlandStage, p.Userland.Install, "userland")
	if err != nil {
		return nil, err
	}
	layers := []llb.State{userland}
	loader := userland
	if from := p.Userland.Loader.From; from != nil {
		if loader, err = loaderLayer(ctx, g, p, *from); err != nil {
			return nil, err
		}
		layers = append(layers, loader)
	}
	k, err := kernel.Build(ctx, g, p, components)
	if err != nil {
		return nil, err
	}
	layers = append(layers, k.Layer, k.Initramfs.Layer)
	for _, c := range p.Components {
		layers = append(layers, components[c.Name])
	}
	system, err := systemLayer(g, p)
	if err != nil {
		return nil, err
	}
	layers = append(layers, system)
	files, ok, err := filesLayer(ctx, g, p)
	if err != nil {
		return nil, err
	}
	if ok {
		layers = append(layers, files)
	}
	dirs, err := dirsLayer(ctx, g, p, userland)
	if err != nil {
		return nil, err
	}
	layers = append(layers, dirs, releaseLayer(g, p))

	s := g.Stage("rootfs", p.At(key.Extends))
	r := &RootFS{Userland: userland, Loader: loader, Kernel: k, unchecked: g.Merge(s, "put the layers together", layers...)}
	contract, err := check(ctx, g, p, r)
	if err != nil {
		return nil, err
	}
	fits, err := compat.Check(ctx, g, p, r.unchecked, userland, k.Layer, k.Initramfs)
	if err != nil {
		return nil, err
	}
	r.checks = []llb.State{contract, fits}
	r.State = r.Derive(g, s, "root filesystem", func(root llb.State) llb.State { return root })
	return r, nil
}

// Derive makes something of the root filesystem while it is being checked, and
// gates the result: nothing is made of that before the checks have passed. The
// vertex of the gate is called "checked" and what.
func (r *RootFS) Derive(g *graph.Graph, s graph.Stage, what string, from func(root llb.State) llb.State) llb.State {
	return g.Require(s, "checked "+what, from(r.unchecked), r.checks...)
}

// NetworkInitramfs is a state with an initramfs in /boot that can use a network,
// gated as the root filesystem is.
func (r *RootFS) NetworkInitramfs(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
	made, err := r.Kernel.NetworkInitramfs(g, p)
	if err != nil {
		return llb.State{}, err
	}
	fits, err := compat.Check(ctx, g, p, r.unchecked, r.Userland, r.Kernel.Layer, made)
	if err != nil {
		return llb.State{}, err
	}
	return g.Require(g.Stage("netboot", p.At(key.Artifacts)), "checked initramfs", made.Layer, fits), nil
}

func buildComponents(ctx context.Context, g *graph.Graph, p *plan.Plan) (map[string]llb.State, error) {
	states := make([]llb.State, len(p.Components))
	eg, ctx := errgroup.WithContext(ctx)
	for i, c := range p.Components {
		eg.Go(func() (err error) {
			states[i], err = component.Build(ctx, g, p, c)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	byName := map[string]llb.State{}
	for i, c := range p.Components {
		byName[c.Name] = states[i]
	}
	return byName, nil
}
