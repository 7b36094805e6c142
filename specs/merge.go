package specs

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// tree is a YAML node tree with the positions of its nodes, which merging keeps.
type tree struct {
	root *yaml.Node
	// source of the tree; nil for a merged tree.
	source *Source
	ranges map[*yaml.Node]Range
	// index of the items of lists in their files, from 0.
	index map[*yaml.Node]int
	// uses are the values with build arguments.
	uses []use
	// conditions of nodes; none in a merged tree.
	conditions map[*yaml.Node]condition
	// replaced are the values of bases that do not count, in a merged tree.
	replaced []Replaced
}

// Replaced is a value of a base that a nearer spec replaces or takes out of a list.
type Replaced struct {
	// Key of the value in its file.
	Key string
	// Text is the value itself if it is a text.
	Text string
	// Range is where the base has it.
	Range Range
	// By is the nearer value that counts instead, and ByKey its key in its file.
	By    Range
	ByKey string
}

// locate notes the positions of the nodes.
func (t *tree) locate(n *yaml.Node, in *text) {
	t.ranges[n] = in.rangeOf(n)
	for i, child := range n.Content {
		if n.Kind == yaml.SequenceNode {
			t.index[child] = i
		}
		t.locate(child, in)
	}
}

// merge lays a spec over the spec that it extends: mappings are merged by key, lists that add up
// are joined, anything else is replaced.
func merge(base, over *tree) *tree {
	merged := &tree{ranges: maps.Clone(base.ranges), index: maps.Clone(base.index), replaced: slices.Clone(base.replaced)}
	maps.Copy(merged.ranges, over.ranges)
	maps.Copy(merged.index, over.index)
	merged.root = merged.join(base.root, over.root, reflect.TypeFor[Spec](), "")
	merged.undo("packages.add", over, "packages.remove")
	merged.undo("packages.remove", over, "packages.add")
	merged.supersede("repositories", over)
	merged.supersede("layers", over)
	return merged
}

// addsUp reports whether a list is joined instead of replaced.
func addsUp(key string) bool {
	return slices.Contains([]string{"packages.add", "packages.remove", "repositories", "files", "layers", "images", "cmdline", "test.assertions"}, key)
}

// replaces returns the keys of a base that a new value of a key drops, because they belong to the
// old value.
func replaces(t reflect.Type, key string) []string {
	source := []string{"url", "image", "context", "sha256", "checksums", "path"}
	switch {
	case t == reflect.TypeFor[Arg]() && key == "type":
		return []string{"default", "values"}
	case t == reflect.TypeFor[Content]():
		return []string{"from", "content"}
	case t == reflect.TypeFor[Component]() && slices.Contains([]string{"url", "image", "context"}, key):
		return source
	case t == reflect.TypeFor[Component]() && key == "version":
		return []string{"sha256"}
	case isChooser(t) && key == reflect.Zero(t).Interface().(Shorthander).Shorthand():
		return []string{"version"}
	case t == reflect.TypeFor[CA]() && slices.Contains([]string{"from", "secret"}, key):
		return []string{"from", "secret", "image"}
	case t == reflect.TypeFor[Distro]() && key == "name":
		return []string{"base"}
	case t == reflect.TypeFor[Kernel]() && slices.Contains([]string{"from", "image", "context"}, key):
		return []string{"package", "version", "image", "context"}
	case t == reflect.TypeFor[Kernel]() && key == "package":
		return []string{"version", "image", "context"}
	case t == reflect.TypeFor[Kernel]() && key == "version":
		return []string{"image", "context"}
	case slices.Contains([]reflect.Type{reflect.TypeFor[ISO](), reflect.TypeFor[Disk]()}, t) && key == "compression":
		return []string{"level"}
	default:
		return nil
	}
}

// join merges two nodes of type t at the path key.
func (t *tree) join(base, over *yaml.Node, typ reflect.Type, key string) *yaml.Node {
	switch {
	case base.Kind == yaml.MappingNode && over.Kind == yaml.MappingNode:
		return t.joinMappings(base, over, typ, key)
	case base.Kind == yaml.SequenceNode && over.Kind == yaml.SequenceNode && addsUp(key):
		return t.with(over, slices.Concat(base.Content, over.Content))
	default:
		t.replace(base, over, key, key)
		return over
	}
}

