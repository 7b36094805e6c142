package unpack

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"
)

// Names of whiteouts: files that delete those of lower layers (OCI image specification, layer.md).
const (
	whiteout       = ".wh."
	whiteoutMeta   = whiteout + whiteout
	whiteoutOpaque = whiteoutMeta + ".opq"
)

// target is the directory that layers are written to.
type target struct {
	// root is a hidden directory, and dir the one that its files go to at the end.
	root *os.Root
	dir  string

	force, owners bool
	// made has the directories of the image that are not in dir, by path.
	made map[string]directory
	// own has what the current layer wrote, which its whiteouts do not delete.
	own map[string]bool
}

// directory is what a directory gets when all is in it.
type directory struct {
	mode fs.FileMode
	time time.Time
}

// apply writes a layer, and fails if its content has another checksum.
func (t *target) apply(ctx context.Context, id v1.Hash, content io.Reader, s *step) error {
	t.own = map[string]bool{}
	hash := sha256.New()
	content = io.TeeReader(contextReader{ctx, content}, hash)
	for archive := tar.NewReader(content); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Wrap(err, "read the archive")
		}
		if err := t.entry(h, s.file(h, archive)); err != nil {
			return err
		}
	}
	// There are zeros after the end of the archive.
	if _, err := io.Copy(io.Discard, content); err != nil {
		return errors.Wrap(err, "read the archive")
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); sum != id.Hex {
		return errors.Errorf("it is damaged: its content has the checksum sha256:%s", sum)
	}
	return nil
}

// entry writes an entry of an archive.
func (t *target) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := inside(h.Name)
	if err != nil || name == "." {
		return err
	}
	if err := t.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return errors.Wrapf(err, "make the directory of %s", name)
	}
	if name, err = t.physical(name); err != nil {
		return err
	}
	if base := path.Base(name); strings.HasPrefix(base, whiteout) {
		return t.whiteout(path.Dir(name), base)
	}
	t.own[name] = true
	if h.Typeflag == tar.TypeDir {
		err = t.mkdir(name, h)
	} else {
		err = t.write(name, h, content)
	}
	return errors.Wrapf(err, "write %s", name)
}

