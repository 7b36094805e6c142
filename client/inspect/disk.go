package inspect

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"github.com/pkg/errors"
)

// images are the systems of a machine, the one that boots first (contract 1.20).
func images() []string {
	return []string{"cOS/active.img", "cOS/recovery.squashfs", "cOS/recovery.img", "cOS/passive.img"}
}

// readDisk reads a disk image, or the disk of a machine.
func readDisk(ctx context.Context, path string, opt Options) (*Report, error) {
	f, whole, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &Medium{Size: whole.Size()}
	r := &Report{Medium: m}
	if m.Partitions, err = partitions(whole); err != nil {
		return nil, err
	}
	filesystems := map[int]fs.FS{}
	for i := range m.Partitions {
		p := &m.Partitions[i]
		if err := complete(whole.Size(), p.Start+p.Size); err != nil {
			return nil, err
		}
		fsys, err := readPartition(ctx, p, io.NewSectionReader(whole, p.Start, p.Size))
		if err != nil {
			r.Unread = append(r.Unread, fmt.Sprintf("partition %d (%s): %v", p.Number, p.Name, err))
			continue
		}
		filesystems[i] = fsys
	}
	for _, name := range images() {
		for i, p := range m.Partitions {
			if !has(p.Files, name) {
				continue
			}
			content, err := section(filesystems[i], name, nil)
			if err != nil {
				return nil, err
			}
			m.SystemAt = p.Label + ":/" + name
			r.System, err = readNested(ctx, content, opt)
			return r, errors.Wrapf(err, "read %s", m.SystemAt)
		}
	}
	return nil, errors.Errorf("there is no system on it; it has %s", count(len(m.Partitions), "partition"))
}

// readPartition opens the filesystem of a partition and lists its files.
func readPartition(ctx context.Context, p *Partition, content *io.SectionReader) (fs.FS, error) {
	fsys, err := openFilesystem(content)
	if err != nil {
		return nil, err
	}
	p.Filesystem, p.Label = describe(fsys)
	p.Files, err = listFiles(ctx, fsys)
	return fsys, err
}
