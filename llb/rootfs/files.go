package rootfs

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// CloudConfigPath is the path of the spec's cloud-config in a system. It is read at every boot,
// after all stages of flavorkit and before those in /oem (contract 1.12).
const CloudConfigPath = "/system/oem/90_spec.yaml"

// filesLayer returns the user's files and cloud-config. ok is false if there are none.
func filesLayer(ctx context.Context, g *graph.Graph, p *plan.Plan) (layer llb.State, ok bool, err error) {
	var action *llb.FileAction
	for i, f := range p.Files {
		if action, err = AddFile(ctx, g, action, key.Files.Item(i), f); err != nil {
			return llb.State{}, false, err
		}
	}
	if c := p.CloudConfig; !c.IsZero() {
		f := plan.File{Path: CloudConfigPath, Content: c, Mode: "0600"}
		if action, err = AddFile(ctx, g, action, key.CloudConfig, f); err != nil {
			return llb.State{}, false, err
		}
	}
	if action == nil {
		return llb.State{}, false, nil
	}
	at := key.Files
	if len(p.Files) == 0 {
		at = key.CloudConfig
	}
	s := g.Stage("files", p.At(at))
	return s.File(llb.Scratch(), "add the files of the spec", action), true, nil
}

// AddFile appends one file of the spec to a file operation. The key is that of the file.
func AddFile(ctx context.Context, g *graph.Graph, action *llb.FileAction, k key.Key, f plan.File) (*llb.FileAction, error) {
	uid, gid, err := owner(f.Owner)
	if err != nil {
		return nil, errors.Wrap(err, k.String())
	}
	mode, err := mode(f.Mode)
	if err != nil {
		return nil, errors.Wrap(err, k.String())
	}
	created := llb.WithCreatedTime(g.Epoch)
	// Directories of the userland keep their modes (dirsLayer).
	if dir := path.Dir(f.Path); dir != "/" {
		action = action.Mkdir(dir, 0o755, llb.WithParents(true), created)
	}
	if f.From == "" {
		if mode == nil {
			mode = new(fs.FileMode)
			*mode = 0o644
		}
		return action.Mkfile(f.Path, *mode, []byte(f.Text), llb.WithUIDGID(uid, gid), created), nil
	}
	from, err := g.Sources.Files(ctx, f.Context)
	if err != nil {
		return nil, err
	}
	info := &llb.CopyInfo{
		CopyDirContentsOnly: true,
		FollowSymlinks:      true,
		ChownOpt:            &llb.ChownOpt{User: &llb.UserOpt{UID: uid}, Group: &llb.UserOpt{UID: gid}},
		CreatedTime:         &g.Epoch,
	}
	if mode != nil {
		info.Mode = &llb.ChmodOpt{Mode: *mode}
	}
	return action.Copy(from, path.Join("/", f.From), f.Path, info), nil
}

// mode parses octal permissions; nil for none.
func mode(s string) (*fs.FileMode, error) {
	if s == "" {
		return nil, nil
	}
	bits, err := strconv.ParseUint(strings.TrimPrefix(s, "0o"), 8, 12)
	if err != nil {
		return nil, errors.Wrap(err, "parse the mode")
	}
	m := fs.FileMode(bits)
	return &m, nil
}

// owner parses uid:gid.
func owner(s string) (uid, gid int, err error) {
	if s == "" {
		return 0, 0, nil
	}
	if _, err := fmt.Sscanf(s, "%d:%d", &uid, &gid); err != nil {
		return 0, 0, errors.Wrap(err, "parse the owner")
	}
	return uid, gid, nil
}
