// Command schema writes the JSON schema of a spec or of a plan from the Go types
// and their comments. It is run by go generate in the directory of the types.
//
// usage: schema spec|plan FILE
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"

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
	r := &jsonschema.Reflector{ExpandedStruct: true, RequiredFromJSONSchemaTags: true, FieldNameTag: "yaml"}
	if err := r.AddGoComments("github.com/flavorkit/flavorkit/specs", "."); err != nil {
		return nil, err
	}
	s := r.Reflect(&specs.Spec{})
	s.Title = fmt.Sprintf("kairos.spec, version %d of the language", specs.LanguageVersion)
	ownKeys := map[string]*jsonschema.Schema{"^x-": {}}
	s.PatternProperties = ownKeys
	for _, d := range s.Definitions {
		if d.Properties != nil {
			d.PatternProperties = ownKeys
		}
	}
	for _, t := range []specs.Shorthander{specs.Distro{}, specs.Kernel{}, specs.Kubernetes{}, specs.Mesh{}, specs.Content{}} {
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

// allowText lets a mapping be written as the plain string that it is short for.
func allowText(definitions jsonschema.Definitions, t specs.Shorthander) {
	name := reflect.TypeOf(t).Name()
	mapping := definitions[name]
	text := &jsonschema.Schema{Type: "string", Description: "Short for the key " + t.Shorthand() + "."}
	definitions[name] = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{text, mapping}, Description: mapping.Description}
}
