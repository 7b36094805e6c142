package catalog

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs"
)

// likeKey is the key for the record that a record is laid over.
const likeKey = "like"

// resolve returns a record laid over the record that it is like, recursively. ok is false after a
// mistake.
func (l *loader) resolve(dir, name string) (node *yaml.Node, ok bool) {
	return l.follow(dir, name, len(l.records[dir+"/"+name])-1)
}

// follow resolves a record of a layer, counted from the lowest. A record that is like itself
// extends the one that it replaces.
func (l *loader) follow(dir, name string, place int, path ...string) (node *yaml.Node, ok bool) {
	record := l.records[dir+"/"+name][place]
	path = append(path, fmt.Sprint(name, place))
	at := keyOf(record, likeKey)
	if at < 0 {
		return record, true
	}
	value := record.Content[at+1]
	like := value.Value
	below := len(l.records[dir+"/"+like]) - 1
	if like == name {
		below = place - 1
	}
	switch {
	case len(l.records[dir+"/"+like]) == 0:
		l.report(value, likeKey, specs.Suggest(like, l.names(dir)), "there is no %s", like)
	case below < 0, slices.Contains(path, fmt.Sprint(like, below)):
		l.report(value, likeKey, "", "%s is like itself", name)
	default:
		if base, ok := l.follow(dir, like, below, path...); ok {
			return l.overlay(base, record), true
		}
	}
	return nil, false
}

// names are those of the records of a directory.
func (l *loader) names(dir string) (names []string) {
	for file := range l.records {
		if name, ok := strings.CutPrefix(file, dir+"/"); ok {
			names = append(names, name)
		}
	}
	return names
}

func (l *loader) report(n *yaml.Node, key, hint, format string, args ...any) {
	l.found = append(l.found, diagnostic(l.ranges[n], key, hint, format, args...))
}

// overlay lays a node over another: mappings are merged by key, lists of named items by name,
// anything else is replaced. A key without a value removes the key; an item with only a name
// removes the item.
func (l *loader) overlay(base, over *yaml.Node) *yaml.Node {
	switch {
	case base.Kind == yaml.MappingNode && over.Kind == yaml.MappingNode:
		return l.overlayMapping(base, over)
	case isNamed(base) && isNamed(over):
		return l.overlayNamed(base, over)
	default:
		return over
	}
}

// over returns a copy of base at the place of over.
func (l *loader) over(base, over *yaml.Node) *yaml.Node {
	merged := *base
	merged.Content = slices.Clone(base.Content)
	l.ranges[&merged] = l.ranges[over]
	return &merged
}

func (l *loader) overlayMapping(base, over *yaml.Node) *yaml.Node {
	merged := l.over(base, over)
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		at := keyOf(merged, key.Value)
		switch {
		case value.Tag == "!!null" && at >= 0:
			merged.Content = slices.Delete(merged.Content, at, at+2)
		case at < 0:
			merged.Content = append(merged.Content, key, value)
		default:
			merged.Content[at+1] = l.overlay(merged.Content[at+1], value)
		}
	}
	return merged
}

func (l *loader) overlayNamed(base, over *yaml.Node) *yaml.Node {
	merged := l.over(base, over)
	for _, item := range over.Content {
		at := slices.IndexFunc(merged.Content, func(n *yaml.Node) bool { return nameOf(n) == nameOf(item) })
		switch {
		case at < 0:
			merged.Content = append(merged.Content, item)
		case len(item.Content) == 2:
			merged.Content = slices.Delete(merged.Content, at, at+1)
		default:
			merged.Content[at] = l.overlay(merged.Content[at], item)
		}
	}
	return merged
}

// isNamed reports whether a node is a list of mappings with names.
func isNamed(n *yaml.Node) bool {
	return n.Kind == yaml.SequenceNode && len(n.Content) > 0 &&
		!slices.ContainsFunc(n.Content, func(item *yaml.Node) bool { return nameOf(item) == "" })
}

func nameOf(n *yaml.Node) string {
	if at := keyOf(n, "name"); at >= 0 {
		return n.Content[at+1].Value
	}
	return ""
}

// keyOf returns the index of a key in a mapping, or -1.
func keyOf(n *yaml.Node, key string) int {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// keys are the path of a value: keys of mappings, and numbers of items.
type keys []any

func (k keys) String() string {
	var b strings.Builder
	for i, key := range k {
		switch n, isNumber := key.(int); {
		case isNumber:
			fmt.Fprintf(&b, "[%d]", n)
		case i > 0:
			fmt.Fprintf(&b, ".%s", key)
		default:
			fmt.Fprint(&b, key)
		}
	}
	return b.String()
}

// find returns the node of a value, or else the nearest around it.
func (k keys) find(n *yaml.Node) *yaml.Node {
	for _, key := range k {
		switch number, isNumber := key.(int); {
		case isNumber && n.Kind == yaml.SequenceNode && number < len(n.Content):
			n = n.Content[number]
		case !isNumber && keyOf(n, key.(string)) >= 0:
			n = n.Content[keyOf(n, key.(string))+1]
		default:
			return n
		}
	}
	return n
}
