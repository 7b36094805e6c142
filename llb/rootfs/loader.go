package rootfs

import (
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// loaderStage is the stage of the signed EFI programs.
func loaderStage(g *graph.Graph, p *plan.Plan) graph.Stage {
	name := p.Userland.Distro
	if from := p.Userland.Loader.From; from != nil {
		name = from.Distro
	}
	return g.Stage(name+"/loader", p.At(key.Distro))
}

// loaderLayer returns the signed EFI programs of another distribution, or of one whose packages
// have them elsewhere, at paths in which the agent looks (contract 1.11).
func loaderLayer(g *graph.Graph, p *plan.Plan, lender llb.State) llb.State {
	var action *llb.FileAction
	l := p.Userland.Loader
	files := []string{l.Shim, l.Grub, l.DiskGrub}
	for _, file := range slices.Compact(files) {
		info := &llb.CopyInfo{FollowSymlinks: true, CreatedTime: &g.Epoch}
		from, copied := l.Copies[file]
		if copied {
			// The check fails if there is none, or more than one.
			info.AllowWildcard, info.AllowEmptyWildcard = true, true
		} else {
			from = file
		}
		action = action.
			Mkdir(path.Dir(file), 0o755, llb.WithParents(true), llb.WithCreatedTime(g.Epoch)).
			Copy(lender, from, file, info)
	}
	return loaderStage(g, p).File(llb.Scratch(), "copy shim and GRUB", action)
}
