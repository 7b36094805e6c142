package ext

import (
	"io"
	"slices"

	"github.com/pkg/errors"
)

// run are blocks of a file that follow each other on the disk. What no run has is a hole.
type run struct{ file, disk, count int64 }

// runs returns where the blocks of a file are.
func (f *FileSystem) runs(n *inode) ([]run, error) {
	if n.flags&usesExtents != 0 {
		const deepest = 5
		return f.extents(n.data[:], deepest)
	}
	m := blockMap{f: f, blocks: (n.size + f.blockSize - 1) / f.blockSize}
	const direct, single, triple = 12, 1, 3
	for i := range direct {
		m.add(int64(u32(n.data[:], 4*i)), 1)
	}
	for depth := single; depth <= triple; depth++ {
		if err := m.indirect(int64(u32(n.data[:], 4*(direct+depth-1))), depth); err != nil {
			return nil, err
		}
	}
	return m.runs, nil
}

// tooMany reports whether a file has more blocks than the disk: its map refers to itself.
func (f *FileSystem) tooMany(runs []run) bool { return int64(len(runs)) > f.size/f.blockSize }

// extents reads a node of the tree of extents. They are in the order of the file.
func (f *FileSystem) extents(b []byte, deepest uint16) ([]run, error) {
	const header, size = 12, 12
	count, depth := int(u16(b, 2)), u16(b, 6)
	if u16(b, 0) != 0xF30A || depth > deepest || header+count*size > len(b) {
		return nil, errors.New("the tree of extents is damaged")
	}
	var all []run
	for i := range count {
		e := b[header+i*size:]
		if depth == 0 {
			// A longer extent has room for data that was never written.
			const longest = 32768
			if length := int64(u16(e, 4)); length <= longest {
				all = append(all, run{int64(u32(e, 0)), int64(u32(e, 8)) | int64(u16(e, 6))<<32, length})
			}
			continue
		}
		node := make([]byte, f.blockSize)
		if _, err := f.disk.ReadAt(node, (int64(u32(e, 4))|int64(u16(e, 8))<<32)*f.blockSize); err != nil {
			return nil, errors.Wrap(err, "read the tree of extents")
		}
		below, err := f.extents(node, depth-1)
		if err != nil {
			return nil, err
		}
		if all = append(all, below...); f.tooMany(all) {
			return nil, errors.New("the tree of extents is damaged")
		}
	}
	return all, nil
}

// blockMap reads the map of blocks of ext2 and ext3.
type blockMap struct {
	f *FileSystem
	// next block of the file, and how many it has.
	next, blocks int64
	runs         []run
}

// add adds blocks that follow each other, which start at 0 for a hole.
func (m *blockMap) add(disk, count int64) {
	count = min(count, m.blocks-m.next)
	if last := len(m.runs) - 1; disk != 0 && count > 0 {
		if last >= 0 && m.runs[last].file+m.runs[last].count == m.next && m.runs[last].disk+m.runs[last].count == disk {
			m.runs[last].count += count
		} else {
			m.runs = append(m.runs, run{m.next, disk, count})
		}
	}
	m.next += max(count, 0)
}

// indirect adds the blocks that a block lists, or those that its blocks list.
func (m *blockMap) indirect(block int64, depth int) error {
	if m.next >= m.blocks {
		return nil
	}
	pointers := m.f.blockSize / 4
	if block == 0 {
		count := int64(1)
		for range depth {
			count *= pointers
		}
		m.add(0, count)
		return nil
	}
	b := make([]byte, m.f.blockSize)
	if _, err := m.f.disk.ReadAt(b, block*m.f.blockSize); err != nil {
		return errors.Wrap(err, "read the map of blocks")
	}
	for i := range int(pointers) {
		if m.f.tooMany(m.runs) {
			return errors.New("the map of blocks is damaged")
		}
		pointer := int64(u32(b, 4*i))
		if depth == 1 {
			m.add(pointer, 1)
		} else if err := m.indirect(pointer, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// content reads the data of a file.
type content struct {
	f    *FileSystem
	size int64
	runs []run
}

func (f *FileSystem) content(n *inode) (*content, error) {
	runs, err := f.runs(n)
	return &content{f, n.size, runs}, err
}

// ReadAt implements io.ReaderAt.
func (c *content) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 {
		return 0, errors.New("the offset is negative")
	}
	read := 0
	for read < len(b) && at < c.size {
		part := b[read:min(int64(len(b)), int64(read)+c.size-at)]
		n, err := c.readPart(part, at)
		read += n
		at += int64(n)
		if err != nil {
			return read, err
		}
	}
	if read < len(b) {
		return read, io.EOF
	}
	return read, nil
}

// readPart reads from one run or one hole.
func (c *content) readPart(b []byte, at int64) (int, error) {
	size := c.f.blockSize
	i, _ := slices.BinarySearchFunc(c.runs, at/size, func(r run, block int64) int {
		if r.file+r.count <= block {
			return -1
		}
		return 1
	})
	if i == len(c.runs) {
		clear(b)
		return len(b), nil
	}
	r := c.runs[i]
	if start := r.file * size; at < start {
		b = b[:min(int64(len(b)), start-at)]
		clear(b)
		return len(b), nil
	}
	b = b[:min(int64(len(b)), (r.file+r.count)*size-at)]
	return c.f.disk.ReadAt(b, r.disk*size+at-r.file*size)
}
