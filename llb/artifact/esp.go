package artifact

import (
	_ "embed"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
)

//go:embed esp.sh
var espLibrary []byte

// ESP is the script library that makes EFI system partitions.
func ESP() graph.Script { return graph.Script{Name: "esp.sh", Text: espLibrary} }

// Loaders are shim and GRUB under the names that they get in EFI/BOOT.
func Loaders(g *graph.Graph, p *plan.Plan, s graph.Stage, r *rootfs.RootFS) llb.State {
	l := p.Userland.Loader
	follow := &llb.CopyInfo{FollowSymlinks: true, CreatedTime: &g.Epoch}
	return s.File(llb.Scratch(), "take shim and GRUB",
		llb.Copy(r.Loader, l.Shim, "/"+l.Default, follow).Copy(r.Loader, l.Grub, "/"+l.GrubName, follow))
}
