// Command schema writes the JSON schema of a spec or of a plan from the Go types and their
// comments. It is run by go generate in the directory of the types.
//
// usage: schema spec|plan FILE
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"

	"github.com/invopop/jsonschema"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: schema spec|plan FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

// run writes the schema of a kind of document.
func run(kind, file string) error {
	reflectSchema, ok := map[string]func() (*jsonschema.Schema, error){"spec": specSchema, "plan": planSchema}[kind]
	if !ok {
		return errors.Errorf("no document is called %q; valid: plan, spec", kind)
	}
	s, err := reflectSchema()
	if err != nil {
		return errors.Wrap(err, "read the comments of the types")
	}
	// Draft 7 is the latest that the common YAML language server knows.
	s.Version = "http://json-schema.org/draft-07/schema#"
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return errors.Wrap(os.WriteFile(file, append(data, '\n'), 0o644), "write the schema")
}

func specSchema() (*jsonschema.Schema, error) {
	r := &jsonschema.Reflector{ExpandedStruct: true, RequiredFromJSONSchemaTags: true, FieldNameTag: "yaml", Mapper: func(t reflect.Type) *jsonschema.Schema {
		switch t {
		case reflect.TypeFor[specs.Scalar]():
			return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
		case reflect.TypeFor[specs.OneOf]():
			return oneOf(&jsonschema.Schema{Type: "string"})
		}
		return nil
	}}
	if err := r.AddGoComments("github.com/flavorkit/flavorkit/specs", "."); err != nil {
		return nil, err
	}
	s := r.Reflect(&specs.Spec{})
	s.ID = "https://raw.githubusercontent.com/flavorkit/flavorkit/main/specs/schema.json" // as in docs/editors.md
	s.Title = fmt.Sprintf("kairos.spec, version %d of the language", specs.LanguageVersion)
	allowArgs(s)
	for name, d := range s.Definitions {
		if name != reflect.TypeFor[specs.Arg]().Name() { // in which none is replaced
			allowArgs(d)
		}
	}
	allowConditions(s, r)
	ownKeys := map[string]*jsonschema.Schema{"^x-": {}}
	s.PatternProperties = ownKeys
	for _, d := range s.Definitions {
		if d.Properties != nil {
			d.PatternProperties = ownKeys
		}
	}
	for _, t := range shorthanders(reflect.TypeFor[specs.Spec]()) {
		allowText(s.Definitions, t)
	}
	return s, nil
}

func planSchema() (*jsonschema.Schema, error) {
	r := &jsonschema.Reflector{ExpandedStruct: true, Mapper: func(t reflect.Type) *jsonschema.Schema {
		if t == reflect.TypeFor[specs.Bytes]() || t == reflect.TypeFor[key.Key]() {
			return &jsonschema.Schema{Type: "string"}
		}
		return nil
	}}
	for path, dir := range map[string]string{"plan": ".", "specs": "../specs"} {
		if err := r.AddGoComments("github.com/flavorkit/flavorkit/"+path, dir); err != nil {
			return nil, err
		}
	}
	s := r.Reflect(&plan.Plan{})
	s.Title = "Plan"
	return s, nil
}

// allowConditions lets every mapping have a condition, but those that cannot, and every text in a
// list.
func allowConditions(s *jsonschema.Schema, r *jsonschema.Reflector) {
	define := func(name string, d *jsonschema.Schema) *jsonschema.Schema {
		d.Version, d.ID = "", ""
		s.Definitions[name] = d
		return &jsonschema.Schema{Ref: "#/$defs/" + name}
	}
	when, text := r.Reflect(&specs.When{}), r.Reflect(&specs.ConditionalText{})
	for pair := when.Properties.Oldest(); pair != nil; pair = pair.Next() {
		if value, ok := s.Properties.Get(pair.Key); ok && len(value.AnyOf) > 0 { // a fixed set
			pair.Value.OneOf = oneOf(&jsonschema.Schema{AnyOf: value.AnyOf}).OneOf
		}
	}
	least := uint64(1)
	when.MinProperties, text.Required = &least, []string{"value", "when"}
	condition, conditional := define("When", when), define("ConditionalText", text)
	condition.Description = "The systems that this is for. The default is all of them."
	allowConditionalTexts(s, conditional)
	for _, d := range s.Definitions {
		if d.Properties != nil {
			allowConditionalTexts(d, conditional)
		}
	}
	var unconditional []string
	for t := range specs.Unconditional() {
		unconditional = append(unconditional, t.Name())
	}
	for name, d := range s.Definitions {
		if d.Properties != nil && !slices.Contains(unconditional, name) {
			d.Properties.Set("when", condition)
		}
	}
}

// allowConditionalTexts lets the texts in the lists of a mapping have conditions.
func allowConditionalTexts(s, conditional *jsonschema.Schema) {
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		if items := pair.Value.Items; items != nil && items.Type == "string" {
			pair.Value.Items = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{items, conditional}}
		}
	}
}

// oneOf is one value, or a list of which one has to match.
func oneOf(value *jsonschema.Schema) *jsonschema.Schema {
	least := uint64(1)
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{value, {Type: "array", Items: value, MinItems: &least}}}
}

// shorthanders are the types below a type that can be written as a plain string.
func shorthanders(t reflect.Type) map[reflect.Type]specs.Shorthander {
	found := map[reflect.Type]specs.Shorthander{}
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		return shorthanders(t.Elem())
	case reflect.Struct:
		if s, ok := reflect.Zero(t).Interface().(specs.Shorthander); ok {
			found[t] = s
		}
		for field := range t.Fields() {
			maps.Copy(found, shorthanders(field.Type))
		}
	}
	return found
}

// allowText lets a mapping be written as the plain value that it is short for.
func allowText(definitions jsonschema.Definitions, t specs.Shorthander) {
	name := reflect.TypeOf(t).Name()
	mapping := definitions[name]
	text := &jsonschema.Schema{Description: "Short for the key " + t.Shorthand() + "."}
	if value, ok := mapping.Properties.Get(t.Shorthand()); ok {
		text.Type, text.OneOf = value.Type, value.OneOf
	}
	definitions[name] = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{text, mapping}, Description: mapping.Description}
}

// allowArgs lets values that are not any text be build arguments.
func allowArgs(s *jsonschema.Schema) {
	if s.Properties == nil {
		return
	}
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		value := pair.Value
		if value.AdditionalProperties != nil {
			value = value.AdditionalProperties
		}
		pattern := `\$\{`
		switch {
		case value.Type == "boolean", value.Type == "integer":
			pattern = `^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`
		case len(value.Enum) == 0:
			continue
		}
		plain := jsonschema.Schema{Type: value.Type, Enum: value.Enum}
		value.Type, value.Enum = "", nil
		value.AnyOf = []*jsonschema.Schema{&plain, {Type: "string", Pattern: pattern}}
	}
}
