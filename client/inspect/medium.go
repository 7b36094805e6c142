package inspect

import (
	"context"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/diskfs/go-diskfs/filesystem"
	"github.com/diskfs/go-diskfs/filesystem/iso9660"
	"github.com/diskfs/go-diskfs/filesystem/squashfs"
	"github.com/diskfs/go-diskfs/partition"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/ext"
)

// Medium is an ISO or a disk.
type Medium struct {
	// Label of the volume of an ISO.
	Label string `json:"label,omitempty"`
	Size  int64  `json:"size"`
	// Partitions are in the order of the table.
	Partitions []Partition `json:"partitions"`
	// Files of an ISO.
	Files []File `json:"files,omitempty"`
	// Menu has the entries of the boot menu of an ISO.
	Menu []BootEntry `json:"menu,omitempty"`
	// SystemAt is the file with the root filesystem.
	SystemAt string `json:"systemAt"`
}

// Partition is a partition of a medium.
type Partition struct {
	Number int    `json:"number"`
	Name   string `json:"name,omitempty"`
	Start  int64  `json:"start"`
	Size   int64  `json:"size"`
	// Filesystem is its format, and Label its name; empty if it cannot be read.
	Filesystem string `json:"filesystem,omitempty"`
	Label      string `json:"label,omitempty"`
	Files      []File `json:"files,omitempty"`
}

// sectorSize is that of disk images.
const sectorSize = 512

// partitions reads a partition table, without what is in the partitions.
func partitions(whole *io.SectionReader) ([]Partition, error) {
	table, err := partition.Read(storage(whole), sectorSize, sectorSize)
	if err != nil {
		return nil, err
	}
	all := []Partition{}
	for _, p := range table.GetPartitions() {
		if p.GetSize() > 0 {
			all = append(all, Partition{Number: p.GetIndex(), Name: p.Label(), Start: p.GetStart(), Size: p.GetSize()})
		}
	}
	return all, nil
}

// readNested reads the root filesystem in a file of a medium.
func readNested(ctx context.Context, content *io.SectionReader, opt Options) (*System, error) {
	fsys, err := openFilesystem(content)
	if err != nil {
		return nil, err
	}
	return readSystem(ctx, fsTree(fsys), opt)
}

// listFiles lists the files of a filesystem.
func listFiles(ctx context.Context, fsys fs.FS) ([]File, error) {
	all := []File{}
	err := fsTree(fsys)(ctx, func(e entry, _ io.Reader) error {
		if !e.mode.IsDir() {
			all = append(all, File{e.path, e.size})
		}
		return nil
	})
	return all, err
}

// has reports whether a file is among others. Filesystems tell so in different ways.
func has(files []File, path string) bool {
	return slices.ContainsFunc(files, func(f File) bool { return f.Path == path })
}

// section is the content of a file, to be read at any place.
func section(fsys fs.FS, name string, medium io.ReaderAt) (*io.SectionReader, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch f := f.(type) {
	case io.ReaderAt:
		return io.NewSectionReader(f, 0, info.Size()), nil
	case *iso9660.File: // in one piece
		return io.NewSectionReader(medium, int64(f.Location())*isoBlock, info.Size()), nil
	}
	return nil, errors.Errorf("/%s cannot be read from the middle", name)
}

// describe returns the format and the label of a filesystem.
func describe(fsys fs.FS) (format, label string) {
	switch fsys := fsys.(type) {
	case *ext.FileSystem:
		return "ext", fsys.Label()
	case *squashfs.FileSystem:
		return "squashfs", ""
	case filesystem.FileSystem:
		return "FAT", strings.Trim(fsys.Label(), " \x00")
	}
	return "", ""
}
