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

// firmware is what a board starts from, before there is EFI (contract 4.2). It
// depends on the board alone, and needs nothing that runs on it.
func (d *disk) firmware(ctx context.Context, f plan.Firmware) (llb.State, error) {
	s := d.g.Stage(f.Distro+"/firmware", d.p.At(key.Model)).On(d.g.Build)
	files, err := distro.Take(ctx, s, f.Install, f.Files, d.p.Arch, "firmware")
	if err != nil {
		return llb.State{}, err
	}
	created := llb.WithCreatedTime(d.g.Epoch)
	action := llb.Copy(files, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &d.g.Epoch})
	for _, name := range slices.Sorted(maps.Keys(f.Texts)) {
		action = action.Mkfile(path.Join("/", name), 0o644, []byte(f.Texts[name]), created)
	}
	return s.File(llb.Scratch(), "lay out the firmware of the board", action), nil
}
