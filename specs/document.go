package specs

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"
)

// Document is a loaded spec: its values, and where each of them was written.
type Document struct {
	Spec Spec
	// Sources is the chain of files, from the one that was asked for to the
	// last that is extended.
	Sources []*Source

	ranges map[string]Range
	// extends is where each source names the next one.
	extends []Range
}

// At returns where the value with this key was written. When it was not, the
// nearest value around it is returned, and at last the top of the spec.
func (d *Document) At(key string) Range {
	if r, ok := d.nearest(key); ok {
		return r
	}
	return top(d.Sources[0])
}

func (d *Document) nearest(key string) (Range, bool) {
	for {
		if r, ok := d.ranges[key]; ok {
			return r, true
		}
		cut := strings.LastIndexAny(key, ".[")
		if cut < 0 {
			return Range{}, false
		}
		key = key[:cut]
	}
}

// Has tells whether any file of the chain sets the key.
func (d *Document) Has(key string) bool {
	_, ok := d.ranges[key]
	return ok
}

// Diagnose makes a diagnostic that points at the value with this key.
func (d *Document) Diagnose(key, hint, format string, args ...any) Diagnostic {
	return Diagnostic{Range: d.At(key), Key: key, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// newDocument decodes a checked tree that was merged from a chain.
func newDocument(t *tree, chain []*tree) (*Document, error) {
	d := &Document{ranges: map[string]Range{}}
	for _, link := range chain {
		src := link.sources[link.root]
		d.Sources = append(d.Sources, src)
		if extends := find(link.root, "extends"); extends != nil {
			d.extends = append(d.extends, nodeRange(src, extends))
		}
	}
	if err := decode(t.root, reflect.ValueOf(&d.Spec).Elem()); err != nil {
		return nil, errors.Wrap(err, "decode the merged spec")
	}
	d.record(t, t.root, "")
	return d, nil
}

// record notes where every value stands.
func (d *Document) record(t *tree, n *yaml.Node, key string) {
	if key != "" {
		d.ranges[key] = nodeRange(t.sources[n], n)
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			d.record(t, n.Content[i+1], joinKey(key, n.Content[i].Value))
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			d.record(t, item, fmt.Sprintf("%s[%d]", key, i))
		}
	}
}

func splitKey(key string) iter.Seq[string] { return strings.SplitSeq(key, ".") }

// Decision returns the line of the user's own files that decided about a
// value. What a built-in flavor sets, or no file of the chain, was decided by
// the line that extends the flavor.
func (d *Document) Decision(key string) Range {
	if r, ok := d.nearest(key); ok && !r.Source.Builtin {
		return r
	}
	for _, extends := range slices.Backward(d.extends) {
		if !extends.Source.Builtin {
			return extends
		}
	}
	return top(d.Sources[0])
}
