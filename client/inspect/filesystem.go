package inspect

import (
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"os"

	"github.com/diskfs/go-diskfs/backend"
	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem"
	"github.com/diskfs/go-diskfs/filesystem/fat12"
	"github.com/diskfs/go-diskfs/filesystem/fat16"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"github.com/diskfs/go-diskfs/filesystem/iso9660"
	"github.com/diskfs/go-diskfs/filesystem/squashfs"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/ext"
)

// readFilesystem reads a file that is a root filesystem, such as that of netboot, or of a machine.
func readFilesystem(ctx context.Context, path string, opt Options) (*Report, error) {
	f, whole, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fsys, err := openFilesystem(whole)
	if err != nil {
		return nil, err
	}
	system, err := readSystem(ctx, fsTree(fsys), opt)
	return &Report{System: system}, err
}

// readDirectory reads a directory that is a root filesystem.
func readDirectory(ctx context.Context, path string, opt Options) (*Report, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	system, err := readSystem(ctx, fsTree(root.FS()), opt)
	return &Report{System: system}, err
}

// openFile opens a file with all its bytes.
func openFile(path string) (io.Closer, *io.SectionReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	return f, io.NewSectionReader(f, 0, info.Size()), err
}

// openFilesystem opens the filesystem that starts with the first byte.
func openFilesystem(disk *io.SectionReader) (fs.FS, error) {
	head := make([]byte, 2048)
	if _, err := disk.ReadAt(head, 0); err != nil {
		return nil, errors.Wrap(err, "read the filesystem")
	}
	switch {
	case string(head[:4]) == "hsqs":
		if err := complete(disk.Size(), int64(binary.LittleEndian.Uint64(head[40:]))); err != nil {
			return nil, err
		}
		return squashfs.Read(storage(disk), disk.Size(), 0, 0)
	case binary.LittleEndian.Uint16(head[1080:]) == 0xEF53:
		fsys, err := ext.Read(disk)
		if err != nil {
			return nil, err
		}
		return fsys, complete(disk.Size(), fsys.Size())
	case head[510] == 0x55 && head[511] == 0xAA:
		return openFAT(disk)
	}
	return nil, errors.New("there is no filesystem that flavorkit can read")
}

// openFAT opens a FAT. Its kind depends on its size alone, so each is tried.
func openFAT(disk *io.SectionReader) (fsys filesystem.FileSystem, err error) {
	const sector = 512
	if fsys, err = fat32.Read(storage(disk), disk.Size(), 0, sector); err == nil {
		return fsys, nil
	}
	if fsys, err = fat16.Read(storage(disk), disk.Size(), 0, sector); err == nil {
		return fsys, nil
	}
	return fat12.Read(storage(disk), disk.Size(), 0, sector)
}

// complete fails if there are fewer bytes than the header of a filesystem says.
func complete(have, want int64) error {
	if have < want {
		return errors.Errorf("the file is truncated: it has %d bytes of %d", have, want)
	}
	return nil
}

// storage has go-diskfs read a part of a file.
func storage(part *io.SectionReader) backend.Storage { return file.New(sectionFile{part}, true) }

// sectionFile is an fs.File. go-diskfs does not ask for its name, mode and time.
type sectionFile struct{ *io.SectionReader }

func (f sectionFile) Stat() (fs.FileInfo, error) { return sectionInfo{size: f.Size()}, nil }
func (f sectionFile) Close() error               { return nil }

type sectionInfo struct {
	fs.FileInfo
	size int64
}

func (i sectionInfo) Size() int64 { return i.size }

// readLink returns the target of a symbolic link.
func readLink(fsys fs.FS, name string, info fs.FileInfo) (string, error) {
	switch details := info.Sys().(type) {
	case *squashfs.StatT:
		return details.LinkTarget, nil
	case *iso9660.StatT:
		return details.LinkTarget, nil
	}
	return fs.ReadLink(fsys, name)
}

// opener returns what opens a file. Entries of a squashfs do so themselves; it would search the
// whole directory for the name.
func opener(fsys fs.FS, name string, d fs.DirEntry) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		if e, ok := d.(interface {
			Open() (filesystem.File, error)
		}); ok {
			return e.Open()
		}
		return fsys.Open(name)
	}
}
