package pkgdb

import (
	"encoding/binary"
	"io"
	"io/fs"

	"github.com/pkg/errors"
)

// walSuffix is that of the log of changes which are not in the database yet.
const walSuffix = "-wal"

// sqliteRows reads the table Packages of a database of rpm in the format sqlite: a number and the
// header in each row (rpm, lib/backend/sqlite.c).
func sqliteRows(fsys fs.FS, name string, each func([]byte) error) error {
	if info, err := fs.Stat(fsys, name+walSuffix); err == nil && info.Size() > 0 {
		return errors.New("the database was not closed: it has changes in " + name + walSuffix)
	}
	r, done, err := open(fsys, name)
	if err != nil {
		return err
	}
	defer func() { _ = done() }() // only read
	db, err := openSQLite(r)
	if err != nil {
		return err
	}
	root := uint32(0)
	// type, name, tbl_name, rootpage, sql (sqlite.org/schematab.html)
	err = db.walk(1, func(row []value) error {
		if len(row) == 5 && string(row[0].bytes) == "table" && string(row[1].bytes) == "Packages" {
			root = uint32(row[3].integer)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if root == 0 {
		return errors.New("the database has no table Packages")
	}
	return db.walk(root, func(row []value) error {
		if len(row) != 2 {
			return errors.Errorf("a row of the table Packages has %d columns", len(row))
		}
		return each(row[1].bytes)
	})
}

// sqlite reads tables of a database file (sqlite.org/fileformat2.html).
type sqlite struct {
	r io.ReaderAt
	// size of a page, and usable the part without what is reserved at its end.
	size, usable int
}

func openSQLite(r io.ReaderAt) (sqlite, error) {
	head, err := readAt(r, 0, 100)
	if err != nil {
		return sqlite{}, err
	}
	size := int(binary.BigEndian.Uint16(head[16:]))
	if size == 1 {
		size = 1 << 16
	}
	db := sqlite{r: r, size: size, usable: size - int(head[20])}
	if string(head[:16]) != "SQLite format 3\x00" || size < 512 || size&(size-1) != 0 || db.usable < 480 {
		return sqlite{}, errors.New("not a database of sqlite")
	}
	return db, nil
}

func (db sqlite) page(number uint32) ([]byte, error) {
	if number == 0 {
		return nil, errors.New("the database is damaged: a page has no number")
	}
	return readAt(db.r, int64(number-1)*int64(db.size), db.size)
}

// Kinds of pages of a table.
const (
	tableInterior = 5
	tableLeaf     = 13
)

// mostPages is more than any database of packages has; damaged pages may lead in circles.
const mostPages = 1 << 20

// walk calls each for the rows of a table.
func (db sqlite) walk(root uint32, each func([]value) error) error {
	next := []uint32{root}
	for seen := 0; len(next) > 0; seen++ {
		if seen > mostPages {
			return errors.New("the database is damaged: its pages lead in circles")
		}
		number := next[len(next)-1]
		next = next[:len(next)-1]
		page, err := db.page(number)
		if err != nil {
			return err
		}
		children, err := db.visit(page, number, each)
		if err != nil {
			return err
		}
		next = append(next, children...)
	}
	return nil
}

// visit calls each for the rows of a page, or returns its children.
func (db sqlite) visit(page []byte, number uint32, each func([]value) error) (children []uint32, err error) {
	head := page
	if number == 1 {
		head = page[100:] // the header of the file
	}
	kind, cells := head[0], int(binary.BigEndian.Uint16(head[3:]))
	pointers := head[8:]
	if kind == tableInterior {
		children = append(children, binary.BigEndian.Uint32(head[8:]))
		pointers = head[12:]
	} else if kind != tableLeaf {
		return nil, errors.Errorf("the database is damaged: page %d is of no table", number)
	}
	if 2*cells > len(pointers) {
		return nil, errors.Errorf("the database is damaged: page %d has %d cells", number, cells)
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(pointers[2*i:]))
		if at+4 > db.usable {
			return nil, errors.Errorf("the database is damaged: a cell of page %d is outside of it", number)
		}
		if kind == tableInterior {
			children = append(children, binary.BigEndian.Uint32(page[at:]))
			continue
		}
		payload, err := db.payload(page[at:db.usable])
		if err != nil {
			return nil, err
		}
		row, err := parseRecord(payload)
		if err != nil {
			return nil, err
		}
		if err := each(row); err != nil {
			return nil, err
		}
	}
	return children, nil
}

// payload returns the content of a cell, of which a part may be in a chain of other pages.
func (db sqlite) payload(cell []byte) ([]byte, error) {
	damaged := errors.New("the database is damaged: a row is cut off")
	length, n := varint(cell)
	_, m := varint(cell[n:])
	cell = cell[n+m:]
	if n == 0 || m == 0 || length > mostHeader {
		return nil, damaged
	}
	// The formula is that of the file format, "B-tree cell format".
	local, most := int(length), db.usable-35
	if local > most {
		least := (db.usable-12)*32/255 - 23
		if local = least + (int(length)-least)%(db.usable-4); local > most {
			local = least
		}
	}
	if local > len(cell) {
		return nil, damaged
	}
	payload := append(make([]byte, 0, local), cell[:local]...)
	if local == int(length) {
		return payload, nil
	}
	if local+4 > len(cell) {
		return nil, damaged
	}
	for next := binary.BigEndian.Uint32(cell[local:]); len(payload) < int(length); {
		page, err := db.page(next)
		if err != nil {
			return nil, err
		}
		next = binary.BigEndian.Uint32(page)
		payload = append(payload, page[4:min(db.usable, 4+int(length)-len(payload))]...)
	}
	return payload, nil
}

// value is a column of a row: an integer, or the bytes of a text or a blob.
type value struct {
	integer int64
	bytes   []byte
}

// parseRecord reads the columns of a row: the length of the header, the types, and the values.
func parseRecord(record []byte) (row []value, err error) {
	damaged := errors.New("the database is damaged: a row does not have the size of its columns")
	size, n := varint(record)
	if n == 0 || size > uint64(len(record)) || size < uint64(n) {
		return nil, damaged
	}
	types, data := record[n:size], record[size:]
	for len(types) > 0 {
		kind, n := varint(types)
		if n == 0 {
			return nil, damaged
		}
		types = types[n:]
		length := columnSize(kind)
		if length > uint64(len(data)) {
			return nil, damaged
		}
		v := value{}
		switch content := data[:length]; {
		case kind >= 12:
			v.bytes = content
		case kind == 9:
			v.integer = 1
		case kind >= 1 && kind <= 6:
			if content[0] >= 0x80 {
				v.integer = -1
			}
			for _, b := range content {
				v.integer = v.integer<<8 | int64(b)
			}
		}
		row, data = append(row, v), data[length:]
	}
	return row, nil
}

// columnSize is the number of bytes of a value, by its type.
func columnSize(kind uint64) uint64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind == 7:
		return 8
	case kind >= 1 && kind <= 6:
		return []uint64{1, 2, 3, 4, 6, 8}[kind-1]
	default:
		return 0
	}
}

// varint reads an integer of up to nine bytes, of which the last has eight bits and the others
// seven. n is 0 when it is cut off.
func varint(data []byte) (v uint64, n int) {
	for n < len(data) && n < 8 {
		b := data[n]
		v, n = v<<7|uint64(b&0x7f), n+1
		if b < 0x80 {
			return v, n
		}
	}
	if n < 8 || n >= len(data) {
		return 0, 0
	}
	return v<<8 | uint64(data[n]), n + 1
}
