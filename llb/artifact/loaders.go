package artifact

import (
	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
)

// LoaderMounts mounts shim and GRUB in /loaders. Beside it, /loaders.config has the directory of the
// configuration of a GRUB that the plan does not know.
func LoaderMounts(g *graph.Graph, p *plan.Plan, s graph.Stage, r *rootfs.RootFS) []llb.RunOption {
	if found, ok := r.FoundLoaders(); ok {
		return []llb.RunOption{
			llb.AddMount("/loaders", found, llb.SourcePath("/loaders"), llb.Readonly),
			llb.AddMount("/loaders.config", found, llb.SourcePath("/config"), llb.Readonly),
		}
	}
	return []llb.RunOption{llb.AddMount("/loaders", loaders(g, p, s, r), llb.Readonly)}
}

// loaders returns shim and GRUB under their names in EFI/BOOT. Without a shim, the firmware starts
// GRUB.
func loaders(g *graph.Graph, p *plan.Plan, s graph.Stage, r *rootfs.RootFS) llb.State {
	l := p.Userland.Loader
	follow := &llb.CopyInfo{FollowSymlinks: true, CreatedTime: &g.Epoch}
	if l.Shim == "" {
		return s.File(llb.Scratch(), "take GRUB", llb.Copy(r.Loader, l.Grub, "/"+l.Default, follow))
	}
	return s.File(llb.Scratch(), "copy shim and GRUB",
		llb.Copy(r.Loader, l.Shim, "/"+l.Default, follow).Copy(r.Loader, l.Grub, "/"+l.GrubName, follow))
}
