package specs

import (
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// Document is a loaded spec: its values and their positions.
type Document struct {
	Spec Spec
	// Sources is the chain of files, from the spec itself to the last one that is extended.
	Sources []*Source

	places map[string]place
	// extends has the position of extends in each source.
	extends []Range
	// replaced are the values of bases that do not count.
	replaced []Replaced
	// args are the values of the build arguments, and used the names of those that a value has.
	args map[string]string
	used map[string]bool
	// chain is what conditions are evaluated in; empty if it has none or they are evaluated.
	chain chain
	// leftOut are the parts that conditions left out.
	leftOut []LeftOut
	// mistakes of the language, in no order.
	mistakes Diagnostics
	// unread are values that cannot be read because of a mistake elsewhere. They are not reported.
	unread Diagnostics
	// whole is true when everything that is extended could be read.
	whole bool
}

// place is the position of a value.
type place struct {
	Range
	// key is the key of the value in its own file.
	key string
}

// At returns the position of the value with this key, else of the nearest value around it, else the
// top of the spec.
func (d *Document) At(key string) Range {
	if r, ok := d.nearest(key); ok {
		return r
	}
	return top(d.Sources[0])
}

func (d *Document) nearest(key string) (Range, bool) {
	for {
		if p, ok := d.places[key]; ok {
			return p.Range, true
		}
		if key = outer(key); key == "" {
			return Range{}, false
		}
	}
}

// outer is the key of the mapping or list that a value is in; empty at the top.
func outer(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }

// Flavor is the flavor that the spec extends, or "".
func (d *Document) Flavor() string {
	for _, src := range d.Sources {
		if src.Flavor != "" {
			return src.Flavor
		}
	}
	return ""
}

// Has reports whether any file of the chain sets the key.
func (d *Document) Has(key string) bool {
	_, ok := d.places[key]
	return ok
}

// Undone reports whether a spec added a package that its base removes, or the other way round.
// Neither list has the entry of the base then.
func (d *Document) Undone(name string) bool {
	return slices.ContainsFunc(d.replaced, func(r Replaced) bool {
		return r.Text == name && slices.Contains([]string{"packages.add", "packages.remove"}, outer(r.Key))
	})
}

// Replaced are the values of bases that nearer specs replace or take out of lists, the farthest base
// first.
func (d *Document) Replaced() []Replaced { return d.replaced }

// Keys are the keys of all values that the chain sets.
func (d *Document) Keys() iter.Seq[string] { return maps.Keys(d.places) }

// Written is the key of a value in its own file. Items of lists have other numbers there if lists
// add up, or if conditions leave items out.
func (d *Document) Written(key string) string {
	if p, ok := d.places[key]; ok {
		return p.key
	}
	return key
}

// Arg is the value of a build argument that the chain declares.
func (d *Document) Arg(name string) string { return d.args[name] }

// Unused reports whether no value has a build argument that the chain declares.
func (d *Document) Unused(arg string) bool { return !d.used[arg] }

// Diagnose makes a diagnostic about the value with this key. It points at the user's own files, not
// at a built-in flavor.
func (d *Document) Diagnose(rule rules.Rule, key, hint, format string, args ...any) Diagnostic {
	at := d.At(key)
	if at.Source.Builtin {
		at = d.Decision(key)
	}
	return Diagnostic{Rule: rule, Range: at, Key: d.Written(key), Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Err returns the mistakes of the language as Diagnostics, or nil.
func (d *Document) Err() error { return d.mistakes.Err() }

// With returns the mistakes of the language and other mistakes of the document as Diagnostics, or
// nil. A mistake of the language hides others at the same place.
func (d *Document) With(others Diagnostics) error {
	known := slices.Concat(d.mistakes, d.unread)
	others = slices.DeleteFunc(slices.Clone(others), func(o Diagnostic) bool {
		return slices.ContainsFunc(known, func(m Diagnostic) bool {
			return m.Range.Source == o.Range.Source && m.Range.Start == o.Range.Start
		})
	})
	return slices.Concat(d.mistakes, others).Err()
}

// Whole reports whether everything that the spec extends could be read.
func (d *Document) Whole() bool { return d.whole }

// Unsure reports whether a mistake makes the value of one of the keys unreliable: a mistake in the
// value or around it, such as a misspelled key, or a base that could not be read. Mistakes that
// follow from such a value are not reported.
func (d *Document) Unsure(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		open := !d.whole
		for _, m := range slices.Concat(d.mistakes, d.unread) {
			if within(m.Key, key) {
				return true
			}
			open = open || within(key, m.Key)
		}
		return open && !d.Has(key)
	})
}

// within reports whether a key equals another one or is part of its value.
func within(key, outer string) bool {
	rest, ok := strings.CutPrefix(key, outer)
	return ok && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// newDocument merges a chain of checked trees, nearest first, and decodes it.
func newDocument(src *Source, chain chain) (*Document, error) {
	d := &Document{
		places: map[string]place{}, whole: chain.whole, args: chain.args, used: chain.used,
		mistakes: chain.found, unread: chain.unread, leftOut: chain.leftOut,
	}
	if len(chain.trees) == 0 {
		d.Sources = []*Source{src}
		return d, nil
	}
	for _, link := range chain.trees {
		d.Sources = append(d.Sources, link.source)
		if extends := find(link.root, "extends"); extends != nil {
			d.extends = append(d.extends, link.ranges[extends])
		}
	}
	last := len(chain.trees) - 1
	t := chain.trees[last]
	for _, nearer := range slices.Backward(chain.trees[:last]) {
		t = merge(t, nearer)
	}
	if chain.site != nil {
		t = merge(t, chain.site)
		d.Sources = append(d.Sources, chain.site.source)
	}
	d.replaced = t.replaced
	if err := decode(t.root, reflect.ValueOf(&d.Spec).Elem()); err != nil {
		return nil, errors.Wrap(err, "decode the merged spec")
	}
	d.record(t, t.root, "", "")
	return d, nil
}

// record notes the position of every value: key is its key in the merged document, written the one
// in its own file.
func (d *Document) record(t *tree, n *yaml.Node, key, written string) {
	if key != "" {
		d.places[key] = place{t.ranges[n], written}
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i].Value
			d.record(t, n.Content[i+1], joinKey(key, name), joinKey(written, name))
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			d.record(t, item, itemKey(key, i), itemKey(written, t.index[item]))
		}
	}
}

