package rootfs

import (
	"context"
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// loaderLayer are the signed EFI programs of another distribution, at the paths
// they have there: the agent looks for them in those of all distributions
// (contract 1.11).
func loaderLayer(ctx context.Context, g *graph.Graph, p *plan.Plan, from plan.Install) (llb.State, error) {
	s := g.Stage(from.Distro+"/loader", p.At(key.Distro))
	lender, err := distro.Install(ctx, s, from, "loader")
	if err != nil {
		return llb.State{}, err
	}
	var action *llb.FileAction
	files := []string{p.Userland.Loader.Shim, p.Userland.Loader.Grub, p.Userland.Loader.DiskGrub}
	for _, file := range slices.Compact(files) {
		action = action.
			Mkdir(path.Dir(file), 0o755, llb.WithParents(true), llb.WithCreatedTime(g.Epoch)).
			Copy(lender, file, file, &llb.CopyInfo{FollowSymlinks: true, CreatedTime: &g.Epoch})
	}
	return s.File(llb.Scratch(), "take shim and GRUB", action), nil
}
