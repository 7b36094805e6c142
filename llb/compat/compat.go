// Package compat checks that a kernel, its modules, its initramfs and a userland fit each other.
// They may come from different distributions, or from the user, and without the check, problems
// would only appear on the machine.
package compat

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/kernel"
	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

var (
	//go:embed kmod.sh
	kmodScript []byte
	//go:embed compat.sh
	compatScript []byte
	//go:embed compat.awk
	compatProgram []byte
)

// Check checks the parts of a root filesystem against the requirements of the plan. The state is
// empty, and building it fails with a line for each need that is not met, at the line of the spec
// that asked for the first of them.
func Check(ctx context.Context, g *graph.Graph, p *plan.Plan, rootfs, userland, modules llb.State, initramfs kernel.Initramfs) (llb.State, error) {
	s := g.Stage("compat", p.At(key.Kernel)).On(g.Build)
	tools, err := s.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	const list = graph.ScriptDir + "/needs"
	var asked look.Asked
	text := needList(p, initramfs.Network, &asked)
	needs := s.File(llb.Scratch(), "list what kernel and initramfs need", g.Tree([]tree.Entry{tree.File("/needs", []byte(text))}))
	return s.Run(tools, graph.Command{
		Title: "check that kernel, initramfs and userland fit",
		Script: graph.Script{Name: "compat.sh", Text: compatScript, Beside: []graph.Script{
			look.Script(), {Name: "compat.awk", Text: compatProgram},
		}},
		Args:    []string{"/rootfs", "/initramfs", list, "/facts/kmod"},
		Explain: func(code uint32) error { return asked.Explain(p, code) },
		Mounts: []llb.RunOption{
			llb.AddMount("/rootfs", rootfs, llb.Readonly),
			llb.AddMount("/initramfs/boot", initramfs.Layer, llb.SourcePath("/boot"), llb.Readonly),
			llb.AddMount("/initramfs/initrd.list", initramfs.Manifest, llb.SourcePath("/initrd.list"), llb.Readonly),
			llb.AddMount("/facts", kmod(g, p, userland, modules), llb.Readonly),
			llb.AddMount(list, needs, llb.SourcePath("/needs"), llb.Readonly),
		},
	}).AddMount("/out", llb.Scratch()), nil
}

// kmod returns a state with /kmod: what the userland's kmod reads from the modules. It is the only
// part of the check that runs a program of the system, and depends only on userland and kernel.
func kmod(g *graph.Graph, p *plan.Plan, userland, kernel llb.State) llb.State {
	const modules = graph.ScriptDir + "/kernel"
	return g.Stage("compat", p.At(key.Kernel)).Run(userland, graph.Command{
		Title:  "read modules of the kernel with the userland's kmod",
		Script: graph.Script{Name: "kmod.sh", Text: kmodScript},
		Args:   []string{path.Join(modules, p.Userland.Real("/lib"), "modules"), "/out/kmod"},
		Mounts: []llb.RunOption{llb.AddMount(modules, kernel, llb.Readonly)},
	}).AddMount("/out", llb.Scratch())
}

// needList is one need a line, as compat.sh reads it, with those of an initramfs with a network if
// it has one.
func needList(p *plan.Plan, network bool, asked *look.Asked) string {
	more := map[catalog.Category]catalog.Category{}
	if network {
		more[catalog.NeedInitramfsModules], more[catalog.NeedInitramfsFiles] = catalog.NeedNetworkModules, catalog.NeedNetworkFiles
	}
	var b strings.Builder
	source, remedy := origin(p)
	fmt.Fprintf(&b, "source\t%s\nremedy\t%s\narch\t%s\ntool\t%s\n", source, remedy, p.Arch, p.Kernel.Initramfs.Tool)
	if network != p.Kernel.Initramfs.Network {
		b.WriteString("beside\tyes\n") // for netboot
	}
	fmt.Fprintf(&b, "kernel\t%s\nfiles\t%s\n", asked.Code(key.Kernel), asked.Code(key.Files, key.Layers))
	for _, category := range catalog.Categories() {
		switch category {
		case catalog.NeedCommands, catalog.NeedInitramfsTools:
			continue // the check of the root filesystem and the step of the initramfs look for them
		case catalog.NeedNetworkModules, catalog.NeedNetworkFiles:
			continue // beside those of every initramfs
		}
		for _, of := range []catalog.Category{category, more[category]} {
			for _, names := range slices.Sorted(maps.Keys(p.Needs[of])) {
				if _, general := p.Needs[category][names]; general && of != category {
					continue
				}
				fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", category, names, p.Needs[of][names], asked.Code(p.Origin.Asks(of, names)...))
			}
		}
	}
	return b.String()
}

// origin says whose kernel it is, and what to do when it does not fit.
func origin(p *plan.Plan) (source, remedy string) {
	switch own := p.Kernel.Own; {
	case own == nil:
		return p.Kernel.Distro, "choose another kernel, with kernel: {from: …} or kernel: {package: …}"
	case own.Image != "":
		return "the image " + own.Image, "mend the kernel in that image, or choose another"
	default:
		return "the named context " + own.Context, "mend the kernel in that context, or choose another"
	}
}
