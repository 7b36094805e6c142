// Package kernel makes the stage that donates a kernel: vmlinuz, modules and
// firmware from one distribution, and the initramfs for exactly that kernel,
// made where the kernel's own tools are. Neither depends on the userland.
package kernel

import (
	"context"
	_ "embed"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/specs/catalog/overlay"
)

var (
	//go:embed export.sh
	exportScript []byte
	//go:embed dracut.sh
	dracutScript []byte
)

// Kernel are the layers of a kernel.
type Kernel struct {
	// Layer holds /boot/vmlinuz*, the modules and the firmware.
	Layer llb.State
	// Initramfs holds /boot/initrd.
	Initramfs llb.State
	// Manifest holds /initrd.list: the paths inside the initramfs, one a line.
	Manifest llb.State
}

// Build makes the layers of the plan's kernel. Components are the layers of
// the programs that go into the initramfs, by name.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan, components map[string]llb.State) (Kernel, error) {
	s := g.Stage(p.Kernel.Distro+"/kernel", p.At("kernel"))
	donor, err := distro.Install(ctx, s, p.Kernel.Install, "kernel")
	if err != nil {
		return Kernel{}, err
	}
	args := []string{"/out", libDir(p.Userland.UsrMerged)}
	if p.Kernel.CompressModules {
		args = append(args, "zstd")
	}
	layer := s.Run(donor, graph.Command{
		Title:  "take out vmlinuz, modules and firmware",
		Script: graph.Script{Name: "export.sh", Text: exportScript},
		Args:   args,
		Env:    g.EpochEnv(),
	}).AddMount("/out", llb.Scratch())

	initramfs, manifest, err := initramfs(g, p, donor, components)
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Layer: layer, Initramfs: initramfs, Manifest: manifest}, nil
}

// libDir is where a userland has its modules and firmware. A layer with a real
// /lib would replace the link of a usr-merged userland.
func libDir(usrMerged bool) string {
	if usrMerged {
		return "/usr/lib"
	}
	return "/lib"
}

func initramfs(g *graph.Graph, p *plan.Plan, donor llb.State, components map[string]llb.State) (initrd, manifest llb.State, err error) {
	if p.Kernel.Initramfs.Tool != "dracut" {
		return initrd, manifest, errors.Errorf("no tool called %q makes an initramfs", p.Kernel.Initramfs.Tool)
	}
	const overlayDir = graph.ScriptDir + "/overlay"
	s := g.Stage(p.Kernel.Distro+"/initramfs", p.At("kernel"))
	files, err := overlay.Files(p.Kernel.Initramfs.Overlay)
	if err != nil {
		return initrd, manifest, err
	}
	mounts := []llb.RunOption{
		llb.AddMount(overlayDir, s.File(llb.Scratch(), "configure "+p.Kernel.Initramfs.Tool, g.Tree(files)), llb.Readonly),
	}
	for _, name := range p.Kernel.Initramfs.Components {
		c, ok := p.Component(name)
		if !ok {
			return initrd, manifest, errors.Errorf("the initramfs needs the component %s, which the plan lacks", name)
		}
		mounts = append(mounts, llb.AddMount(c.Install, components[name], llb.SourcePath(c.Install), llb.Readonly))
	}
	run := s.Run(donor, graph.Command{
		Title:  "make the initramfs with " + p.Kernel.Initramfs.Tool,
		Script: graph.Script{Name: "dracut.sh", Text: dracutScript},
		Args:   []string{overlayDir, "/out/boot/initrd", "/manifest/initrd.list"},
		Env:    g.EpochEnv(),
		Mounts: mounts,
	})
	return run.AddMount("/out", llb.Scratch()), run.AddMount("/manifest", llb.Scratch()), nil
}
