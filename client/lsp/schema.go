package lsp

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/invopop/jsonschema"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

// language is the JSON schema of a spec, which describes its keys.
type language struct{ root *jsonschema.Schema }

func readLanguage() (language, error) {
	var root jsonschema.Schema
	err := json.Unmarshal(specs.Schema(), &root)
	return language{&root}, errors.Wrap(err, "read the schema of a spec")
}

// entry is what the schema says about a key.
type entry struct {
	language
	// description of the key, or else of the mapping that it is an entry of.
	description string
	schema      *jsonschema.Schema
}

// entry finds a key; ok is false when the language does not have it.
func (l language) entry(path string) (e entry, ok bool) {
	e = entry{l, l.root.Description, l.root}
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' }) {
		next := e.child(part)
		if next == nil {
			return entry{}, false
		}
		if next.Description != "" {
			e.description = next.Description
		}
		e.schema = next
	}
	return e, true
}

// child is the schema of a key of a mapping, or of an item of a list; nil if there is none.
func (e entry) child(part string) *jsonschema.Schema {
	for _, s := range e.forms() {
		if s.Properties != nil {
			if value, ok := s.Properties.Get(part); ok {
				return value
			}
		}
		if s.Items != nil && strings.HasSuffix(part, "]") {
			return s.Items
		}
		if isMap(s) {
			return s.AdditionalProperties
		}
	}
	return nil
}

// isMap reports whether a form is a mapping whose keys the user chooses.
func isMap(s *jsonschema.Schema) bool {
	return s.AdditionalProperties != nil && s.Properties == nil
}

// forms are the ways to write the value.
func (e entry) forms() []*jsonschema.Schema {
	var all []*jsonschema.Schema
	var add func(s *jsonschema.Schema)
	add = func(s *jsonschema.Schema) {
		if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
			add(e.root.Definitions[name])
			return
		}
		for _, other := range append(s.AnyOf, s.OneOf...) {
			add(other)
		}
		if len(s.AnyOf)+len(s.OneOf) == 0 {
			all = append(all, s)
		}
	}
	add(e.schema)
	return all
}

// keys are those that a mapping can have, in the order of the language.
func (e entry) keys() []string {
	var names []string
	for _, s := range e.forms() {
		if s.Properties == nil {
			continue
		}
		for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
			names = append(names, pair.Key)
		}
	}
	return names
}

// takesNames reports whether the value is a mapping whose keys are names.
func (e entry) takesNames() bool {
	for _, s := range e.forms() {
		if isMap(s) {
			return true
		}
	}
	return false
}

// isScalar reports whether the value can be a plain text, number, or true or false.
func (e entry) isScalar() bool {
	for _, s := range e.forms() {
		if s.Type != "object" && s.Type != "array" {
			return true
		}
	}
	return false
}

// values are the only ones that the language allows, if it lists them.
func (e entry) values() []string {
	var all []string
	for _, s := range e.forms() {
		for _, v := range s.Enum {
			all = append(all, fmt.Sprint(v))
		}
		if s.Type == "boolean" {
			all = append(all, "true", "false")
		}
	}
	return all
}

// kind says what the value is, for people.
func (e entry) kind() string {
	if values := e.values(); len(values) > 0 {
		return strings.Join(values, " | ")
	}
	names := map[string]string{"object": "mapping", "array": "list", "string": "text", "integer": "number", "boolean": "true or false"}
	var kinds []string
	for _, s := range e.forms() {
		// A build argument in place of a number is no kind of its own.
		if kind := names[s.Type]; kind != "" && s.Pattern == "" {
			kinds = append(kinds, kind)
		}
	}
	return strings.Join(kinds, " or ")
}
