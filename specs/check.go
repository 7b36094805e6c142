package specs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// Shorthander is a struct type that a spec may write as a plain string.
type Shorthander interface{ Shorthand() string }

// checker compares a node tree with Go types and collects all differences. It removes wrong values
// and the user's own keys from the tree and expands shorthands, so the remaining tree fits the
// types.
type checker struct {
	text *text
	// nulls is true when a key may have no value.
	nulls bool
	// spec is true when values may have build arguments, and parts conditions.
	spec       bool
	uses       []use
	conditions map[*yaml.Node]condition
	found      Diagnostics
}

func (c *checker) report(rule rules.Rule, n *yaml.Node, key, hint, format string, args ...any) {
	c.found = append(c.found, Diagnostic{Rule: rule, Range: c.text.rangeOf(n), Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// check compares the node at the path key with type t and reports whether it fits.
func (c *checker) check(n *yaml.Node, t reflect.Type, key string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		c.report(rules.UnsupportedYAML, n, key, "write the value out, or put the common part in a spec of its own and extend it", "YAML aliases are not supported here")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		c.report(rules.UnsupportedYAML, n, key, "remove it; to make a text of a value, put it in quotes", "the YAML tag %s is not supported", n.Tag)
		return false
	case n.Tag == "!!null" && c.nulls:
		return true
	case n.Tag == "!!null":
		c.report(rules.EmptyValue, n, key, "give it "+describe(t)+", or remove it", "has no value")
		return false
	}
	switch t.Kind() {
	case reflect.Pointer:
		return c.check(n, t.Elem(), key)
	case reflect.Struct:
		return c.checkStruct(n, t, key)
	case reflect.Map:
		return c.checkMap(n, t, key)
	case reflect.Slice:
		return c.checkList(n, t, key)
	default:
		return c.checkScalar(n, t, key)
	}
}

func (c *checker) checkStruct(n *yaml.Node, t reflect.Type, key string) bool {
	if s, ok := reflect.Zero(t).Interface().(Shorthander); ok && n.Kind == yaml.ScalarNode {
		writeOut(n, s.Shorthand())
	}
	fields, names := fieldsOf(t)
	switch {
	case n.Kind != yaml.MappingNode && key == "":
		c.report(rules.WrongType, n, key, "write one key in a line, a colon and a space after it, and its value", "the file must be a mapping with keys such as %s, not %s", names[0], kindOf(n))
		return false
	case n.Kind != yaml.MappingNode:
		c.report(rules.WrongType, n, key, "", "must be %s, not %s", describe(t), kindOf(n))
		return false
	}
	why, unconditional := Unconditional()[t]
	if c.spec && !unconditional {
		names = append(names, whenKey)
	}
	c.keep(n, key, func(k, v *yaml.Node) bool {
		if ft, ok := fields[k.Value]; ok {
			return c.check(v, ft, joinKey(key, k.Value))
		}
		switch {
		case k.Value == whenKey && c.spec && unconditional:
			c.report(rules.UnknownKey, k, key, why, "unknown key %s", quote(k.Value))
		case k.Value == whenKey && c.spec:
			c.condition(n, v, key)
		case k.Tag == "!!merge":
			c.report(rules.UnsupportedYAML, k, key, "put the common part in a spec of its own and extend it", "YAML merge keys are not supported")
		case !strings.HasPrefix(k.Value, "x-"): // x- keys are the user's own
			c.report(rules.UnknownKey, k, key, unknownHint(k.Value, t, key, names), "unknown key %s", quote(k.Value))
		}
		return false
	})
	return true
}

// unknownHint is the hint for a key that the type at the path key does not have: where it belongs, or
// what may have been meant.
func unknownHint(name string, t reflect.Type, key string, valid []string) string {
	const most = 2
	if below := keysBelow(t, name, key); 0 < len(below) && len(below) <= most {
		return "did you mean " + strings.Join(below, " or ") + "?"
	}
	takesConfig := t == reflect.TypeFor[Spec]() || t == reflect.TypeFor[Content]()
	if takesConfig && (name == "stages" || name == "install" || isCloudInitKey(name)) {
		return "it is a key of a cloud-config; write it into the file that cloudConfig names"
	}
	return Suggest(name, valid)
}

// keysBelow are the quoted paths of the keys of a name in the mappings of a type, which is at the path
// key.
func keysBelow(t reflect.Type, name, key string) (paths []string) {
	for field := range keyedFields(t) {
		path, ft := joinKey(key, yamlName(field)), field.Type
		if yamlName(field) == name {
			paths = append(paths, quote(path))
		} else if ft.Kind() == reflect.Struct {
			paths = append(paths, keysBelow(ft, name, path)...)
		}
	}
	return paths
}

// writeOut expands a plain string to the mapping that it is short for.
func writeOut(n *yaml.Node, key string) {
	value := *n
	name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: n.Line, Column: n.Column}
	*n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column, Content: []*yaml.Node{name, &value}}
}

func (c *checker) checkMap(n *yaml.Node, t reflect.Type, key string) bool {
	if n.Kind != yaml.MappingNode {
		c.report(rules.WrongType, n, key, "", "must be %s, not %s", describe(t), kindOf(n))
		return false
	}
	c.keep(n, key, func(k, v *yaml.Node) bool { return c.check(v, t.Elem(), joinKey(key, k.Value)) })
	return true
}

