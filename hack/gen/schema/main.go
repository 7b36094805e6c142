// Command schema writes the JSON schema of kairos.spec from the Go types
// and their comments. It is run by go generate in the folder of the types.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"github.com/invopop/jsonschema"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	r := &jsonschema.Reflector{ExpandedStruct: true, RequiredFromJSONSchemaTags: true, FieldNameTag: "yaml"}
	if err := r.AddGoComments("github.com/flavorkit/flavorkit/specs", "."); err != nil {
		return errors.Wrap(err, "read the comments of the types")
	}
	s := r.Reflect(&specs.Spec{})
	// Draft 7 is the latest that the common YAML language server knows.
	s.Version = "http://json-schema.org/draft-07/schema#"
	s.Title = "kairos.spec"
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
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return errors.Wrap(os.WriteFile(file, append(data, '\n'), 0o644), "write the schema")
}

// allowText lets a mapping be written as the plain string that it is short for.
func allowText(definitions jsonschema.Definitions, t specs.Shorthander) {
	name := reflect.TypeOf(t).Name()
	mapping := definitions[name]
	text := &jsonschema.Schema{Type: "string", Description: "Short for the key " + t.Shorthand() + "."}
	definitions[name] = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{text, mapping}, Description: mapping.Description}
}
