// Package iso makes the live and installer medium.
package iso

import (
	"context"
	_ "embed"
	"path"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/artifact/extension"
	"github.com/flavorkit/flavorkit/llb/cmdline"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

var (
	//go:embed boot.sh
	bootScript []byte
	//go:embed iso.sh
	isoScript []byte
)

// Build makes the hybrid live and installer medium (contract 3), and its .sha256 file.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	toolsStage, image, err := artifact.Tools(ctx, g, p, p.ISO.Tools)
	if err != nil {
		return llb.State{}, err
	}
	s := g.Stage("iso", p.At(key.ISO)).On(toolsStage.Platform())
	static, err := menuTree(g, p, s)
	if err != nil {
		return llb.State{}, err
	}
	mounts := []llb.RunOption{
		llb.AddMount("/in/squashfs", artifact.Squashfs(g, p, s, image, r), llb.Readonly),
		llb.AddMount("/in/loaders", bootImages(g, p, s, image, r, static), llb.Readonly),
		llb.AddMount("/in/tree", static, llb.Readonly),
	}
	config, err := artifact.ConfigMount(ctx, g, s, key.ISOCloudConfig, p.ISO.CloudConfig)
	if err != nil {
		return llb.State{}, err
	}
	mounts = append(mounts, config...)
	extensions, err := extensionMounts(ctx, g, p, r)
	if err != nil {
		return llb.State{}, err
	}
	mounts = append(mounts, extensions...)
	return s.Run(image, graph.Command{
		Title:  "write " + p.File + ".iso",
		Script: graph.Script{Name: "iso.sh", Text: isoScript, Beside: []graph.Script{artifact.ChecksumLibrary()}},
		Args:   []string{"/in", "/out/" + p.File + ".iso", p.ISO.Label},
		Env:    g.EpochEnv(),
		Mounts: mounts,
	}).AddMount("/out", llb.Scratch()), nil
}

// extensionMounts mounts the extensions that the medium carries, which the installer puts into the new
// system (overlay extensions).
func extensionMounts(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (mounts []llb.RunOption, err error) {
	kind := extension.System()
	for _, e := range p.Extensions {
		if !e.Medium {
			continue
		}
		image, err := kind.Image(ctx, g, p, r, e)
		if err != nil {
			return nil, err
		}
		file := kind.File(e.File)
		mounts = append(mounts, llb.AddMount("/in/extensions/"+file, image, llb.SourcePath("/"+file), llb.Readonly))
	}
	return mounts, nil
}

// bootImages returns the EFI system partition and, for PCs, the boot code for BIOS. They depend
// only on the loaders, not on the rest of the userland.
func bootImages(g *graph.Graph, p *plan.Plan, s graph.Stage, image llb.State, r *rootfs.RootFS, static llb.State) llb.State {
	env := g.EpochEnv()
	artifact.ESP{Label: "EFI_LIVE", ID: "464C4156", Config: p.Userland.Loader.Config}.Set(env)
	if p.ISO.BIOS {
		env["FLAVORKIT_BIOS"] = "yes"
	}
	return s.Run(image, graph.Command{
		Title:  "make the boot images",
		Script: graph.Script{Name: "boot.sh", Text: bootScript, Beside: []graph.Script{artifact.ESPLibrary(), artifact.GRUBLibrary()}},
		Args:   []string{"/loaders", "/tree", "/out"},
		Env:    env,
		Mounts: append(artifact.LoaderMounts(g, p, s, r), llb.AddMount("/tree", static, llb.Readonly)),
	}).AddMount("/out", llb.Scratch())
}

// menuTree returns the static files of the medium: the menu, and the short configurations with
// which the signed GRUBs find it.
func menuTree(g *graph.Graph, p *plan.Plan, s graph.Stage) (llb.State, error) {
	entries, err := g.Overlays.Files("iso")
	if err != nil {
		return llb.State{}, err
	}
	chain, err := g.Overlays.Files("iso-chain")
	if err != nil {
		return llb.State{}, err
	}
	for _, e := range chain {
		// The built-in prefix of the signed GRUB of live media.
		e.Path = path.Join("/boot/grub", e.Path)
		entries = append(entries, e)
	}
	entries = append(entries, tree.File("/boot/grub2/label.cfg", []byte(`set iso_label="`+p.ISO.Label+"\"\n")))
	args, err := cmdline.GRUB(p, "live_args", p.CommandLine.Live)
	if err != nil {
		return llb.State{}, err
	}
	entries = append(entries, tree.File("/boot/grub2/cmdline.cfg", args))
	return s.File(llb.Scratch(), "add the boot menu", g.Tree(entries)), nil
}