// Decision returns the position in the user's own files that decided about a value. For a value of
// a built-in flavor, or of no file, that is the line that extends the flavor.
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

// Chain is how the spec comes to a part of one of its files: the part, and the lines that extend the
// file, nearest first, up to the spec. It is empty for a part of the spec itself, and of what it does
// not extend.
func (d *Document) Chain(part Range) []Range {
	at := slices.Index(d.Sources, part.Source)
	if at <= 0 || at > len(d.extends) {
		return nil
	}
	chain := []Range{part}
	for _, extends := range slices.Backward(d.extends[:at]) {
		chain = append(chain, extends)
	}
	return chain
}

// ChainOf is the Chain of the value with this key, or else of what decided about it.
func (d *Document) ChainOf(key string) []Range {
	r, ok := d.nearest(key)
	if !ok {
		r = d.Decision(key)
	}
	return d.Chain(r)
}

// Without returns a copy of an evaluated document that lacks the value of a key, to find out whether the
// spec can do without it. Items of lists behind it keep their places.
func (d *Document) Without(key string) *Document {
	c := *d
	c.places = maps.Clone(d.places)
	maps.DeleteFunc(c.places, func(k string, _ place) bool { return within(k, key) })
	value := reflect.ValueOf(&c.Spec).Elem()
	value.Set(without(value, key))
	c.mistakes = c.validate(true)
	return &c
}

// without returns a copy of a value that lacks what is at a key.
func without(v reflect.Value, key string) reflect.Value {
	name, rest := strings.TrimLeft(key, ".["), ""
	if cut := strings.IndexAny(name, ".[]"); cut >= 0 {
		name, rest = name[:cut], strings.TrimPrefix(name[cut:], "]")
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		field := fieldByKey(c, name)
		if rest == "" {
			field.SetZero()
		} else {
			field.Set(without(field, rest))
		}
	case reflect.Map:
		c.Set(reflect.MakeMap(v.Type()))
		for _, k := range v.MapKeys() {
			if k.String() != name {
				c.SetMapIndex(k, v.MapIndex(k))
			}
		}
	case reflect.Slice:
		at, err := strconv.Atoi(name)
		if err != nil || at >= v.Len() {
			return v
		}
		c.Set(reflect.AppendSlice(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()-1), v.Slice(0, at)), v.Slice(at+1, v.Len())))
	}
	return c
}
