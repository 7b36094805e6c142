package bundle

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"github.com/flavorkit/flavorkit/llb/graph"
)

// pack writes a tar archive of a directory, or of only some paths in it. Equal directories make equal
// archives: owners and times are not in them.
func pack(ctx context.Context, dir string, w io.Writer, paths ...string) error {
	all, err := fsutil.NewFS(dir)
	if err != nil {
		return err
	}
	same, err := fsutil.NewFilterFS(all, &fsutil.FilterOpt{FollowPaths: paths, Map: func(_ string, s *types.Stat) fsutil.MapResult {
		s.Uid, s.Gid, s.ModTime = 0, 0, graph.DefaultEpoch().UnixNano()
		return fsutil.MapResultKeep
	}})
	if err != nil {
		return err
	}
	return fsutil.WriteTar(ctx, same, w)
}

// unpack reads a tar archive into an empty directory. It writes nothing outside of it.
func unpack(ctx context.Context, r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		if err := unpackEntry(root, h, tr); err != nil {
			return errors.Wrap(err, h.Name)
		}
	}
}

func unpackEntry(root *os.Root, h *tar.Header, content io.Reader) error {
	name := filepath.Clean(h.Name)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(h.Mode).Perm()
	switch h.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(name, 0o755); err != nil {
			return err
		}
		return root.Chmod(name, mode)
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		return root.Link(h.Linkname, name)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := io.Copy(f, content); err != nil {
			return err
		}
		if err := f.Chmod(mode); err != nil { // the umask is not asked
			return err
		}
		return f.Close()
	default:
		return errors.New("is no file, directory or link")
	}
}

// copyPaths copies paths of a directory with all that links in them lead to.
func copyPaths(ctx context.Context, from, to string, paths []string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if len(paths) == 0 {
		return nil
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(pack(ctx, from, w, paths...)) }()
	defer r.Close()
	return unpack(ctx, r, to)
}
