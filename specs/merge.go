package specs

import (
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"
)

// merge lays the tree of a spec over the tree of the spec it extends: mappings
// are merged key by key, lists that add up are joined, anything else replaces.
func merge(base, over *tree) *tree {
	merged := &tree{sources: maps.Clone(base.sources)}
	maps.Copy(merged.sources, over.sources)
	base.undo("packages.add", over, "packages.remove")
	base.undo("packages.remove", over, "packages.add")
	merged.root = merged.join(base.root, over.root, reflect.TypeFor[Spec](), "")
	return merged
}

// addsUp tells which lists are joined instead of replaced.
func addsUp(key string) bool {
	return slices.Contains([]string{"packages.add", "packages.remove", "files", "cmdline"}, key)
}

// join returns what two nodes of type t at the path key become together.
func (t *tree) join(base, over *yaml.Node, typ reflect.Type, key string) *yaml.Node {
	switch {
	case base.Kind == yaml.MappingNode && over.Kind == yaml.MappingNode && !exclusive(typ):
		return t.joinMappings(base, over, typ, key)
	case base.Kind == yaml.SequenceNode && over.Kind == yaml.SequenceNode && addsUp(key):
		return t.with(over, slices.Concat(base.Content, over.Content))
	default:
		return over
	}
}

// with returns a copy of a node with other content, at the same position.
func (t *tree) with(n *yaml.Node, content []*yaml.Node) *yaml.Node {
	c := *n
	c.Content = content
	t.sources[&c] = t.sources[n]
	return &c
}

// exclusive tells types whose fields exclude each other, so that one must not
// be left over from a base: a file or a text, never both.
func exclusive(t reflect.Type) bool {
	return t == reflect.TypeFor[Content]()
}

func (t *tree) joinMappings(base, over *yaml.Node, typ reflect.Type, key string) *yaml.Node {
	merged := t.with(over, slices.Clone(base.Content))
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
	switch t.Kind() {
	case reflect.Struct:
		fields, _ := fieldsOf(t)
		if ft, ok := fields[key]; ok {
			return ft
		}
	case reflect.Map:
		return t.Elem()
	}
	return reflect.TypeFor[string]()
}

// undo takes out of one list of t what the other list of the spec laid over it
// names, so that the nearest spec has the last word about a package.
func (t *tree) undo(key string, over *tree, opposite string) {
	list, named := find(t.root, key), find(over.root, opposite)
	if list == nil || named == nil {
		return
	}
	list.Content = slices.DeleteFunc(list.Content, func(n *yaml.Node) bool {
		return slices.ContainsFunc(named.Content, func(m *yaml.Node) bool { return m.Value == n.Value })
	})
}

// find returns the node at a dotted key, or nil.
func find(n *yaml.Node, key string) *yaml.Node {
	for part := range splitKey(key) {
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
