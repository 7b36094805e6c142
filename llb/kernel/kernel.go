// Package kernel makes the stage of the kernel: vmlinuz, modules and firmware from one
// distribution, the donor, and the initramfs for that kernel, made with the donor's tools. Neither
// depends on the userland.
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
)

//go:embed *.sh
var scripts embed.FS

// script returns a script of flavorkit.
func script(name string) (graph.Script, error) {
	text, err := scripts.ReadFile(name)
	return graph.Script{Name: name, Text: text}, err
}

// tools has the scripts of the initramfs tools. Each takes the directory with our configuration,
// the file to make, the file to list its contents in, and the commands that must be there.
func tools() map[string]string {
	return map[string]string{"dracut": "dracut.sh", "mkinitfs": "mkinitfs.sh"}
}

// Kernel has the layers of a kernel.
type Kernel struct {
	// Layer has /boot/vmlinuz*, the modules and the firmware.
	Layer llb.State
	// Initramfs is that of the system.
	Initramfs Initramfs

	// Donor is the stage that the kernel is installed in and that makes the initramfs.
	Donor llb.State
	// components that the initramfs may need, by name.
	components map[string]llb.State
}

// Initramfs is an initramfs with its contents.
type Initramfs struct {
	// Layer has /boot/initrd.
	Layer llb.State
	// Network is true if it can use a network.
	Network bool
	// Manifest has /initrd.list: the paths inside the initramfs, one per line.
	Manifest llb.State
}

// Build makes the layers of the plan's kernel. Components are the layers of the programs for the
// initramfs, by name.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan, components map[string]llb.State) (Kernel, error) {
	s := g.Stage(p.Kernel.Distro+"/kernel", p.At(key.Kernel))
	donor, err := distro.Install(ctx, g, s, p, p.Kernel.Install, "kernel")
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
	modules, err := script("modules.sh")
	if err != nil {
		return Kernel{}, err
	}
	export.Beside = []graph.Script{modules}
	env := g.EpochEnv()
	maps.Copy(env, omitEnv(p.Kernel.Omit, false))
	layer := s.Run(donor, graph.Command{
		Title:  "extract vmlinuz, modules and firmware",
		Script: export,
		Args:   args,
		Env:    env,
	}).AddMount("/out", llb.Scratch())

	k := Kernel{Layer: layer, Donor: donor, components: components}
	k.Initramfs, err = k.initramfs(g, p, p.Kernel.Initramfs.Network)
	return k, err
}

// NetworkInitramfs makes an initramfs that can use a network, for netboot. It is that of the system
// if that has a network.
func (k Kernel) NetworkInitramfs(g *graph.Graph, p *plan.Plan) (Initramfs, error) {
	if p.Kernel.Initramfs.Network {
		return k.Initramfs, nil
	}
	return k.initramfs(g, p, true)
}

// Trees returns device trees of the kernel, by file name, from or below directories of the stage that
// it was installed in. Both have wildcards of the shell.
func (k Kernel) Trees(g *graph.Graph, p *plan.Plan, names, directories []string) (llb.State, error) {
	trees, err := script("trees.sh")
	if err != nil {
		return llb.State{}, err
	}
	env := g.EpochEnv()
	env["FLAVORKIT_TREES"] = strings.Join(directories, "\n")
	return g.Stage(p.Kernel.Distro+"/kernel", p.At(key.Model)).Run(k.Donor, graph.Command{
		Title:  "take the device trees of the kernel",
		Script: trees,
		Args:   append([]string{"/out"}, names...),
		Env:    env,
	}).AddMount("/out", llb.Scratch()), nil
}

// adopt copies a custom kernel into the donor's stage, to the paths that a kernel package would
// use.
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

// ownKernel returns the image or the named context with the custom kernel.
func ownKernel(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan) (llb.State, error) {
	own := p.Kernel.Own
	if own.Image != "" {
		return s.Image(ctx, own.Image)
	}
	return g.Context(ctx, p, key.KernelContext, own.Context)
}

// initramfs makes an initramfs for the kernel, with or without a network.
func (k Kernel) initramfs(g *graph.Graph, p *plan.Plan, network bool) (Initramfs, error) {
	with := p.Kernel.Initramfs
	tool, ok := tools()[with.Tool]
	if !ok {
		return Initramfs{}, errors.Errorf("unknown initramfs tool %q", with.Tool)
	}
	makeScript, err := script(tool)
	if err != nil {
		return Initramfs{}, err
	}
	shared, err := script("initramfs.sh")
	if err != nil {
		return Initramfs{}, err
	}
	modules, err := script("modules.sh")
	if err != nil {
		return Initramfs{}, err
	}
	makeScript.Beside = []graph.Script{shared, modules}
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
		c, program, ok := p.Program(name)
		if !ok {
			return Initramfs{}, errors.Errorf("the initramfs needs the component %s, which is not in the plan", name)
		}
		// A program that is one of several gets its own name here, so the tools need not follow links.
		mounts = append(mounts, llb.AddMount(program, k.components[c.Name], llb.SourcePath(c.Install), llb.Readonly))
	}
	env := g.EpochEnv()
	maps.Copy(env, omitEnv(with.Omit, network))
	run := s.Run(k.Donor, graph.Command{
		Title:  title,
		Script: makeScript,
		Args:   append([]string{overlayDir, "/out/boot/initrd", "/manifest/initrd.list"}, toolArgs(p.Needs[catalog.NeedInitramfsTools])...),
		Env:    env,
		Mounts: mounts,
	})
	return Initramfs{Network: network, Layer: run.AddMount("/out", llb.Scratch()), Manifest: run.AddMount("/manifest", llb.Scratch())}, nil
}

// omitEnv returns the modules to leave out, for the scripts.
func omitEnv(classes []plan.ModuleClass, network bool) map[string]string {
	var paths, keep []string
	for _, class := range classes {
		if !network || !class.Network {
			paths, keep = append(paths, class.Paths...), append(keep, class.Keep...)
		}
	}
	return map[string]string{"FLAVORKIT_OMIT": strings.Join(paths, "\n"), "FLAVORKIT_KEEP": strings.Join(keep, "\n")}
}

// toolArgs returns the commands that the stage must have, for the scripts.
func toolArgs(tools plan.Reasons) []string {
	var args []string
	for _, names := range slices.Sorted(maps.Keys(tools)) {
		args = append(args, names+"\t"+tools[names])
	}
	return args
}
