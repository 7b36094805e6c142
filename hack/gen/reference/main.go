// Command reference writes the reference of kairos.spec, docs/spec.md, from the JSON schema: its
// tables come from the Go types and their comments, the rest from spec.md.tmpl.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/invopop/jsonschema"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

//go:generate go run . ../../../docs/spec.md

//go:embed spec.md.tmpl
var page string

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	var schema jsonschema.Schema
	if err := json.Unmarshal(specs.Schema(), &schema); err != nil {
		return errors.Wrap(err, "read the schema")
	}
	t, err := template.New("spec.md").Option("missingkey=error").Parse(page)
	if err != nil {
		return errors.Wrap(err, "read the template")
	}
	var text bytes.Buffer
	if err := t.Execute(&text, map[string]string{"Reference": reference(&schema)}); err != nil {
		return err
	}
	return errors.Wrap(os.WriteFile(file, text.Bytes(), 0o644), "write the reference")
}

// section is a table of keys: those of the spec itself, or of one of its mappings, which may stand
// in more than one place.
type section struct {
	schema *jsonschema.Schema
	places []string
}

// reference renders one table for the spec and one for each mapping in it, in the order in which
// they are met.
func reference(schema *jsonschema.Schema) string {
	r := &renderer{definitions: schema.Definitions}
	r.sections = append(r.sections, &section{schema: schema})
	for i := 0; i < len(r.sections); i++ { //nolint:intrange // visit appends
		r.visit(r.sections[i])
	}
	var text strings.Builder
	for _, s := range r.sections {
		r.render(&text, s)
	}
	return strings.TrimSpace(text.String())
}

// condition is the key of most mappings, so its table has no places.
const condition = "when"

type renderer struct {
	definitions jsonschema.Definitions
	sections    []*section
}

// visit adds the mappings below a section.
func (r *renderer) visit(s *section) {
	for pair := mapping(s.schema).Properties.Oldest(); pair != nil; pair = pair.Next() {
		place, below := pair.Key, pair.Value
		switch {
		case below.Items != nil:
			place, below = place+"[]", below.Items
		case below.AdditionalProperties != nil:
			place, below = place+".NAME", below.AdditionalProperties
		}
		if below.Ref == "" {
			continue
		}
		if len(s.places) > 0 && place != condition {
			place = s.places[0] + "." + place
		}
		r.add(r.definitions[path.Base(below.Ref)], place)
	}
}

func (r *renderer) add(schema *jsonschema.Schema, place string) {
	at := slices.IndexFunc(r.sections, func(s *section) bool { return s.schema == schema })
	if at < 0 {
		at = len(r.sections)
		r.sections = append(r.sections, &section{schema: schema})
	}
	if slices.Contains(r.sections[at].places, place) {
		return
	}
	r.sections[at].places = append(r.sections[at].places, place)
}

// mapping is the part of a schema that has the keys, when a plain string may stand for the mapping.
func mapping(s *jsonschema.Schema) *jsonschema.Schema {
	for _, part := range s.AnyOf {
		if part.Properties != nil {
			return part
		}
	}
	return s
}

func (r *renderer) render(text *strings.Builder, s *section) {
	if len(s.places) > 0 {
		fmt.Fprintf(text, "### %s\n\n%s\n\n", code(s.places[:1]), sentence(s.schema.Description))
		if len(s.places) > 1 {
			fmt.Fprintf(text, "Also %s.\n\n", code(s.places[1:]))
		}
		for _, part := range s.schema.AnyOf {
			if key, ok := strings.CutPrefix(part.Description, "Short for the key "); ok {
				fmt.Fprintf(text, "A plain text in place of the mapping is short for its key `%s`.\n\n", strings.TrimSuffix(key, "."))
			}
		}
	}
	text.WriteString("| key | value | meaning |\n|---|---|---|\n")
	for pair := mapping(s.schema).Properties.Oldest(); pair != nil; pair = pair.Next() {
		meaning := pair.Value
		if meaning.Description == "" && meaning.Ref != "" {
			meaning = r.definitions[path.Base(meaning.Ref)]
		}
		fmt.Fprintf(text, "| `%s` | %s | %s |\n", pair.Key, r.value(pair.Value), sentence(meaning.Description))
	}
	text.WriteString("\n")
}

// value says what may be written for a key.
func (r *renderer) value(s *jsonschema.Schema) string {
	switch {
	case s.Ref != "":
		d := r.definitions[path.Base(s.Ref)]
		kind := "mapping"
		if len(d.AnyOf) > 0 {
			kind = "text or mapping"
		}
		return r.link(kind, d)
	case len(s.AnyOf) > 0: // or a build argument
		return r.value(s.AnyOf[0])
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprintf("`%v`", v)
		}
		return strings.Join(words, ", ")
	case len(s.OneOf) == 2 && s.OneOf[1].Items != nil:
		return r.value(s.OneOf[0]) + ", or a list"
	case len(s.OneOf) > 0:
		kinds := make([]string, len(s.OneOf))
		for i, one := range s.OneOf {
			kinds[i] = r.value(one)
		}
		return strings.Join(kinds, " or ")
	case s.Items != nil && s.Items.Ref != "":
		return r.link("list of mappings", r.definitions[path.Base(s.Items.Ref)])
	case s.Items != nil:
		return "list of " + plural(r.value(s.Items))
	case s.AdditionalProperties != nil && s.AdditionalProperties.Ref != "":
		return r.link("mapping of mappings", r.definitions[path.Base(s.AdditionalProperties.Ref)])
	case s.AdditionalProperties != nil:
		return "mapping of names to " + r.value(s.AdditionalProperties)
	}
	switch s.Type {
	case "string":
		return "text"
	case "integer", "number":
		return "number"
	case "boolean":
		return "`true` or `false`"
	default:
		return s.Type
	}
}

// plural is of more than one kind of value, or of one.
func plural(kinds string) string {
	if strings.Contains(kinds, " or ") {
		return kinds
	}
	return kinds + "s"
}

// link points at the section of a mapping.
func (r *renderer) link(text string, s *jsonschema.Schema) string {
	for _, other := range r.sections {
		if other.schema == s {
			return fmt.Sprintf("[%s](#%s)", text, anchor(code(other.places[:1])))
		}
	}
	return text
}

// anchor is the name that GitHub gives a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		default:
			return -1
		}
	}, strings.ToLower(heading))
}

func code(places []string) string { return "`" + strings.Join(places, "`, `") + "`" }

// sentence puts a comment on one line of a table.
func sentence(comment string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(strings.Join(strings.Fields(comment), " "))
}
