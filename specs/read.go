package specs

import (
	"reflect"

	"github.com/pkg/errors"
)

// Read reads a file that is no spec, by the same rules, into a struct: known
// keys, values of the right kind, no aliases. at tells where the value with a
// key stands, such as cells[0].extends[2], or else the nearest around it.
// Mistakes come back as Diagnostics, all of them at once.
func Read(src *Source, into any) (at func(key string) Range, err error) {
	v := reflect.ValueOf(into).Elem()
	t, found := parse(src, v.Type(), empty{message: "the file is empty"})
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
