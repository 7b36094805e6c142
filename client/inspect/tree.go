package inspect

import (
	"archive/tar"
	"context"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/pkg/errors"
)

// entry is a file, a directory or a link.
type entry struct {
	// path from the root, without a leading slash.
	path string
	mode fs.FileMode
	size int64
	// modified is when the content was written.
	modified time.Time
	// link is the target of a symbolic link.
	link string
	// sameAs is the path of the file that a hard link is another name of.
	sameAs string
}

// visitor gets every entry of a tree. The content is only there until it returns.
type visitor func(e entry, content io.Reader) error

// tree goes through all files once, in the order in which they are stored, so that layers of an image
// need not be unpacked. The root itself is left out.
type tree func(ctx context.Context, visit visitor) error

// tarTree are the files of a tar archive.
func tarTree(open func() (io.ReadCloser, error)) tree {
	return func(ctx context.Context, visit visitor) error {
		r, err := open()
		if err != nil {
			return err
		}
		defer r.Close()
		for archive := tar.NewReader(r); ctx.Err() == nil; {
			h, err := archive.Next()
			if errors.Is(err, io.EOF) {
				// Layers that end with an error have the end of an archive before it.
				_, err = io.Copy(io.Discard, r)
				return err
			}
			if err != nil {
				return err
			}
			e := entry{path: rooted(h.Name), mode: h.FileInfo().Mode(), size: h.Size, modified: h.ModTime}
			switch h.Typeflag {
			case tar.TypeSymlink:
				e.link = h.Linkname
			case tar.TypeLink:
				e.sameAs = rooted(h.Linkname)
			}
			if e.path == "" {
				continue
			}
			if err := visit(e, archive); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
}

// rooted is a path without a leading slash, and without ways out of the root.
func rooted(name string) string { return path.Join("/", name)[1:] }

// fsTree are the files of a filesystem.
func fsTree(fsys fs.FS) tree {
	return func(ctx context.Context, visit visitor) error {
		return walk(ctx, fsys, ".", visit)
	}
}

// walk goes through a directory. It looks at a directory only once, which fs.WalkDir does not: the
// filesystems go through the whole path each time.
func walk(ctx context.Context, fsys fs.FS, dir string, visit visitor) error {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return errors.Wrapf(err, "read the directory /%s", rooted(dir))
	}
	for _, d := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := entry{path: path.Join(dir, d.Name()), mode: info.Mode(), size: info.Size(), modified: info.ModTime()}
		if d.IsDir() { // which the mode does not say in a FAT
			e.mode |= fs.ModeDir
		}
		if e.mode.Type() == fs.ModeSymlink {
			if e.link, err = readLink(fsys, e.path, info); err != nil {
				return err
			}
		}
		content := &lazyFile{open: opener(fsys, e.path, d)}
		err = visit(e, content)
		content.Close()
		if err != nil {
			return err
		}
		if e.mode.IsDir() {
			if err := walk(ctx, fsys, e.path, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// lazyFile opens a file when it is read.
type lazyFile struct {
	open func() (io.ReadCloser, error)
	file io.ReadCloser
}

func (l *lazyFile) Read(b []byte) (n int, err error) {
	if l.file == nil {
		if l.file, err = l.open(); err != nil {
			return 0, err
		}
	}
	return l.file.Read(b)
}

func (l *lazyFile) Close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}