// replace takes note of a value that does not count.
func (t *tree) replace(base, over *yaml.Node, key, by string) {
	t.replaced = append(t.replaced, Replaced{Key: key, Text: base.Value, Range: t.ranges[base], By: t.ranges[over], ByKey: by})
}

// with returns a copy of a node with other content, at the same position.
func (t *tree) with(n *yaml.Node, content []*yaml.Node) *yaml.Node {
	c := *n
	c.Content = content
	t.ranges[&c], t.index[&c] = t.ranges[n], t.index[n]
	return &c
}

func (t *tree) joinMappings(base, over *yaml.Node, typ reflect.Type, key string) *yaml.Node {
	merged := t.with(over, slices.Clone(base.Content))
	for i := 0; i+1 < len(over.Content); i += 2 {
		for _, gone := range replaces(typ, over.Content[i].Value) {
			if at := findKey(merged, gone); at >= 0 && gone != over.Content[i].Value {
				t.replace(merged.Content[at+1], over.Content[i+1], joinKey(key, gone), joinKey(key, over.Content[i].Value))
				merged.Content = slices.Delete(merged.Content, at, at+2)
			}
		}
	}
	for i := 0; i+1 < len(over.Content); i += 2 {
		k, v := over.Content[i], over.Content[i+1]
		at := findKey(merged, k.Value)
		if at < 0 {
			merged.Content = append(merged.Content, k, v)
			continue
		}
		merged.Content[at] = k
		merged.Content[at+1] = t.join(merged.Content[at+1], v, elemType(typ, k.Value), joinKey(key, k.Value))
	}
	return merged
}

func elemType(t reflect.Type, key string) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	fields, _ := fieldsOf(t)
	return fields[key]
}

// undo removes the packages from a list that the nearer spec has in the opposite list, so the
// nearest spec wins. Packages that over has in both lists stay, to be reported.
func (t *tree) undo(key string, over *tree, opposite string) {
	list, named := find(t.root, key), find(over.root, opposite)
	if list == nil || named == nil {
		return
	}
	source := over.ranges[over.root].Source
	list.Content = slices.DeleteFunc(slices.Clone(list.Content), func(n *yaml.Node) bool {
		at := slices.IndexFunc(named.Content, func(other *yaml.Node) bool { return other.Value == n.Value })
		gone := at >= 0 && t.ranges[n].Source != source
		if gone {
			t.replace(n, named.Content[at], itemKey(key, t.index[n]), itemKey(opposite, t.index[named.Content[at]]))
		}
		return gone
	})
}

// supersede removes the entries of a list that have the name of an entry of the nearer spec.
// Entries of over with one name stay, to be reported.
func (t *tree) supersede(key string, over *tree) {
	list, nearer := find(t.root, key), find(over.root, key)
	if list == nil || nearer == nil {
		return
	}
	named := func(entry *yaml.Node) string {
		if name := find(entry, "name"); name != nil {
			return name.Value
		}
		return ""
	}
	source := over.ranges[over.root].Source
	list.Content = slices.DeleteFunc(slices.Clone(list.Content), func(entry *yaml.Node) bool {
		at := slices.IndexFunc(nearer.Content, func(n *yaml.Node) bool { return named(n) != "" && named(n) == named(entry) })
		gone := at >= 0 && t.ranges[entry].Source != source
		if gone {
			t.replace(entry, nearer.Content[at], itemKey(key, t.index[entry]), itemKey(key, t.index[nearer.Content[at]]))
		}
		return gone
	})
}

// find returns the node at a dotted key, or nil.
func find(n *yaml.Node, key string) *yaml.Node {
	for part := range strings.SplitSeq(key, ".") {
		at := findKey(n, part)
		if at < 0 {
			return nil
		}
		n = n.Content[at+1]
	}
	return n
}

// findKey returns the index of a key in a mapping, or -1.
func findKey(n *yaml.Node, key string) int {
	if n.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}
