package inspect

import (
	"context"
	"encoding/binary"
	"io/fs"
	"strings"

	"github.com/diskfs/go-diskfs/filesystem/iso9660"
	"github.com/pkg/errors"
)

const isoBlock = 2048

// readISO reads a live medium (contract 3.1).
func readISO(ctx context.Context, path string, opt Options) (*Report, error) {
	f, whole, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	descriptor := make([]byte, isoBlock)
	if _, err := whole.ReadAt(descriptor, 16*isoBlock); err != nil {
		return nil, errors.Wrap(err, "read the volume descriptor")
	}
	if err := complete(whole.Size(), int64(binary.LittleEndian.Uint32(descriptor[80:]))*isoBlock); err != nil {
		return nil, err
	}
	fsys, err := iso9660.Read(storage(whole), whole.Size(), 0, isoBlock)
	if err != nil {
		return nil, err
	}
	m := &Medium{Label: strings.Trim(fsys.Label(), " \x00"), Size: whole.Size(), Partitions: []Partition{}, Menu: menu(fsys)}
	if m.Files, err = listFiles(ctx, fsys); err != nil {
		return nil, err
	}
	// An ISO that boots only from CD has no partitions.
	if found, err := partitions(whole); err == nil {
		m.Partitions = found
	}
	r := &Report{Medium: m}
	for _, name := range []string{"rootfs.squashfs", "LiveOS/squashfs.img"} {
		if !has(m.Files, name) {
			continue
		}
		content, err := section(fsys, name, whole)
		if err != nil {
			return nil, err
		}
		m.SystemAt = name
		r.System, err = readNested(ctx, content, opt)
		return r, errors.Wrapf(err, "read /%s", name)
	}
	return nil, errors.Errorf("there is no root filesystem on it; it has %s", fileNames(m.Files))
}

// menu reads the boot menu.
func menu(fsys fs.FS) []BootEntry {
	g := newGRUB(func(name string) ([]byte, bool) {
		text, err := fs.ReadFile(fsys, name)
		return text, err == nil
	})
	for _, name := range menus() {
		if g.source(name); len(g.entries) > 0 {
			break
		}
	}
	return g.entries
}

// fileNames lists some files.
func fileNames(files []File) string {
	const most = 5
	var names []string
	for _, f := range files[:min(most, len(files))] {
		names = append(names, "/"+f.Path)
	}
	if len(files) > most {
		names = append(names, "…")
	}
	if len(names) == 0 {
		return "no files"
	}
	return strings.Join(names, ", ")
}
