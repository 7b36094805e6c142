package pkgdb

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// blobs calls each for the headers in a database of rpm.
type blobs func(fsys fs.FS, name string, each func([]byte) error) error

// readRPM reads packages from their headers.
func readRPM(all blobs) func(fs.FS, string, Owns) ([]Package, error) {
	return func(fsys fs.FS, name string, owns Owns) (packages []Package, err error) {
		err = all(fsys, name, func(blob []byte) error {
			h, err := parseHeader(blob)
			if err != nil {
				return err
			}
			// Keys of repositories are kept in the same database.
			if p := h.pkg(); p.Name != "gpg-pubkey" && h.owned(owns) {
				packages = append(packages, p)
			}
			return nil
		})
		return packages, err
	}
}

// Tags of a header (rpm, include/rpm/rpmtag.h).
const (
	tagName       = 1000
	tagVersion    = 1001
	tagRelease    = 1002
	tagEpoch      = 1003
	tagVendor     = 1011
	tagLicense    = 1014
	tagArch       = 1022
	tagSourceRPM  = 1044
	tagDirIndexes = 1116
	tagBaseNames  = 1117
	tagDirNames   = 1118
)

// Types of values.
const (
	typeInt32       = 4
	typeString      = 6
	typeStringArray = 8
	typeI18NString  = 9
)

// header has the values of a package.
type header struct {
	strings map[uint32][]string
	ints    map[uint32][]uint32
}

// parseHeader reads a header as rpm stores it: the number of entries, the length of the data, the
// entries with tag, type, offset and count, and the data; all numbers are big-endian (rpm,
// docs/manual/format_header.md).
func parseHeader(blob []byte) (header, error) {
	const prefix, entry = 8, 16
	h := header{strings: map[uint32][]string{}, ints: map[uint32][]uint32{}}
	if len(blob) < prefix {
		return h, errors.New("a header of rpm is too short")
	}
	count, length := uint64(binary.BigEndian.Uint32(blob)), uint64(binary.BigEndian.Uint32(blob[4:]))
	if prefix+count*entry+length > uint64(len(blob)) {
		return h, errors.New("a header of rpm is cut off")
	}
	entries, data := blob[prefix:prefix+count*entry], blob[prefix+count*entry:]
	for ; len(entries) > 0; entries = entries[entry:] {
		tag, kind := binary.BigEndian.Uint32(entries), binary.BigEndian.Uint32(entries[4:])
		offset, n := uint64(binary.BigEndian.Uint32(entries[8:])), uint64(binary.BigEndian.Uint32(entries[12:]))
		if offset > uint64(len(data)) {
			return h, errors.Errorf("a header of rpm has no data for the tag %d", tag)
		}
		value := data[offset:]
		switch kind {
		case typeInt32:
			if 4*n > uint64(len(value)) {
				return h, errors.Errorf("a header of rpm has too little data for the tag %d", tag)
			}
			for i := range n {
				h.ints[tag] = append(h.ints[tag], binary.BigEndian.Uint32(value[4*i:]))
			}
		case typeString, typeStringArray, typeI18NString:
			for range n {
				text, rest, ok := bytes.Cut(value, []byte{0})
				if !ok {
					return h, errors.Errorf("a header of rpm has too little data for the tag %d", tag)
				}
				h.strings[tag], value = append(h.strings[tag], string(text)), rest
			}
		}
	}
	return h, nil
}

// text is a value that there is one of.
func (h header) text(tag uint32) string {
	if all := h.strings[tag]; len(all) > 0 && all[0] != "(none)" {
		return all[0]
	}
	return ""
}

func (h header) pkg() Package {
	p := Package{Name: h.text(tagName), Version: h.text(tagVersion) + "-" + h.text(tagRelease), Arch: h.text(tagArch), Supplier: h.text(tagVendor)}
	if epoch := h.ints[tagEpoch]; len(epoch) > 0 {
		p.Version = strconv.FormatUint(uint64(epoch[0]), 10) + ":" + p.Version
	}
	if license := h.text(tagLicense); license != "" {
		p.Licenses = []string{license}
	}
	p.Source, p.SourceVersion = SplitSource(h.text(tagSourceRPM))
	return p
}

// SplitSource splits the name of a source package, such as bash-5.2.26-3.fc40.src.rpm.
func SplitSource(file string) (name, version string) {
	base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".src"), ".nosrc")
	release := strings.LastIndexByte(base, '-')
	if release < 0 {
		return base, ""
	}
	at := strings.LastIndexByte(base[:release], '-')
	if at < 0 {
		return base, ""
	}
	return base[:at], base[at+1:]
}

// owned reports whether the package has one of the files.
func (h header) owned(owns Owns) bool {
	if owns == nil {
		return true
	}
	dirs, indexes := h.strings[tagDirNames], h.ints[tagDirIndexes]
	for i, base := range h.strings[tagBaseNames] {
		if i < len(indexes) && int(indexes[i]) < len(dirs) && owns(strings.TrimPrefix(path.Join(dirs[indexes[i]], base), "/")) {
			return true
		}
	}
	return false
}

// mostHeader is more than any header of a package has.
const mostHeader = 64 << 20

// open opens a file to read parts of it.
func open(fsys fs.FS, name string) (io.ReaderAt, func() error, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, nil, err
	}
	if at, ok := f.(io.ReaderAt); ok {
		return at, f.Close, nil
	}
	data, err := io.ReadAll(f)
	return bytes.NewReader(data), f.Close, err
}

// readAt reads a part of a file.
func readAt(r io.ReaderAt, offset int64, length int) ([]byte, error) {
	data := make([]byte, length)
	if n, err := r.ReadAt(data, offset); n < length {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return data, nil
}

// ndbBlobs reads the format ndb of rpm: pages of slots, which tell where the blobs are, in blocks
// of 16 bytes; all numbers are little-endian (rpm, lib/backend/ndb/rpmpkg.c).
func ndbBlobs(fsys fs.FS, name string, each func([]byte) error) error {
	const page, slot, block, headSize = 4096, 16, 16, 16
	const maxPages = 1 << 12
	r, done, err := open(fsys, name)
	if err != nil {
		return err
	}
	defer func() { _ = done() }() // only read
	head, err := readAt(r, 0, 2*slot)
	if err != nil {
		return err
	}
	pages := binary.LittleEndian.Uint32(head[12:])
	if string(head[:4]) != "RpmP" || pages == 0 || pages > maxPages {
		return errors.New("not a database of rpm in the format ndb")
	}
	slots, err := readAt(r, 0, int(pages)*page)
	if err != nil {
		return err
	}
	for s := range slices.Chunk(slots[2*slot:], slot) {
		if string(s[:4]) != "Slot" {
			return errors.New("a slot of the database is damaged")
		}
		at := int64(binary.LittleEndian.Uint32(s[8:])) * block
		if at == 0 {
			continue
		}
		head, err := readAt(r, at, headSize)
		if err != nil {
			return err
		}
		length := binary.LittleEndian.Uint32(head[12:])
		if string(head[:4]) != "BlbS" || !bytes.Equal(head[4:8], s[4:8]) || length > mostHeader {
			return errors.New("a blob of the database is damaged")
		}
		blob, err := readAt(r, at+headSize, int(length))
		if err != nil {
			return err
		}
		if err := each(blob); err != nil {
			return err
		}
	}
	return nil
}

// bdbBlobs names the format of older releases, which would need a reader of Berkeley DB.
func bdbBlobs(fs.FS, string, func([]byte) error) error {
	return errors.New("databases of rpm in the format of Berkeley DB cannot be read")
}
