package specs

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

// tree is a YAML node tree that knows which source each node came from, so
// that merged trees still have positions.
type tree struct {
	root    *yaml.Node
	sources map[*yaml.Node]*Source
}

// Shorthander is a struct type that may be written as a plain string.
type Shorthander interface{ Shorthand() string }

// checker compares a node tree with Go types and collects every difference.
type checker struct {
	source *Source
	found  Diagnostics
}

func (c *checker) report(n *yaml.Node, key, message, hint string) {
	c.found = append(c.found, Diagnostic{Range: nodeRange(c.source, n), Key: key, Message: message, Hint: hint})
}

// check compares the node at the path key with type t.
func (c *checker) check(n *yaml.Node, t reflect.Type, key string) {
	if n.Kind == yaml.AliasNode {
		c.report(n, key, "YAML aliases are not supported here", "write the value out, or put the common part in a spec of its own and extend it")
		return
	}
	if n.Tag == "!!null" {
		c.report(n, key, "has no value", "give it "+describe(t)+", or take the key out")
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.checkStruct(n, t, key)
	case reflect.Map:
		c.checkMap(n, t, key)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			c.report(n, key, "must be a list, not "+kindOf(n), listHint(n))
			return
		}
		for i, item := range n.Content {
			c.check(item, t.Elem(), fmt.Sprintf("%s[%d]", key, i))
		}
	default:
		c.checkScalar(n, t, key)
	}
}

func (c *checker) checkStruct(n *yaml.Node, t reflect.Type, key string) {
	if s, ok := reflect.Zero(t).Interface().(Shorthander); ok && n.Kind == yaml.ScalarNode {
		c.check(n, reflect.TypeFor[string](), joinKey(key, s.Shorthand()))
		return
	}
	if n.Kind != yaml.MappingNode {
		c.report(n, key, "must be "+describe(t)+", not "+kindOf(n), "")
		return
	}
	fields, names := fieldsOf(t)
	c.eachKey(n, key, func(k, v *yaml.Node) {
		ft, ok := fields[k.Value]
		switch {
		case ok:
			c.check(v, ft, joinKey(key, k.Value))
		case strings.HasPrefix(k.Value, "x-"):
			// x- keys are the user's own.
		default:
			c.report(k, key, fmt.Sprintf("unknown key %q", k.Value), Suggest(k.Value, names))
		}
	})
}

func (c *checker) checkMap(n *yaml.Node, t reflect.Type, key string) {
	if n.Kind != yaml.MappingNode {
		c.report(n, key, "must be "+describe(t)+", not "+kindOf(n), "")
		return
	}
	c.eachKey(n, key, func(k, v *yaml.Node) { c.check(v, t.Elem(), joinKey(key, k.Value)) })
}

// eachKey visits the pairs of a mapping and reports keys that stand twice.
func (c *checker) eachKey(n *yaml.Node, key string, visit func(k, v *yaml.Node)) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			c.report(k, key, "a key must be a plain word, not "+kindOf(k), "")
			continue
		}
		if first, ok := seen[k.Value]; ok {
			c.report(k, key, fmt.Sprintf("key %q stands twice", k.Value), fmt.Sprintf("the first is in line %d", first.Line))
			continue
		}
		seen[k.Value] = k
		visit(k, v)
	}
}

func (c *checker) checkScalar(n *yaml.Node, t reflect.Type, key string) {
	want := describe(t)
	if n.Kind != yaml.ScalarNode {
		c.report(n, key, "must be "+want+", not "+kindOf(n), "")
		return
	}
	switch t.Kind() {
	case reflect.String:
		// A number is taken as it is written: version: 1.10, mode: 0644.
		if n.Tag == "!!bool" {
			c.report(n, key, "must be "+want+", not "+kindOf(n), fmt.Sprintf("put it in quotes: %q", n.Value))
		}
	case reflect.Bool:
		if n.Tag != "!!bool" {
			c.report(n, key, "must be "+want+", not "+kindOf(n), "")
		}
	case reflect.Int:
		if n.Tag != "!!int" {
			c.report(n, key, "must be "+want+", not "+kindOf(n), "")
		}
	default:
		panic("specs: no rule for a field of kind " + t.Kind().String())
	}
}

// decode sets v from a node that check has passed.
func decode(n *yaml.Node, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Struct:
		if s, ok := v.Interface().(Shorthander); ok && n.Kind == yaml.ScalarNode {
			return decode(n, fieldByKey(v, s.Shorthand()))
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if f := fieldByKey(v, n.Content[i].Value); f.IsValid() {
				if err := decode(n.Content[i+1], f); err != nil {
					return err
				}
			}
		}
		return nil
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := 0; i+1 < len(n.Content); i += 2 {
			item := reflect.New(v.Type().Elem()).Elem()
			if err := decode(n.Content[i+1], item); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(n.Content[i].Value), item)
		}
		return nil
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			if err := decode(item, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.String:
		// As it is written: the YAML library would turn 0644 into 420.
		v.SetString(n.Value)
		return nil
	default:
		return n.Decode(v.Addr().Interface())
	}
}

// fieldsOf returns the YAML keys of a struct type with their types, and the
// keys in the order of the struct.
func fieldsOf(t reflect.Type) (map[string]reflect.Type, []string) {
	fields, names := map[string]reflect.Type{}, []string{}
	for i := range t.NumField() {
		name := yamlName(t.Field(i))
		fields[name] = t.Field(i).Type
		names = append(names, name)
	}
	return fields, names
}

func fieldByKey(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if yamlName(v.Type().Field(i)) == key {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

func joinKey(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}

// describe names a type in the words of a user.
func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct:
		_, names := fieldsOf(t)
		return "a mapping with the keys " + strings.Join(names, ", ")
	case reflect.Map:
		return "a mapping"
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

// kindOf names what a node is in the words of a user.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!int", n.Tag == "!!float":
		return fmt.Sprintf("the number %s", n.Value)
	default:
		return fmt.Sprintf("the text %q", n.Value)
	}
}

func listHint(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return fmt.Sprintf("write it as [%s]", n.Value)
	}
	return ""
}

// nodeRange is where a node stands. YAML gives the start only; a scalar on one
// line ends where its text ends, anything else is pointed at by its start.
func nodeRange(s *Source, n *yaml.Node) Range {
	start := Position{Line: n.Line, Column: n.Column}
	end := start
	if n.Kind == yaml.ScalarNode && n.Value != "" && !strings.Contains(n.Value, "\n") {
		end.Column += len([]rune(n.Value)) - 1
	}
	return Range{Source: s, Start: start, End: end}
}
