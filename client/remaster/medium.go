package remaster

import (
	"encoding/binary"
	"io"
	"path"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/pkg/errors"
)

// block is the size of a block of ISO 9660 in bytes.
const block = 2048

// medium is an ISO 9660. It has several trees with the same files: that of ISO 9660 and that of
// Joliet, and if it is also a disk, both again for its first partition.
type medium struct {
	io.ReaderAt
	// trees begin with that of ISO 9660.
	trees   []tree
	created time.Time
	// size in bytes, as it says itself.
	size int64
}

// tree is a tree of directories.
type tree struct {
	// base is the block from which the numbers of blocks count.
	base   int64
	root   extent
	joliet bool
}

// extent is a part of the medium: a block of its tree, and bytes.
type extent struct{ block, size int64 }

// record is an entry of a directory (ECMA-119, 9.1).
type record struct {
	extent
	name string
	// at is its place on the medium, in bytes.
	at int64
	// isDir and more are flags: more is set if another part of the file follows.
	isDir, more bool
}

// place is where a file is on the medium, in bytes.
type place struct {
	start, size int64
	// records that say so; more than one for a file of 4 GiB.
	records []record
}

// partitionOffset is the first block of the partition with trees of its own, which flavorkit and
// upstream both ask xorriso for.
const partitionOffset = 16

var errNotISO = errors.New("it is not an ISO")

// openMedium finds the trees.
func openMedium(r io.ReaderAt) (*medium, error) {
	m := &medium{ReaderAt: r}
	for _, base := range []int64{0, partitionOffset} {
		if err := m.addTrees(base); err != nil {
			return nil, err
		}
		if len(m.trees) == 0 {
			return nil, errNotISO
		}
	}
	return m, nil
}

// addTrees reads the volume descriptors (ECMA-119, 8).
func (m *medium) addTrees(base int64) error {
	const (
		first, most          = 16, 16
		primary, more, after = 1, 2, 255
	)
	for i := base + first; i < base+first+most; i++ {
		d := make([]byte, block)
		if _, err := m.ReadAt(d, i*block); err != nil {
			if len(m.trees) == 0 && errors.Is(err, io.EOF) {
				return errNotISO
			}
			return errors.Wrap(err, "read the volume descriptors")
		}
		if string(d[1:6]) != "CD001" || d[0] == after {
			return nil
		}
		joliet := d[0] == more && d[88] == '%' && d[89] == '/'
		if d[0] != primary && !joliet {
			continue
		}
		m.trees = append(m.trees, tree{base, readExtent(d[156:]), joliet})
		if len(m.trees) == 1 {
			m.size = int64(binary.LittleEndian.Uint32(d[80:])) * block
			m.created, _ = time.Parse("20060102150405", string(d[813:827]))
		}
	}
	return nil
}

// readExtent reads the part of a record that says where a file is.
func readExtent(record []byte) extent {
	return extent{int64(binary.LittleEndian.Uint32(record[2:])), int64(binary.LittleEndian.Uint32(record[10:]))}
}

// bytes returns that part: two numbers, each little-endian, then big-endian.
func (e extent) bytes() []byte {
	var b []byte
	for _, n := range []int64{e.block, e.size} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// entries reads a directory.
func (m *medium) entries(t tree, dir extent) ([]record, error) {
	const most = 1 << 20
	if dir.size > most {
		return nil, errors.New("a directory of it is too large")
	}
	start := (t.base + dir.block) * block
	data := make([]byte, dir.size)
	if _, err := m.ReadAt(data, start); err != nil {
		return nil, errors.Wrap(err, "read a directory of it")
	}
	var all []record
	for at := 0; at < len(data); {
		length := int(data[at])
		if length == 0 { // no record crosses the end of a block
			at = (at/block + 1) * block
			continue
		}
		const header, flags = 33, 25
		if length < header || at+length > len(data) || header+int(data[at+32]) > length {
			return nil, errors.New("a directory of it is damaged")
		}
		r := data[at : at+length]
		all = append(all, record{readExtent(r), recordName(r, t.joliet), start + int64(at), r[flags]&2 != 0, r[flags]&0x80 != 0})
		at += length
	}
	return all, nil
}

// recordName is the name of an entry. Rock Ridge has it beside the short one of ISO 9660.
func recordName(r []byte, joliet bool) string {
	const header = 33
	end := header + int(r[32])
	id := r[header:end]
	if joliet {
		var text []uint16
		for ; len(id) > 1; id = id[2:] {
			text = append(text, binary.BigEndian.Uint16(id))
		}
		return strings.TrimSuffix(string(utf16.Decode(text)), ";1")
	}
	for fields := r[min(end+1-len(id)%2, len(r)):]; len(fields) > 4; { // padded to an even length
		length := int(fields[2])
		if length < 4 || length > len(fields) {
			break
		}
		if string(fields[:2]) == "NM" && length > 5 {
			return string(fields[5:length])
		}
		fields = fields[length:]
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(string(id), ";1"), "."))
}

// find finds a file; ok is false if there is none. The name is a path from the root.
func (m *medium) find(t tree, name string) (p place, ok bool, err error) {
	dir := t.root
	if parent := path.Dir(name); parent != "/" {
		for part := range strings.SplitSeq(parent[1:], "/") {
			entries, err := m.entries(t, dir)
			if err != nil {
				return p, false, err
			}
			found := false
			for _, r := range entries {
				if r.isDir && r.name == part {
					dir, found = r.extent, true
				}
			}
			if !found {
				return p, false, nil
			}
		}
	}
	entries, err := m.entries(t, dir)
	if err != nil {
		return p, false, err
	}
	for _, r := range entries {
		if r.isDir || r.name != path.Base(name) {
			continue
		}
		if len(p.records) == 0 {
			p.start = (t.base + r.block) * block
		}
		p.records = append(p.records, r)
		p.size += r.size
	}
	return p, len(p.records) > 0, nil
}

// content reads a place.
func (m *medium) content(p place) *io.SectionReader { return io.NewSectionReader(m, p.start, p.size) }

// inside reports whether a file is in the bytes of another.
func (p place) inside(other place) bool {
	return p.start >= other.start && p.start+p.size <= other.start+other.size
}
