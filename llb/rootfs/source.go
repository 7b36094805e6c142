package rootfs

import (
	"context"
	_ "embed"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

//go:embed source.sh
var sourceScript []byte

// The exit codes of source.sh, which say what it found first.
const (
	exitForeign = 64 + iota
	exitOtherArch
	exitTrusted
	exitBoard
	exitNoKernel
	exitKernels
	exitNoInitramfs
	exitInitramfses
	exitNotLive
	exitOtherKernel
	exitMakers
)

// found is what a published image boots with, which the plan does not know.
type found struct {
	// loaders has shim and GRUB under their names in EFI/BOOT, in /loaders, and in /config the
	// directory in which this GRUB looks for its configuration. It has the empty directory /network
	// if the initramfs can load a system over the network.
	loaders llb.State
}

// fromSource makes the root filesystem of a published image. What the spec adds is laid over it as over
// a system of a distribution.
func fromSource(ctx context.Context, g *graph.Graph, p *plan.Plan) (*RootFS, error) {
	s := g.Stage("source", p.At(key.Source))
	image, err := sourceImage(ctx, g, s, p)
	if err != nil {
		return nil, err
	}
	layer, boot, err := lookAt(ctx, g, s, p, image)
	if err != nil {
		return nil, err
	}
	layers := []llb.State{image, layer}
	brought, err := specLayers(ctx, g, p, image)
	if err != nil {
		return nil, err
	}
	files, ok, err := filesLayer(ctx, g, p)
	if err != nil {
		return nil, err
	}
	layers = append(layers, brought...)
	if ok {
		layers = append(layers, files)
	}
	dirs, err := dirsLayer(ctx, g, p, image)
	if err != nil {
		return nil, err
	}
	root := g.Merge(g.Stage("rootfs", p.At(key.Source)), "merge the layers", append(layers, dirs)...)
	r := &RootFS{State: root, unchecked: root, Userland: image, source: &found{loaders: boot}}
	// The files of the spec may be what a kernel needs, so both are taken out of the whole.
	r.Kernel.Layer = root
	return r, nil
}

// sourceImage returns the published image, if it is for the architecture of the system.
func sourceImage(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan) (llb.State, error) {
	image, err := s.Image(ctx, p.Source.Image)
	if err != nil {
		return llb.State{}, err
	}
	is, err := image.GetPlatform(ctx)
	if err != nil {
		return llb.State{}, errors.Wrap(err, "read the platform of "+p.Source.Image)
	}
	if is != nil && is.Architecture != "" && platforms.Normalize(*is).Architecture != g.Target.Architecture {
		return llb.State{}, otherArch(p, is.Architecture)
	}
	return image, nil
}

// otherArch is the error about an image for another architecture.
func otherArch(p *plan.Plan, is string) error {
	return p.Diagnose(rules.SourceRefused, key.Source, "name an image for "+p.Arch+", or build for the platform of this one with --platform",
		"the image %s is for %s, not for %s", p.Source.Image, is, p.Arch)
}

// lookAt checks an image. The first state has the files to lay over it, the second what it boots with
// (found.loaders).
func lookAt(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, image llb.State) (layer, boot llb.State, err error) {
	tools, err := distro.Install(ctx, g, g.Stage("tools", p.At(key.Source)), p, p.Source.Tools.Install, "tools")
	if err != nil {
		return llb.State{}, llb.State{}, err
	}
	const list = graph.ScriptDir + "/loaders"
	loaders := s.Tree(llb.Scratch(), "list where shim and GRUB may be", []tree.Entry{tree.File("/loaders", loaderList(p.Source))})
	env := g.EpochEnv()
	if p.Version != "" {
		env["FLAVORKIT_VERSION"] = p.Version
	}
	run := s.Run(tools, graph.Command{
		Title:   "look at " + p.Source.Image,
		Script:  graph.Script{Name: "source.sh", Text: sourceScript, Beside: []graph.Script{look.Script()}},
		Args:    append([]string{"/image", "/out/layer", "/out/boot", list, p.Arch}, p.Source.Boards...),
		Env:     env,
		Explain: func(code uint32) error { return unfit(p, code) },
		Mounts: []llb.RunOption{
			llb.AddMount("/image", image, llb.Readonly),
			llb.AddMount(list, loaders, llb.SourcePath("/loaders"), llb.Readonly),
		},
	})
	return run.AddMount("/out/layer", llb.Scratch()), run.AddMount("/out/boot", llb.Scratch()), nil
}

// loaderList is the list of source.sh.
func loaderList(s *plan.Published) []byte {
	var b strings.Builder
	add := func(kind string, l plan.Loader) {
		b.WriteString(strings.Join([]string{kind, l.Shim, l.Grub, l.DiskGrub, l.Default, l.GrubName, l.Config}, "|") + "\n")
	}
	for _, l := range s.Loaders {
		add("image", l)
	}
	add("lent", s.Lent)
	return []byte(b.String())
}

// unfit explains an exit code of source.sh.
func unfit(p *plan.Plan, code uint32) error {
	report := func(hint, message string) error {
		return p.Diagnose(rules.SourceRefused, key.Source, hint, "the image %s %s; the log of the step says more", p.Source.Image, message)
	}
	const rebuild = "build the image again"
	switch code {
	case exitForeign:
		return report("name an image of a system of Kairos; a system of a distribution is built with extends or distro", "is no image of Kairos")
	case exitOtherArch:
		return otherArch(p, "another architecture")
	case exitTrusted:
		return report("name one that boots with GRUB", "is for trusted boot: it has no initramfs, and boots as one signed file")
	case exitBoard:
		return report("build the system of the board from a distribution, with model", "is for a board, whose media have firmware that no image has")
	case exitNoKernel:
		return report("name an image that a machine can boot; images of containers have no kernel", "has no kernel in /boot")
	case exitKernels:
		return report(rebuild+" with one kernel, or with a link /boot/vmlinuz to the one to boot", "has more than one kernel in /boot")
	case exitNoInitramfs:
		return report("name an image that a machine can boot, or "+rebuild+" with an initramfs", "has no initramfs in /boot")
	case exitInitramfses:
		return report(rebuild+" with one initramfs, or with a link /boot/initrd to the one to boot", "has more than one initramfs in /boot")
	case exitNotLive:
		return report(rebuild+" with an initramfs that has the module dmsquash-live of dracut", "has an initramfs that cannot boot a live medium")
	case exitOtherKernel:
		return report(rebuild+" with an initramfs for its kernel", "has an initramfs of another kernel")
	case exitMakers:
		return report(rebuild+" with shim and GRUB of one distribution", "has shim and GRUB of different makers, which do not boot with Secure Boot")
	default:
		return nil
	}
}

// networkInitramfs returns the image with its initramfs, if that can load a system over the network.
func (f found) networkInitramfs(g *graph.Graph, p *plan.Plan, root llb.State) llb.State {
	s := g.Stage("netboot", p.At(key.Source))
	missing := p.Diagnose(rules.SourceRefused, key.Source, "build the image again with an initramfs that has the modules network and livenet of dracut",
		"the image %s has an initramfs without a network, which cannot load a system from a server", p.Source.Image)
	// The directory is empty, and there only if it can.
	can := s.Take(llb.Scratch(), "look for a network in the initramfs",
		llb.Copy(f.loaders, "/network", "/", &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &g.Epoch}), missing)
	return g.Require(s, "checked initramfs", root, can)
}
