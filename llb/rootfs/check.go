package rootfs

import (
	"context"
	_ "embed"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

//go:embed check.sh
var checkScript []byte

// check holds the root filesystem to the contract (its section 7, and what a
// first boot needs). The state is empty, and building it fails with the names
// of all checks that failed.
func check(ctx context.Context, g *graph.Graph, p *plan.Plan, r *RootFS) (llb.State, error) {
	s := g.Stage("rootfs", p.At(key.Extends)).On(g.Build)
	tools, err := s.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	const list = graph.ScriptDir + "/checks"
	checks := s.File(llb.Scratch(), "list what is checked", g.Tree([]tree.Entry{tree.File("/checks", []byte(checkList(p)))}))
	return s.Run(tools, graph.Command{
		Title:  "check the root filesystem",
		Script: graph.Script{Name: "check.sh", Text: checkScript, Beside: []graph.Script{look.Script()}},
		Args:   []string{"/rootfs", list, "/userland"},
		Mounts: []llb.RunOption{
			llb.AddMount("/rootfs", r.unchecked, llb.Readonly),
			llb.AddMount("/userland", r.Userland, llb.Readonly),
			llb.AddMount(list, checks, llb.SourcePath("/checks"), llb.Readonly),
		},
	}).AddMount("/out", llb.Scratch()), nil
}

// checkList is one check a line: its kind and what it is about.
func checkList(p *plan.Plan) string {
	var b strings.Builder
	add := func(kind string, values ...string) {
		for _, v := range values {
			b.WriteString(kind + " " + v + "\n")
		}
	}
	needs := p.Needs[catalog.NeedCommands]
	for _, name := range p.Checks.Commands {
		if _, needed := needs[name]; !needed {
			add("command", name)
		}
	}
	for _, names := range slices.Sorted(maps.Keys(needs)) {
		add("need", names+"\t"+needs[names])
	}
	add("program", p.Checks.Programs...)
	for _, v := range p.Release {
		add("release", v.Name)
	}
	add("file", p.Userland.Loader.Shim, p.Userland.Loader.Grub, p.Userland.Loader.DiskGrub)
	add("init", p.System.Init)
	add("mask", p.System.Mask...)
	return b.String()
}
