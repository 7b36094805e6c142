package specs

import (
	"reflect"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"
)

func emptyFile() empty {
	return empty{message: "the file is empty"}
}

// Read reads a file that is not a spec into a struct, by the same rules: known keys, correct types,
// no aliases. at returns the position of a key, such as entries[0].extends[2], or of the nearest
// value around it. All mistakes are returned as Diagnostics.
func Read(src *Source, into any) (at func(key string) Range, err error) {
	v := reflect.ValueOf(into).Elem()
	t, found := parse(src, v.Type(), format{empty: emptyFile()})
	if err := found.Err(); err != nil {
		return nil, err
	}
	if err := decode(t.root, v); err != nil {
		return nil, errors.Wrapf(err, "decode %s", src.Name)
	}
	d := &Document{Sources: []*Source{src}, places: map[string]place{}}
	d.record(t, t.root, "", "")
	return d.At, nil
}

// Record is a YAML file that may extend another one, such as a record of the catalog: nodes that
// fit a struct type, to be merged and decoded.
type Record struct {
	Root *yaml.Node
	// Ranges are the positions of the nodes.
	Ranges map[*yaml.Node]Range
}

// ReadRecord reads a file by the same rules as Read. If it has the key like, a key without a value
// removes the key of the other record. The root is nil when the text is not one YAML mapping.
func ReadRecord(src *Source, typ reflect.Type, like string) (Record, Diagnostics) {
	t, found := parse(src, typ, format{empty: emptyFile(), takesAway: func(root *yaml.Node) bool { return findKey(root, like) >= 0 }})
	if t == nil {
		return Record{}, found
	}
	return Record{Root: t.root, Ranges: t.ranges}, found
}

// Decode sets the struct that into points to from a node of a Record.
func Decode(n *yaml.Node, into any) error { return decode(n, reflect.ValueOf(into).Elem()) }
