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

// check checks the root filesystem against the contract (section 7, and what a first boot needs).
// The state is empty, and building it fails with the names of all failed checks.
func check(ctx context.Context, g *graph.Graph, p *plan.Plan, r *RootFS) (llb.State, error) {
	s := g.Stage("rootfs", p.At(key.Extends)).On(g.Build)
	tools, err := s.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	const list = graph.ScriptDir + "/checks"
	var asked look.Asked
	text := checkList(p, &asked)
	checks := s.File(llb.Scratch(), "list what is checked", g.Tree([]tree.Entry{tree.File("/checks", []byte(text))}))
	mounts := []llb.RunOption{
		llb.AddMount("/rootfs", r.unchecked, llb.Readonly),
		llb.AddMount("/userland", r.Userland, llb.Readonly),
		llb.AddMount(list, checks, llb.SourcePath("/checks"), llb.Readonly),
	}
	args := []string{"/rootfs", list, "/userland"}
	if len(p.Userland.Loader.Copies) > 0 {
		mounts, args = append(mounts, llb.AddMount("/lender", r.lender, llb.Readonly)), append(args, "/lender")
	}
	return s.Run(tools, graph.Command{
		Title:   "check the root filesystem",
		Script:  graph.Script{Name: "check.sh", Text: checkScript, Beside: []graph.Script{look.Script()}},
		Args:    args,
		Explain: func(code uint32) error { return asked.Explain(p, code) },
		Mounts:  mounts,
	}).AddMount("/out", llb.Scratch()), nil
}

// checkList returns one check per line: the exit code for the key of the spec that requires it, its
// kind and its value.
func checkList(p *plan.Plan, asked *look.Asked) string {
	var b strings.Builder
	add := func(keys []key.Key, kind string, values ...string) {
		for _, v := range values {
			b.WriteString(asked.Code(keys...) + " " + kind + " " + v + "\n")
		}
	}
	var flavor []key.Key // required by no key of the spec
	files := []key.Key{key.Files, key.Layers}
	add(files, "files", "")
	add([]key.Key{key.CloudConfig, key.Files, key.Layers}, "cloud-config", "")
	needs := p.Needs[catalog.NeedCommands]
	for _, name := range p.Checks.Commands {
		if _, needed := needs[name]; !needed {
			add(flavor, "command", name)
		}
	}
	for _, names := range slices.Sorted(maps.Keys(needs)) {
		add(p.Origin.Asks(catalog.NeedCommands, names), "need", names+"\t"+needs[names])
	}
	asking := map[string][]key.Key{}
	for _, c := range p.Components {
		asking[c.Install] = c.Keys()
		for _, link := range c.Links {
			asking[link.Path] = c.Keys()
		}
	}
	for _, program := range p.Checks.Programs {
		add(asking[program], "program", program)
	}
	for _, v := range p.Release {
		add(files, "release", v.Name)
	}
	add(flavor, "file", p.Userland.Loader.Shim, p.Userland.Loader.Grub, p.Userland.Loader.DiskGrub)
	for _, file := range slices.Sorted(maps.Keys(p.Userland.Loader.Copies)) {
		add(flavor, "one", p.Userland.Loader.Copies[file])
	}
	init := []key.Key{key.Init}
	add(init, "init", p.System.Init)
	add(init, "mask", p.System.Mask...)
	return b.String()
}