// mkdir makes a directory, which keeps what lower layers have in it.
func (t *target) mkdir(name string, h *tar.Header) error {
	if err := t.vacant(name, true); err != nil {
		return err
	}
	if info, err := t.root.Lstat(name); err != nil || !info.IsDir() {
		if err := t.remove(name); err != nil {
			return err
		}
		if err := t.root.Mkdir(name, 0o700); err != nil {
			return err
		}
	}
	if t.owners {
		if err := t.root.Lchown(name, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(filepath.Join(t.dir, name)); errors.Is(err, fs.ErrNotExist) {
		t.made[name] = directory{t.mode(h), h.ModTime}
	}
	return nil
}

// write writes what is no directory.
func (t *target) write(name string, h *tar.Header, content io.Reader) error {
	if err := t.vacant(name, false); err != nil {
		return err
	}
	if err := t.remove(name); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		if err := t.file(name, content, h.Size); err != nil {
			return err
		}
	case tar.TypeSymlink:
		if !stays(path.Dir(name), h.Linkname) {
			return errors.Errorf("it is a link out of the directory, to %s", h.Linkname)
		}
		if err := t.root.Symlink(h.Linkname, name); err != nil {
			return err
		}
	case tar.TypeLink:
		to, err := inside(h.Linkname)
		if err != nil {
			return err
		}
		return t.root.Link(to, name)
	default:
		return errors.New("it is a device or a pipe, which unpack does not write")
	}
	if t.owners {
		if err := t.root.Lchown(name, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	if h.Typeflag == tar.TypeSymlink {
		return nil
	}
	if err := t.root.Chmod(name, t.mode(h)); err != nil {
		return err
	}
	return t.root.Chtimes(name, h.ModTime, h.ModTime)
}

// file writes a regular file, with holes where there are only zeros, as in most of a disk.
func (t *target) file(name string, content io.Reader, size int64) (err error) {
	f, err := t.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	const block = 64 << 10
	b, zeros := make([]byte, block), make([]byte, block)
	for at := int64(0); ; {
		n, err := io.ReadFull(content, b)
		if !slices.Equal(b[:n], zeros[:n]) {
			if _, err := f.WriteAt(b[:n], at); err != nil {
				return err
			}
		}
		at += int64(n)
		switch {
		case err == nil:
		case at == size && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			return f.Truncate(size)
		default:
			return err
		}
	}
}

// whiteout deletes what lower layers have.
func (t *target) whiteout(dir, name string) error {
	switch {
	case name == whiteoutOpaque:
		entries, err := fs.ReadDir(t.root.FS(), dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := t.hide(path.Join(dir, e.Name())); err != nil {
				return err
			}
		}
		return nil
	case strings.HasPrefix(name, whiteoutMeta):
		return nil
	}
	hidden := strings.TrimPrefix(name, whiteout)
	if slices.Contains([]string{"", ".", ".."}, hidden) {
		return errors.Errorf("%s/%s names no file", dir, name)
	}
	return t.hide(path.Join(dir, hidden))
}

// hide deletes what lower layers have under a name, and keeps what this layer has.
func (t *target) hide(name string) error {
	var below bool
	for own := range t.own {
		below = below || strings.HasPrefix(own, name+"/")
	}
	if !below && !t.own[name] {
		return t.remove(name)
	}
	info, err := t.root.Lstat(name)
	if err != nil || !info.IsDir() {
		return err
	}
	entries, err := fs.ReadDir(t.root.FS(), name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := t.hide(path.Join(name, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// remove removes what lower layers have under a name.
func (t *target) remove(name string) error {
	for made := range t.made {
		if made == name || strings.HasPrefix(made, name+"/") {
			delete(t.made, made)
		}
	}
	return t.root.RemoveAll(name)
}

// vacant fails if a name is taken in the directory that files go to.
func (t *target) vacant(name string, isDir bool) error {
	info, err := os.Lstat(filepath.Join(t.dir, name))
	switch {
	case err != nil, isDir && info.IsDir():
		return nil // what is wrong with the directory shows at the end
	case isDir != info.IsDir():
		return errors.Errorf("%s exists and is of another type", filepath.Join(t.dir, name))
	case !t.force:
		return errors.Errorf("%s exists; use --force to replace it", filepath.Join(t.dir, name))
	}
	return nil
}

// physical returns a path without links in the directories of it.
func (t *target) physical(name string) (string, error) {
	dir, err := filepath.EvalSymlinks(filepath.Join(t.root.Name(), filepath.FromSlash(path.Dir(name))))
	if err != nil {
		return "", err
	}
	root, err := filepath.EvalSymlinks(t.root.Name())
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Rel(root, dir); err != nil {
		return "", err
	}
	return inside(path.Join(filepath.ToSlash(dir), path.Base(name)))
}

// mode is the mode that a file or a directory gets.
func (t *target) mode(h *tar.Header) fs.FileMode {
	mode := h.FileInfo().Mode()
	if !t.owners {
		return mode & fs.ModePerm
	}
	return mode & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
}

// count counts what was written.
func (t *target) count() (r Result, err error) {
	err = fs.WalkDir(t.root.FS(), ".", func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() {
			r.Size += info.Size()
		}
		r.Files++
		return err
	})
	return r, err
}

// finish gives the directories that were made their modes and times, the deepest first: until then,
// all may be written to.
func (t *target) finish() error {
	root, err := os.OpenRoot(t.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var names []string
	for name := range t.made {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Backward(names) {
		d := t.made[name]
		if err := root.Chtimes(name, d.time, d.time); err != nil {
			return err
		}
		if err := root.Chmod(name, d.mode); err != nil {
			return err
		}
	}
	return nil
}

// inside returns a path in an archive, from the root, and fails if it leads out.
func inside(name string) (string, error) {
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", errors.Errorf("%q leads out of the directory", name)
	}
	return path.Clean(strings.TrimLeft(name, "/")), nil
}

// stays reports whether a symbolic link in a directory leads to a place below the root, whatever
// other links are on the way: those stay below the root, too.
func stays(dir, to string) bool {
	if path.IsAbs(to) {
		return false
	}
	depth, down := 0, false
	if dir != "." {
		depth = len(strings.Split(dir, "/"))
	}
	for _, part := range strings.Split(to, "/") {
		switch {
		case part == "..":
			if depth--; depth < 0 || down {
				return false
			}
		case part != "" && part != ".":
			down = true
		}
	}
	return true
}
