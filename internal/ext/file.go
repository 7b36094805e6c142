package ext

import (
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// file is an open file.
type file struct {
	*io.SectionReader
	info info
}

func (f file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f file) Close() error               { return nil }

// dir is an open directory.
type dir struct {
	f    *FileSystem
	info info
	rest []fs.DirEntry
	read bool
}

func (d *dir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *dir) Close() error               { return nil }

func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

// ReadDir implements fs.ReadDirFile.
func (d *dir) ReadDir(n int) (all []fs.DirEntry, err error) {
	if !d.read {
		if d.rest, err = d.f.list(d.info.inode); err != nil {
			return nil, err
		}
		d.read = true
	}
	if n > 0 && len(d.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	all, d.rest = d.rest[:n], d.rest[n:]
	return all, nil
}

func (f *FileSystem) open(n *inode, name string) (fs.File, error) {
	if n.mode.IsDir() {
		return &dir{f: f, info: info{name, n}}, nil
	}
	if !n.mode.IsRegular() {
		return nil, errors.Errorf("%s is no regular file", name)
	}
	c, err := f.content(n)
	if err != nil {
		return nil, err
	}
	return file{io.NewSectionReader(c, 0, n.size), info{name, n}}, nil
}

// target returns the target of a symbolic link. A short one is in the inode.
func (f *FileSystem) target(n *inode) (string, error) {
	const longest = 4096
	switch {
	case n.mode.Type() != fs.ModeSymlink:
		return "", fs.ErrInvalid
	case n.size < int64(len(n.data)):
		return string(n.data[:n.size]), nil
	case n.size > longest:
		return "", errors.New("the target of a link is too long")
	}
	c, err := f.content(n)
	if err != nil {
		return "", err
	}
	b := make([]byte, n.size)
	_, err = c.ReadAt(b, 0)
	return string(b), err
}

// list reads a directory. The blocks of an index look like those of a list, without names.
func (f *FileSystem) list(n *inode) ([]fs.DirEntry, error) {
	const largest = 64 << 20
	switch {
	case !n.mode.IsDir():
		return nil, errors.New("is no directory")
	case n.size > largest:
		return nil, errors.New("the directory is damaged")
	}
	c, err := f.content(n)
	if err != nil {
		return nil, err
	}
	b := make([]byte, n.size)
	if _, err := c.ReadAt(b, 0); err != nil {
		return nil, errors.Wrap(err, "read a directory")
	}
	var all []fs.DirEntry
	for len(b) > 0 {
		const header = 8
		if len(b) < header || int(u16(b, 4)) < header || int(u16(b, 4)) > len(b) || header+int(b[6]) > int(u16(b, 4)) {
			return nil, errors.New("the directory is damaged")
		}
		name := string(b[header : header+int(b[6])])
		if number := u32(b, 0); number != 0 && fs.ValidPath(name) && name != "." {
			found, err := f.inode(number)
			if err != nil {
				return nil, err
			}
			all = append(all, fs.FileInfoToDirEntry(info{name, found}))
		}
		b = b[u16(b, 4):]
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}
