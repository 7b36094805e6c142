package starter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
)

const (
	// pages are the pages of the documentation.
	pages = "https://github.com/flavorkit/flavorkit/blob/main/docs/"
	// width of comments.
	width = 100
)

// text is the spec with comments: what each key means, as the schema says it, and where its page is.
func (d *Draft) text() ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "# syntax=%s\n", frontend.Image())
	comment(&out, "", "A system for flavorkit. All keys: "+pages+"spec.md")
	d.writeNotes(&out)
	about, err := descriptions()
	if err != nil {
		return nil, err
	}
	for _, e := range entries(d.Spec) {
		text, err := e.yaml()
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(&out)
		comment(&out, "", strings.ReplaceAll(about[e.name], "\n", " "))
		comment(&out, "", pages+"spec.md"+e.anchor())
		out.Write(text)
	}
	return out.Bytes(), nil
}

// writeNotes lists what has no counterpart.
func (d *Draft) writeNotes(out *bytes.Buffer) {
	if d.From == "" {
		return
	}
	fmt.Fprintln(out, "#")
	comment(out, "", "Translated from "+d.From+": "+pages+"migrating.md")
	if len(d.Notes) > 0 {
		comment(out, "", "What has no counterpart, or should be looked at:")
	}
	for _, n := range d.Notes {
		comment(out, "  ", fmt.Sprintf("line %d: %s", n.Line, n.Text))
	}
}

// comment writes a text as comment lines. What YAML does not allow in a comment is left out.
func comment(out *bytes.Buffer, indent, text string) {
	line := "# " + indent
	for i, word := range strings.Fields(strings.Map(printable, text)) {
		switch {
		case i == 0:
		case len(line)+1+len(word) > width:
			fmt.Fprintln(out, line)
			line = "# " + strings.Repeat(" ", 2*len(indent))
		default:
			line += " "
		}
		line += word
	}
	fmt.Fprintln(out, line)
}

// printable replaces control characters.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return ' '
	}
	return r
}

// encode writes a spec without comments.
func encode(spec specs.Spec) ([]byte, error) {
	var out bytes.Buffer
	for _, e := range entries(spec) {
		text, err := e.yaml()
		if err != nil {
			return nil, err
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// entry is a key of a spec that has a value.
type entry struct {
	name  string
	value reflect.Value
}

func entries(spec specs.Spec) []entry { return entriesOf(reflect.ValueOf(spec)) }

// entriesOf are the keys of a struct that have a value, in the order of its fields.
func entriesOf(v reflect.Value) []entry {
	var all []entry
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch field := v.Field(i); {
		case strings.Contains(options, "inline"):
			all = append(all, entriesOf(field)...)
		case !field.IsZero():
			all = append(all, entry{name, field})
		}
	}
	return all
}

// yaml writes the entry as a mapping with one key.
func (e entry) yaml() ([]byte, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	if err := e.add(n); err != nil {
		return nil, err
	}
	text, err := yaml.Dump(n, yaml.WithLineWidth(-1))
	return text, errors.Wrapf(err, "write %s", e.name)
}

// add appends the entry to a mapping.
func (e entry) add(n *yaml.Node) error {
	var name yaml.Node
	name.SetString(e.name)
	value, err := node(e.value)
	if err != nil {
		return err
	}
	n.Content = append(n.Content, &name, value)
	return nil
}

// node returns the shortest form of a value: a plain text where a spec allows one for a mapping.
func node(v reflect.Value) (*yaml.Node, error) {
	n := &yaml.Node{}
	switch v.Kind() {
	case reflect.String:
		n.SetString(v.String())
		return n, nil
	case reflect.Slice:
		n.Kind = yaml.SequenceNode
		for i := range v.Len() {
			item, err := node(v.Index(i))
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, item)
		}
		return n, nil
	case reflect.Struct:
		set := entriesOf(v)
		if short, ok := v.Interface().(specs.Shorthander); ok && len(set) == 1 && set[0].name == short.Shorthand() {
			return node(set[0].value)
		}
		n.Kind = yaml.MappingNode
		for _, e := range set {
			if err := e.add(n); err != nil {
				return nil, err
			}
		}
		return n, nil
	default:
		return n, errors.Wrap(n.Dump(v.Interface()), "write a value")
	}
}

// anchor of the key on the page about specs. Keys with a mapping have a section of their own.
func (e entry) anchor() string {
	t := e.value.Type()
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct {
		return "#" + strings.ToLower(e.name)
	}
	return "#keys"
}

// descriptions are those of the schema, by key.
func descriptions() (map[string]string, error) {
	var schema struct {
		Properties map[string]struct {
			Description string `json:"description"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(specs.Schema(), &schema); err != nil {
		return nil, errors.Wrap(err, "read the schema")
	}
	about := map[string]string{}
	for name, p := range schema.Properties {
		about[name] = p.Description
	}
	return about, nil
}
