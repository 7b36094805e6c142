// Package netboot makes the files to boot machines over HTTP.
package netboot

import (
	"context"
	_ "embed"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/cmdline"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

//go:embed netboot.sh
var netbootText []byte

func netbootScript() graph.Script {
	return graph.Script{Name: "netboot.sh", Text: netbootText, Beside: []graph.Script{artifact.ChecksumLibrary()}}
}

// Build makes the files for a web server (contract 3.6): kernel, initramfs, squashfs and an iPXE
// script that loads them.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	toolsStage, image, err := artifact.Tools(ctx, g, p, p.ISO.Tools)
	if err != nil {
		return llb.State{}, err
	}
	initramfs, err := r.NetworkInitramfs(ctx, g, p)
	if err != nil {
		return llb.State{}, err
	}
	s := g.Stage("netboot", p.At(key.Artifacts)).On(toolsStage.Platform())
	env := g.EpochEnv()
	if env["FLAVORKIT_CMDLINE"], err = cmdline.IPXE(p, p.CommandLine.Network); err != nil {
		return llb.State{}, err
	}
	return s.Run(image, graph.Command{
		Title:  "write " + p.File + ".ipxe",
		Script: netbootScript(),
		Args:   []string{"/in", "/out", p.File},
		Env:    env,
		Mounts: []llb.RunOption{
			llb.AddMount("/in/squashfs", artifact.Squashfs(g, p, s, image, r), llb.Readonly),
			llb.AddMount("/in/kernel", r.Kernel.Layer, llb.SourcePath("/boot"), llb.Readonly),
			llb.AddMount("/in/initramfs", initramfs, llb.SourcePath("/boot"), llb.Readonly),
		},
	}).AddMount("/out", llb.Scratch()), nil
}
