package artifact

import (
	"context"
	_ "embed"
	"path"
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog/overlay"
)

var (
	//go:embed squashfs.sh
	squashfsScript []byte
	//go:embed boot.sh
	bootScript []byte
	//go:embed esp.sh
	espLibrary []byte
	//go:embed iso.sh
	isoScript []byte
)

// ISO makes the hybrid live and installer medium (contract 3), and a .sha256
// file beside it.
func ISO(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	toolsStage, image, err := tools(ctx, g, p, p.Tools)
	if err != nil {
		return llb.State{}, err
	}
	s := g.Stage("iso", p.At("artifacts.iso")).On(toolsStage.Platform())
	static, err := isoTree(g, p, s)
	if err != nil {
		return llb.State{}, err
	}
	mounts := []llb.RunOption{
		llb.AddMount("/in/squashfs", squashfs(g, p, s, image, r), llb.Readonly),
		llb.AddMount("/in/loaders", bootImages(g, p, s, image, r, static), llb.Readonly),
		llb.AddMount("/in/kernel", r.Kernel.Layer, llb.SourcePath("/boot"), llb.Readonly),
		llb.AddMount("/in/initramfs", r.Kernel.Initramfs, llb.SourcePath("/boot"), llb.Readonly),
		llb.AddMount("/in/tree", static, llb.Readonly),
	}
	config, err := configMount(ctx, g, p, s, "artifacts.iso.cloudConfig", p.ISO.CloudConfig)
	if err != nil {
		return llb.State{}, err
	}
	mounts = append(mounts, config...)
	return s.Run(image, graph.Command{
		Title:  "write " + p.File + ".iso",
		Script: graph.Script{Name: "iso.sh", Text: isoScript},
		Args:   []string{"/in", "/out/" + p.File + ".iso", p.ISO.Label},
		Env:    g.EpochEnv(),
		Mounts: mounts,
	}).AddMount("/out", llb.Scratch()), nil
}

// squashfs packs the root filesystem, beside the checks. Nothing is made of it
// before they have passed.
func squashfs(g *graph.Graph, p *plan.Plan, s graph.Stage, image llb.State, r *rootfs.RootFS) llb.State {
	args := []string{"/rootfs", "/out/rootfs.squashfs", p.ISO.Compression}
	if p.ISO.Level > 0 {
		args = append(args, strconv.Itoa(p.ISO.Level))
	}
	packed := s.Run(image, graph.Command{
		Title:  "pack the root filesystem with " + p.ISO.Compression,
		Script: graph.Script{Name: "squashfs.sh", Text: squashfsScript},
		Args:   args,
		Env:    g.EpochEnv(),
		Mounts: []llb.RunOption{llb.AddMount("/rootfs", r.Unchecked, llb.Readonly)},
	}).AddMount("/out", llb.Scratch())
	return g.Require(s, "checked squashfs", packed, r.Checks...)
}

// bootImages are the EFI system partition and, for PCs, the boot code of BIOS.
// They depend on the loaders alone, not on the rest of the userland.
func bootImages(g *graph.Graph, p *plan.Plan, s graph.Stage, image llb.State, r *rootfs.RootFS, static llb.State) llb.State {
	args := []string{"/loaders", "/tree", "/out", p.Userland.Loader.Config}
	if p.ISO.BIOS {
		args = append(args, "bios")
	}
	return s.Run(image, graph.Command{
		Title:  "make the boot images",
		Script: graph.Script{Name: "boot.sh", Text: bootScript, Beside: []graph.Script{{Name: "esp.sh", Text: espLibrary}}},
		Args:   args,
		Env:    g.EpochEnv(),
		Mounts: []llb.RunOption{
			llb.AddMount("/loaders", loaders(g, p, s, r), llb.Readonly),
			llb.AddMount("/tree", static, llb.Readonly),
		},
	}).AddMount("/out", llb.Scratch())
}

// loaders are shim and GRUB under the names that they get in EFI/BOOT.
func loaders(g *graph.Graph, p *plan.Plan, s graph.Stage, r *rootfs.RootFS) llb.State {
	l := p.Userland.Loader
	follow := &llb.CopyInfo{FollowSymlinks: true, CreatedTime: &g.Epoch}
	return s.File(llb.Scratch(), "take shim and GRUB",
		llb.Copy(r.Loader, l.Shim, "/"+l.Default, follow).Copy(r.Loader, l.Grub, "/"+l.GrubName, follow))
}

// isoTree are the static files of the medium: the menu, and the short
// configurations by which the signed GRUBs find it.
func isoTree(g *graph.Graph, p *plan.Plan, s graph.Stage) (llb.State, error) {
	entries, err := overlay.Files("iso")
	if err != nil {
		return llb.State{}, err
	}
	chain, err := overlay.Files("iso-chain")
	if err != nil {
		return llb.State{}, err
	}
	for _, e := range chain {
		// The prefix that is built into the signed GRUB of live media.
		e.Path = path.Join("/boot/grub", e.Path)
		entries = append(entries, e)
	}
	entries = append(entries, tree.File("/boot/grub2/label.cfg", []byte(`set iso_label="`+p.ISO.Label+"\"\n")))
	if text := rootfs.ModelArgs(p.System.Model); len(text) > 0 {
		entries = append(entries, tree.File("/boot/grub2/model.cfg", text))
	}
	if len(p.System.Cmdline) > 0 {
		entries = append(entries, tree.File("/boot/grub2/cmdline.cfg", rootfs.Cmdline(p)))
	}
	return s.File(llb.Scratch(), "lay out the boot menu", g.Tree(entries)), nil
}
