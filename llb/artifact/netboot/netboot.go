// Package netboot makes what machines boot from over HTTP.
package netboot

import (
	"context"
	_ "embed"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/artifact"
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

// Build makes the files of a web server (contract 3.6): kernel,
// initramfs, squashfs and an iPXE script that names them.
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
	env["FLAVORKIT_CONSOLE"] = consoles(p)
	env["FLAVORKIT_CMDLINE"] = strings.Join(slices.Concat(p.System.Model.Cmdline, p.System.Cmdline), " ")
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

// consoles are kernel arguments as in the menu of the ISO; of a console that
// the machine lacks nothing comes.
func consoles(p *plan.Plan) string {
	serial := p.System.Model.Console
	if len(serial) == 0 {
		serial = map[string][]string{"amd64": {"ttyS0"}, "arm64": {"ttyAMA0", "ttyS0"}}[p.Arch]
	}
	return "console=" + strings.Join(slices.Concat(serial, []string{"tty1"}), " console=")
}
