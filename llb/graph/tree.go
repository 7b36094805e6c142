package graph

import (
	"io/fs"
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
)

// Tree makes one file operation, and therefore one layer, from entries. Parent directories get mode
// 0755.
func (g *Graph) Tree(entries []tree.Entry) *llb.FileAction {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b tree.Entry) int {
		return slices.Compare(parts(a.Path), parts(b.Path))
	})
	created := llb.WithCreatedTime(g.Epoch)
	var action *llb.FileAction
	made := map[string]bool{"/": true}
	mkdir := func(p string, mode fs.FileMode) {
		if made[p] {
			return
		}
		action = action.Mkdir(p, mode, llb.WithParents(true), created)
		for ; !made[p]; p = path.Dir(p) {
			made[p] = true
		}
	}
	for _, e := range entries {
		switch {
		case e.Mode.IsDir():
			mkdir(e.Path, e.Mode.Perm())
		case e.Mode&fs.ModeSymlink != 0:
			mkdir(path.Dir(e.Path), 0o755)
			action = action.Symlink(e.Target, e.Path, created)
		default:
			mkdir(path.Dir(e.Path), 0o755)
			action = action.Mkfile(e.Path, e.Mode.Perm(), e.Data, created)
		}
	}
	return action
}

func parts(p string) []string {
	if p == "/" {
		return nil
	}
	return append(parts(path.Dir(p)), path.Base(p))
}
