package rootfs

import (
	"cmp"
	"context"
	_ "embed"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

//go:embed directories.sh
var dirsScript []byte

// dirsLayer has the directories of the userland that are not 0755 or not owned by root, empty. A
// layer contains the parent directories of its files, and the modes in the last layer win. On top
// of the others, this layer restores the mode of a directory such as /etc/ssl/private.
func dirsLayer(ctx context.Context, g *graph.Graph, p *plan.Plan, userland llb.State) (llb.State, error) {
	s := g.Stage(cmp.Or(p.Userland.Distro, "source")+"/directories", p.At(key.Packages)).On(g.Build)
	tools, err := s.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	return s.Run(tools, graph.Command{
		Title:  "restore the modes of the userland's directories",
		Script: graph.Script{Name: "directories.sh", Text: dirsScript},
		Args:   []string{"/userland", "/out"},
		Env:    g.EpochEnv(),
		Mounts: []llb.RunOption{llb.AddMount("/userland", userland, llb.Readonly)},
	}).AddMount("/out", llb.Scratch()), nil
}
