package ext

import (
	"io/fs"
	"time"

	"github.com/pkg/errors"
)

// inode is a file without its names.
type inode struct {
	mode  fs.FileMode
	size  int64
	time  time.Time
	flags uint32
	// data is the map of blocks, the root of the tree of extents, or the target of a short link.
	data [60]byte
}

const usesExtents = 0x80000

// inode reads an inode.
func (f *FileSystem) inode(number uint32) (*inode, error) {
	if number == 0 || number > f.inodes || int((number-1)/f.inodesPerGroup) >= len(f.groups) {
		return nil, errors.Errorf("there is no inode %d", number)
	}
	b := make([]byte, 128)
	at := f.groups[(number-1)/f.inodesPerGroup]*f.blockSize + int64((number-1)%f.inodesPerGroup)*f.inodeSize
	if _, err := f.disk.ReadAt(b, at); err != nil {
		return nil, errors.Wrapf(err, "read the inode %d", number)
	}
	n := &inode{
		mode: fileMode(u16(b, 0)), size: int64(u32(b, 0x4)) | int64(u32(b, 0x6C))<<32,
		time: time.Unix(int64(int32(u32(b, 0x10))), 0), flags: u32(b, 0x20),
	}
	copy(n.data[:], b[0x28:])
	if n.size < 0 {
		return nil, errors.Errorf("the inode %d is damaged", number)
	}
	return n, nil
}

// fileMode translates the mode of an inode.
func fileMode(mode uint16) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode >> 12 {
	case 0x1:
		m |= fs.ModeNamedPipe
	case 0x2:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case 0x4:
		m |= fs.ModeDir
	case 0x6:
		m |= fs.ModeDevice
	case 0x8:
	case 0xA:
		m |= fs.ModeSymlink
	case 0xC:
		m |= fs.ModeSocket
	default:
		m |= fs.ModeIrregular
	}
	for bit, special := range map[uint16]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if mode&bit != 0 {
			m |= special
		}
	}
	return m
}

// info is an fs.FileInfo.
type info struct {
	name string
	*inode
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.time }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
