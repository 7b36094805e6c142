// Package ext reads ext2, ext3 and ext4 filesystems, without root and without mounting them. The images
// of an installed Kairos are ext2, which maps blocks in another way than ext4.
//
// The formats are those of the kernel, Documentation/filesystems/ext4.
package ext

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/pkg/errors"
)

// FileSystem is an fs.FS. Files are also io.ReaderAt.
type FileSystem struct {
	disk           io.ReaderAt
	label          string
	size           int64
	blockSize      int64
	inodeSize      int64
	inodesPerGroup uint32
	inodes         uint32
	// groups are the blocks in which the inode tables of the groups start.
	groups []int64
}

var (
	_ fs.ReadDirFS  = (*FileSystem)(nil)
	_ fs.ReadLinkFS = (*FileSystem)(nil)
)

// Features of a filesystem that change how it is read.
const (
	journalToReplay = 0x4
	bit64           = 0x80
	readable        = 0x2 /* types in directories */ | 0x40 /* extents */ | bit64 | 0x200 /* groups together */ | 0x2000 /* checksum seed */ | 0x400 /* large attributes */ | 0x4000 /* large directories */
)

const (
	superblockAt = 1024
	rootInode    = 2
)

// Read reads the superblock and the table of groups.
func Read(disk io.ReaderAt) (*FileSystem, error) {
	b := make([]byte, 1024)
	if _, err := disk.ReadAt(b, superblockAt); err != nil {
		return nil, errors.Wrap(err, "read the superblock")
	}
	if u16(b, 0x38) != 0xEF53 {
		return nil, errors.New("this is no ext filesystem")
	}
	switch incompatible := u32(b, 0x60); {
	case incompatible&journalToReplay != 0:
		return nil, errors.New("the filesystem was not unmounted: its journal has changes that are not in it yet")
	case incompatible&^readable != 0:
		return nil, errors.Errorf("the filesystem has features that flavorkit cannot read (%#x)", incompatible&^readable)
	}
	if u32(b, 0x18) > 6 {
		return nil, errors.New("the size of the blocks is wrong")
	}
	f := &FileSystem{
		disk: disk, label: string(bytes.TrimRight(b[0x78:0x88], "\x00")), blockSize: 1024 << u32(b, 0x18), inodeSize: 128,
		inodesPerGroup: u32(b, 0x28), inodes: u32(b, 0x0),
	}
	if u32(b, 0x4C) > 0 { // the first revision had no field for it
		f.inodeSize = int64(u16(b, 0x58))
	}
	blocks, descriptor := int64(u32(b, 0x4)), int64(32)
	if u32(b, 0x60)&bit64 != 0 {
		blocks |= int64(u32(b, 0x150)) << 32
		descriptor = int64(u16(b, 0xFE))
	}
	f.size = blocks * f.blockSize
	perGroup := int64(u32(b, 0x20))
	if perGroup == 0 || f.inodesPerGroup == 0 || f.inodeSize < 128 || f.inodeSize > f.blockSize || descriptor < 32 || f.size < 0 {
		return nil, errors.New("the superblock is damaged")
	}
	first := int64(u32(b, 0x14))
	return f, f.readGroups((blocks-first+perGroup-1)/perGroup, first+1, descriptor)
}

// readGroups reads where the inodes of each group are.
func (f *FileSystem) readGroups(count, block, descriptor int64) error {
	const most = 1 << 20 // 128 TiB
	if count < 1 || count > most {
		return errors.New("the superblock is damaged")
	}
	b := make([]byte, count*descriptor)
	if _, err := f.disk.ReadAt(b, block*f.blockSize); err != nil {
		return errors.Wrap(err, "read the table of groups")
	}
	for i := range count {
		d := b[i*descriptor:]
		at := int64(u32(d, 0x8))
		if descriptor >= 64 {
			at |= int64(u32(d, 0x28)) << 32
		}
		f.groups = append(f.groups, at)
	}
	return nil
}

// Label is the name of the filesystem, such as COS_ACTIVE.
func (f *FileSystem) Label() string { return f.label }

// Size is in bytes.
func (f *FileSystem) Size() int64 { return f.size }

// Open opens a file. It does not follow symbolic links.
func (f *FileSystem) Open(name string) (fs.File, error) {
	n, err := f.find(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f.open(n, path.Base(name))
}

// ReadDir reads a directory, sorted by name.
func (f *FileSystem) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.find(name)
	if err == nil {
		var all []fs.DirEntry
		if all, err = f.list(n); err == nil {
			return all, nil
		}
	}
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
}

// Lstat describes a file, or the link itself.
func (f *FileSystem) Lstat(name string) (fs.FileInfo, error) {
	n, err := f.find(name)
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return info{path.Base(name), n}, nil
}

// ReadLink returns the target of a symbolic link.
func (f *FileSystem) ReadLink(name string) (string, error) {
	n, err := f.find(name)
	if err == nil {
		var target string
		if target, err = f.target(n); err == nil {
			return target, nil
		}
	}
	return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
}

// find finds the inode of a path.
func (f *FileSystem) find(name string) (*inode, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	n, err := f.inode(rootInode)
	if err != nil || name == "." {
		return n, err
	}
	for part := range strings.SplitSeq(name, "/") {
		if n, err = f.child(n, part); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// child finds a name in a directory.
func (f *FileSystem) child(parent *inode, name string) (*inode, error) {
	entries, err := f.list(parent)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() == name {
			found, err := e.Info()
			return found.(info).inode, err
		}
	}
	return nil, fs.ErrNotExist
}

func u16(b []byte, at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
