package artifact

import (
	_ "embed"
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
)

//go:embed squashfs.sh
var squashfsScript []byte

// Squashfs is /rootfs.squashfs, which live systems boot from. Beside it, /kernel and /initrd say where
// these two are in it, so that an ISO need not have them twice.
func Squashfs(g *graph.Graph, p *plan.Plan, s graph.Stage, tools llb.State, r *rootfs.RootFS) llb.State {
	args := []string{"/rootfs", "/out", p.ISO.Compression}
	if p.ISO.Level > 0 {
		args = append(args, strconv.Itoa(p.ISO.Level))
	}
	return r.Derive(g, s, "squashfs", func(root llb.State) llb.State {
		return s.Run(tools, graph.Command{
			Title:  "pack the root filesystem with " + p.ISO.Compression,
			Script: graph.Script{Name: "squashfs.sh", Text: squashfsScript},
			Args:   args,
			Env:    g.EpochEnv(),
			// Not read-only: files that align others are added to this step's copy.
			Mounts: []llb.RunOption{llb.AddMount("/rootfs", root)},
		}).AddMount("/out", llb.Scratch())
	})
}
