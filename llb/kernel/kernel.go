// Package kernel makes the stage that donates a kernel: vmlinuz, modules and
// firmware from one distribution, and the initramfs for exactly that kernel,
// made where the kernel's own tools are. Neither depends on the userland.
package kernel

import (
	"context"
	"embed"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

//go:embed *.sh
var scripts embed.FS

// script reads a script that is part of flavorkit.
func script(name string) (graph.Script, error) {
	text, err := scripts.ReadFile(name)
	return graph.Script{Name: name, Text: text}, err
}

// tools are the scripts of what makes an initramfs. Each takes the directory with
// our configuration, the file to make, the file to list its content in, and the
// commands that must be there.
func tools() map[string]string {
	return map[string]string{"dracut": "dracut.sh", "mkinitfs": "mkinitfs.sh"}
}

// Kernel are the layers of a kernel.
type Kernel struct {
	// Layer holds /boot/vmlinuz*, the modules and the firmware.
	Layer llb.State
	// Initramfs is that of the system.
	Initramfs Initramfs

	// donor is the stage that the initramfs is made in, with components by name.
	donor      llb.State
	components map[string]llb.State
}

// Initramfs is an initramfs and what is known of it.
type Initramfs struct {
	// Layer holds /boot/initrd.
	Layer llb.State
	// Network tells that it can use a network.
	Network bool
	// Manifest holds /initrd.list: the paths inside the initramfs, one a line.
	Manifest llb.State
}

// Build makes the layers of the plan's kernel. Components are the layers of
// the programs that go into the initramfs, by name.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan, components map[string]llb.State) (Kernel, error) {
	s := g.Stage(p.Kernel.Distro+"/kernel", p.At(key.Kernel))
	donor, err := distro.Install(ctx, s, p.Kernel.Install, "kernel")
	if err != nil {
		return Kernel{}, err
	}
	if p.Kernel.Own != nil {
		if donor, err = adopt(ctx, g, s, p, donor); err != nil {
			return Kernel{}, err
		}
	}
	export, err := script("export.sh")
	if err != nil {
		return Kernel{}, err
	}
	args := []string{"/out", p.Userland.Real("/lib")}
	if p.Kernel.CompressModules {
		args = append(args, "zstd")
	}
	layer := s.Run(donor, graph.Command{
		Title:  "take out vmlinuz, modules and firmware",
		Script: export,
		Args:   args,
		Env:    g.EpochEnv(),
	}).AddMount("/out", llb.Scratch())

	k := Kernel{Layer: layer, donor: donor, components: components}
	k.Initramfs, err = k.initramfs(g, p, p.Kernel.Initramfs.Network)
	return k, err
}

// NetworkInitramfs makes an initramfs that can use a network, for netboot. It is
// that of the system when the plan asks for a network there.
func (k Kernel) NetworkInitramfs(g *graph.Graph, p *plan.Plan) (Initramfs, error) {
	if p.Kernel.Initramfs.Network {
		return k.Initramfs, nil
	}
	return k.initramfs(g, p, true)
}

// adopt puts the user's own kernel into the stage of the donor, so that all
// that follows finds it where a package would have put it.
func adopt(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, donor llb.State) (llb.State, error) {
	own, err := ownKernel(ctx, g, s, p)
	if err != nil {
		return llb.State{}, err
	}
	adopt, err := script("adopt.sh")
	if err != nil {
		return llb.State{}, err
	}
	const source = graph.ScriptDir + "/kernel"
	return s.Run(donor, graph.Command{
		Title:  "take in the kernel of the spec",
		Script: adopt,
		Args:   []string{source},
		Mounts: []llb.RunOption{llb.AddMount(source, own, llb.Readonly)},
	}).Root(), nil
}

// ownKernel is the image or the named context that holds the user's kernel.
func ownKernel(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan) (llb.State, error) {
	own := p.Kernel.Own
	if own.Image != "" {
		return s.Image(ctx, own.Image)
	}
	state, ok, err := g.Sources.Context(ctx, own.Context, g.Target)
	if err != nil {
		return llb.State{}, errors.Wrapf(err, "read the named context %s", own.Context)
	}
	if !ok {
		return llb.State{}, p.Diagnose(rules.ContextNotFound, key.KernelContext, "pass it with --build-context "+own.Context+"=…", "there is no named context %q", own.Context)
	}
	return state, nil
}

// initramfs makes an initramfs for the kernel, with or without a network.
func (k Kernel) initramfs(g *graph.Graph, p *plan.Plan, network bool) (Initramfs, error) {
	with := p.Kernel.Initramfs
	tool, ok := tools()[with.Tool]
	if !ok {
		return Initramfs{}, errors.Errorf("no tool called %q makes an initramfs", with.Tool)
	}
	makeScript, err := script(tool)
	if err != nil {
		return Initramfs{}, err
	}
	shared, err := script("initramfs.sh")
	if err != nil {
		return Initramfs{}, err
	}
	makeScript.Beside = []graph.Script{shared}
	const overlayDir = graph.ScriptDir + "/overlay"
	s := g.Stage(p.Kernel.Distro+"/initramfs", p.At(key.Kernel))
	overlays, title := []string{with.Overlay}, "make the initramfs with "+with.Tool
	if network {
		overlays, title = append(overlays, with.NetworkOverlay), "make an initramfs with a network with "+with.Tool
	}
	files, err := g.Overlays.Files(overlays...)
	if err != nil {
		return Initramfs{}, err
	}
	mounts := []llb.RunOption{
		llb.AddMount(overlayDir, s.File(llb.Scratch(), "configure "+with.Tool, g.Tree(files)), llb.Readonly),
	}
	for _, name := range with.Components {
		c, ok := p.Component(name)
		if !ok {
			return Initramfs{}, errors.Errorf("the initramfs needs the component %s, which the plan lacks", name)
		}
		mounts = append(mounts, llb.AddMount(c.Install, k.components[name], llb.SourcePath(c.Install), llb.Readonly))
	}
	env := g.EpochEnv()
	maps.Copy(env, omitEnv(with.Omit, network))
	run := s.Run(k.donor, graph.Command{
		Title:  title,
		Script: makeScript,
		Args:   append([]string{overlayDir, "/out/boot/initrd", "/manifest/initrd.list"}, toolArgs(p.Needs[catalog.NeedInitramfsTools])...),
		Env:    env,
		Mounts: mounts,
	})
	return Initramfs{Network: network, Layer: run.AddMount("/out", llb.Scratch()), Manifest: run.AddMount("/manifest", llb.Scratch())}, nil
}

// omitEnv are the modules to leave out, as the scripts read them.
func omitEnv(classes []plan.ModuleClass, network bool) map[string]string {
	var paths, keep []string
	for _, class := range classes {
		if !network || !class.Network {
			paths, keep = append(paths, class.Paths...), append(keep, class.Keep...)
		}
	}
	return map[string]string{"FLAVORKIT_OMIT": strings.Join(paths, "\n"), "FLAVORKIT_KEEP": strings.Join(keep, "\n")}
}

// toolArgs are the commands that the stage must have, as the scripts read them.
func toolArgs(tools plan.Reasons) []string {
	var args []string
	for _, names := range slices.Sorted(maps.Keys(tools)) {
		args = append(args, names+"\t"+tools[names])
	}
	return args
}
