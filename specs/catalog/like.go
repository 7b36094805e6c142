package catalog

import (
	"slices"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"
)

// likeKey is the key by which an entry says what it differs from.
const likeKey = "like"

// resolve returns an entry laid over the one that it is like, and that over the
// one which that is like.
func resolve(name string, entries map[string]*yaml.Node, path ...string) (*yaml.Node, error) {
	path = append(path, name)
	entry, ok := entries[name]
	if !ok {
		return nil, errors.Errorf("like: there is no %s", name)
	}
	at := keyOf(entry, likeKey)
	if at < 0 {
		return entry, nil
	}
	like := entry.Content[at+1].Value
	if slices.Contains(path, like) {
		return nil, errors.Errorf("like: %v makes a cycle", append(path, like))
	}
	base, err := resolve(like, entries, path...)
	if err != nil {
		return nil, err
	}
	return overlay(base, entry), nil
}

// overlay lays a node over another: mappings key by key, lists of what has a
// name by the names, anything else replaces. A key without a value takes the key
// away, an item that is a name alone takes the item of that name away.
func overlay(base, over *yaml.Node) *yaml.Node {
	switch {
	case base.Kind == yaml.MappingNode && over.Kind == yaml.MappingNode:
		return overlayMapping(base, over)
	case isNamed(base) && isNamed(over):
		return overlayNamed(base, over)
	default:
		return over
	}
}

func overlayMapping(base, over *yaml.Node) *yaml.Node {
	merged := *base
	merged.Content = slices.Clone(base.Content)
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		at := keyOf(&merged, key.Value)
		switch {
		case value.Tag == "!!null" && at >= 0:
			merged.Content = slices.Delete(merged.Content, at, at+2)
		case at < 0:
			merged.Content = append(merged.Content, key, value)
		default:
			merged.Content[at+1] = overlay(merged.Content[at+1], value)
		}
	}
	return &merged
}

func overlayNamed(base, over *yaml.Node) *yaml.Node {
	merged := *base
	merged.Content = slices.Clone(base.Content)
	for _, item := range over.Content {
		at := slices.IndexFunc(merged.Content, func(n *yaml.Node) bool { return nameOf(n) == nameOf(item) })
		switch {
		case at < 0:
			merged.Content = append(merged.Content, item)
		case len(item.Content) == 2:
			merged.Content = slices.Delete(merged.Content, at, at+1)
		default:
			merged.Content[at] = overlay(merged.Content[at], item)
		}
	}
	return &merged
}

// isNamed tells whether a node is a list of mappings that have names.
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