// keep removes the pairs of a mapping that do not fit, and duplicate keys.
func (c *checker) keep(n *yaml.Node, key string, fits func(k, v *yaml.Node) bool) {
	first := map[string]int{}
	var kept []*yaml.Node
	for pair := range slices.Chunk(n.Content, 2) {
		k, v := pair[0], pair[1]
		if k.Kind != yaml.ScalarNode {
			c.report(rules.WrongType, k, key, "", "a key must be a plain word, not %s", kindOf(k))
			continue
		}
		if line, ok := first[k.Value]; ok {
			c.report(rules.DuplicateKey, k, key, fmt.Sprintf("the first is in line %d", line), "duplicate key %s", quote(k.Value))
			continue
		}
		first[k.Value] = k.Line
		if fits(k, v) {
			kept = append(kept, k, v)
		}
	}
	n.Content = kept
}

// checkList empties the items that do not fit. Removing them would change the index of later items.
func (c *checker) checkList(n *yaml.Node, t reflect.Type, key string) bool {
	switch {
	case t == reflect.TypeFor[OneOf]() && n.Kind == yaml.ScalarNode:
		return c.check(n, t.Elem(), key)
	case n.Kind != yaml.SequenceNode:
		c.report(rules.WrongType, n, key, itemsHint(n, t.Elem()), "must be %s, not %s", describe(t), kindOf(n))
		return false
	case t == reflect.TypeFor[OneOf]() && len(n.Content) == 0:
		c.report(rules.EmptyValue, n, key, "give it a text, or remove it", "is empty")
		return false
	}
	for i, item := range n.Content {
		before := len(c.found)
		value, ok := c.checkItem(item, t.Elem(), itemKey(key, i))
		if !ok {
			for j := range c.found[before:] {
				c.found[before+j].unread = true
			}
			value.Value, value.Content = "", nil
		}
		n.Content[i] = value
	}
	return true
}

func (c *checker) checkScalar(n *yaml.Node, t reflect.Type, key string) bool {
	if c.spec && hasArgs(n, t, key) {
		c.uses = append(c.uses, use{n, t, key})
		return true
	}
	hint, ok := c.whyUnconditional(n, key), n.Kind == yaml.ScalarNode
	switch {
	case !ok, t == reflect.TypeFor[Scalar]():
	case t.Kind() == reflect.String:
		// A number is taken as it is written: version: 1.10, mode: 0644.
		if ok = n.Tag != "!!bool"; !ok {
			hint = fmt.Sprintf("put it in quotes: %q", n.Value)
		}
	case t.Kind() == reflect.Bool:
		if ok = n.Tag == "!!bool"; n.Value == "true" || n.Value == "false" {
			hint = "remove the quotes"
		}
	case t.Kind() == reflect.Int:
		ok = n.Tag == "!!int" && n.Load(new(int)) == nil
	default:
		panic("specs: no rule for a field of kind " + t.Kind().String())
	}
	switch {
	case !ok:
		c.report(rules.WrongType, n, key, hint, "must be %s, not %s", describe(t), kindOf(n))
	case n.Value == "" && t != reflect.TypeFor[Text]() && t != reflect.TypeFor[Scalar]():
		c.report(rules.EmptyValue, n, key, "give it a text, or remove it", "is empty")
		ok = false
	}
	return ok
}

// describe describes a type to a user.
func describe(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Scalar]():
		return "a text, a number, or true or false"
	case reflect.TypeFor[OneOf]():
		return "a text or a list"
	}
	switch t.Kind() {
	case reflect.Struct:
		_, names := fieldsOf(t)
		mapping := "a mapping with the keys " + strings.Join(names, ", ")
		if t.Implements(reflect.TypeFor[Shorthander]()) {
			return "a text, or " + mapping
		}
		return mapping
	case reflect.Map:
		return "a mapping of names to " + describeEach(t.Elem())
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	default:
		return "a text"
	}
}

// describeEach describes the type of the values of a mapping to a user.
func describeEach(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "mappings"
	case reflect.Slice:
		return "lists"
	case reflect.String:
		return "texts"
	default:
		return describe(t)
	}
}

// kindOf describes a node to a user.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!bool":
		return n.Value
	case n.Tag == "!!int", n.Tag == "!!float":
		return "the number " + n.Value
	default:
		return "the text " + quote(n.Value)
	}
}

// itemsHint says how to write a node as a list of items of a type. No item of a spec that is only a
// text has a space.
func itemsHint(n *yaml.Node, item reflect.Type) string {
	words := strings.Fields(n.Value)
	switch {
	case n.Kind == yaml.ScalarNode && item.Kind() == reflect.Struct:
		return ""
	case len(words) > 1 && !slices.ContainsFunc(words, func(w string) bool { return !packagePattern.MatchString(w) }):
		return fmt.Sprintf("write it as [%s]", strings.Join(words, ", "))
	default:
		return listHint(n)
	}
}

// listHint says how to write a node as a list.
func listHint(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "begin each item with -"
	case n.Kind != yaml.ScalarNode:
		return ""
	case packagePattern.MatchString(n.Value):
		return fmt.Sprintf("write it as [%s]", n.Value)
	default:
		return fmt.Sprintf("write it as [%s]", quote(n.Value))
	}
}

// quote quotes a text of a spec in a message, shortened to fit a line.
func quote(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
