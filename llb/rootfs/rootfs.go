// Package rootfs merges the layers into the root filesystem, and makes the layers that are neither
// packages, kernel nor components.
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
	// State is the whole root filesystem. It can be built only if its checks pass.
	State llb.State
	// unchecked is the same, for steps that run in parallel with the checks.
	unchecked llb.State
	// checks are empty states. They can be built only if the root filesystem follows the contract
	// and its kernel fits.
	checks []llb.State
	// Userland is only the distribution with its packages.
	Userland llb.State
	// Loader has the EFI programs of the plan: the userland, another distribution, or copies of its
	// programs.
	Loader llb.State
	// lender is the distribution that has the EFI programs.
	lender llb.State
	// Kernel has the layers of the kernel.
	Kernel kernel.Kernel
	// source is what a published image boots with; nil for a system of a distribution.
	source *found
}

// Build makes the root filesystem of a plan.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan) (*RootFS, error) {
	if p.Source != nil {
		return fromSource(ctx, g, p)
	}
	components, err := buildComponents(ctx, g, p)
	if err != nil {
		return nil, err
	}
	userlandStage := g.Stage(p.Userland.Distro+"/userland", p.At(key.Packages))
	userland, err := distro.Install(ctx, g, userlandStage, p, p.Userland.Install, "userland")
	if err != nil {
		return nil, err
	}
	if userland, err = distro.Keep(ctx, g, userlandStage, p, p.Userland.Install, userland); err != nil {
		return nil, err
	}
	if userland, err = distro.Trust(ctx, g, userlandStage, p, p.Userland.Install, userland); err != nil {
		return nil, err
	}
	layers := []llb.State{userland}
	lender, loader := userland, userland
	if from := p.Userland.Loader.From; from != nil {
		if lender, err = distro.Install(ctx, g, loaderStage(g, p), p, *from, "loader"); err != nil {
			return nil, err
		}
	}
	if p.Userland.Loader.From != nil || len(p.Userland.Loader.Copies) > 0 {
		loader = loaderLayer(g, p, lender)
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
	brought, err := specLayers(ctx, g, p, userland)
	if err != nil {
		return nil, err
	}
	layers = append(layers, brought...)
	preloaded, err := preloadedImages(ctx, g, p)
	if err != nil {
		return nil, err
	}
	layers = append(layers, preloaded...)
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
	r := &RootFS{Userland: userland, Loader: loader, lender: lender, Kernel: k, unchecked: g.Merge(s, "merge the layers", layers...)}
	contract, err := check(ctx, g, p, r)
	if err != nil {
		return nil, err
	}
	fits, err := compat.Check(ctx, g, p, r.unchecked, userland, k.Layer, k.Initramfs)
	if err != nil {
		return nil, err
	}
	r.checks = []llb.State{contract, fits}
	small, limited, err := checkSize(ctx, g, p, r)
	if err != nil {
		return nil, err
	}
	if limited {
		r.checks = append(r.checks, small)
	}
	r.State = r.Derive(g, s, "root filesystem", func(root llb.State) llb.State { return root })
	return r, nil
}

// Derive makes something from the root filesystem in parallel with the checks, and gates the
// result: it can be used only if the checks pass. The vertex of the gate is called "checked " plus
// what.
func (r *RootFS) Derive(g *graph.Graph, s graph.Stage, what string, from func(root llb.State) llb.State) llb.State {
	return g.Require(s, "checked "+what, from(r.unchecked), r.checks...)
}

// FoundLoaders returns what a published image starts from, which its plan does not know: in /loaders
// shim and GRUB under their names in EFI/BOOT, in /config the directory in which this GRUB looks for
// its configuration. ok is false if the plan knows.
func (r *RootFS) FoundLoaders() (state llb.State, ok bool) {
	if r.source == nil {
		return llb.State{}, false
	}
	return r.source.loaders, true
}

// NetworkInitramfs returns a state with an initramfs in /boot that can use a network, gated like
// the root filesystem.
func (r *RootFS) NetworkInitramfs(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
	if r.source != nil {
		return r.source.networkInitramfs(g, p, r.State), nil
	}
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
