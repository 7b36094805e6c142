package disk

import (
	"context"
	"maps"
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// firmware returns what a board starts from before UEFI (contract 4.2). It depends only on the
// board and, if the board needs the device trees of its kernel, on that. No program of the board runs
// to make the rest.
func (d *disk) firmware(ctx context.Context, f plan.Firmware) (llb.State, error) {
	s := d.g.Stage(f.Distro+"/firmware", d.p.At(key.Model)).On(d.g.Build)
	files, err := distro.Take(ctx, d.g, s, d.p, f.Install, f.Files, d.p.Arch, "firmware")
	if err != nil {
		return llb.State{}, err
	}
	created := llb.WithCreatedTime(d.g.Epoch)
	action := llb.Copy(files, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &d.g.Epoch})
	for _, name := range slices.Sorted(maps.Keys(f.Texts)) {
		action = action.Mkfile(path.Join("/", name), 0o644, []byte(f.Texts[name]), created)
	}
	if len(f.Trees) > 0 {
		trees, err := d.r.Kernel.Trees(d.g, d.p, f.Trees, f.TreesIn)
		if err != nil {
			return llb.State{}, err
		}
		action = action.Copy(trees, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &d.g.Epoch})
	}
	return s.File(llb.Scratch(), "add the firmware of the board", action), nil
}
