package specs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(specs.Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("kairos.json", doc))
	schema, err := c.Compile("kairos.json")
	require.NoError(t, err)
	return schema
}

// validate is what an editor does: read as YAML, compare with the schema.
func validate(schema *jsonschema.Schema, spec string) error {
	var value any
	if err := yaml.Load([]byte(spec), &value); err != nil {
		return err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(instance)
}

func TestSchemaAccepts(t *testing.T) {
	schema := compileSchema(t)
	valid := map[string]string{
		"every key": "version: v1.0.0\nname: a\nfiles: [{path: /a, content: b, mode: 0644, owner: '0:0'}]\nx-a: 1\nartifacts: {iso: {level: 3, x-b: ~}}\n",
	}
	for _, name := range spectest.Catalog(t).FlavorNames() {
		src, _ := spectest.Catalog(t).Flavor(name)
		valid["flavor "+name] = string(src.Data)
	}
	for i, seed := range spectest.Seeds() {
		if _, err := spectest.Load(seed, spectest.Files{"base.spec": "name: a\n", "context:acme/kairos.spec": "name: a\n"}); err == nil && !strings.Contains(seed, "version: 6.1") {
			valid[fmt.Sprintf("seed %d", i)] = seed
		}
	}
	require.Greater(t, len(valid), 6)
	for name, spec := range valid {
		t.Run(name, func(t *testing.T) { assert.NoError(t, validate(schema, spec)) })
	}
}

func TestSchemaRejects(t *testing.T) {
	schema := compileSchema(t)
	for name, spec := range map[string]string{
		"unknown key":       "nmae: x\n",
		"unknown below":     "artifacts: {iso: {compresion: xz}}\n",
		"text for list":     "packages: {add: htop}\n",
		"list for text":     "name: [a]\n",
		"list for mapping":  "files: {path: /a}\n",
		"number in groups":  "packages: {groups: {nfs: 1}}\n",
		"unknown enum":      "variant: cores\n",
		"unknown algorithm": "artifacts: {iso: {compression: bzip2}}\n",
		"unknown layout":    "artifacts: {disk: {layout: half}}\n",
		"unknown artifact":  "test: {artifact: image}\n",
		"no value":          "name:\n",
		"empty when":        "kernel: {when: {}}\n",
		"unknown when":      "kernel: {when: {variant: kore}}\n",
		"when of a distro":  "distro: {name: a, when: {arch: a}}\n",
		"text without when": "cmdline: [{value: a}]\n",
		"text at the top":   "hello\n",
	} {
		t.Run(name, func(t *testing.T) { assert.Error(t, validate(schema, spec)) })
	}
}

// TestSchemaKeys compares the keys of the schema with those that the decoder takes, and so with
// those that it names when it meets one that it does not.
func TestSchemaKeys(t *testing.T) {
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct {
			Properties map[string]any
			AnyOf      []struct{ Properties map[string]any }
		} `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(specs.Schema(), &schema))
	keys := map[string]map[string]any{"Spec": schema.Properties}
	for name, def := range schema.Defs {
		keys[name] = def.Properties
		for _, alternative := range def.AnyOf {
			if alternative.Properties != nil {
				keys[name] = alternative.Properties
			}
		}
	}
	for name, format := range map[string]string{
		"Spec":        "%s",
		"Arg":         "args: {A: {%s}}",
		"Distro":      "distro: {%s}",
		"Kernel":      "kernel: {%s}",
		"Initramfs":   "initramfs: {%s}",
		"Size":        "size: {%s}",
		"Kubernetes":  "kubernetes: {%s}",
		"Mesh":        "mesh: {%s}",
		"Packages":    "packages: {%s}",
		"Content":     "cloudConfig: {%s}",
		"Repository":  "repositories: [{%s}]",
		"Mirrors":     "mirrors: {%s}",
		"CA":          "ca: {%s}",
		"SigningKey":  "repositories: [{key: {%s}}]",
		"File":        "files: [{%s}]",
		"Layer":       "layers: [{%s}]",
		"Component":   "components: {a: {%s}}",
		"Upgrade":     "upgrade: {%s}",
		"SourceImage": "source: {%s}",
		"Extension":   "extension: {%s}",
		"Artifacts":   "artifacts: {%s}",
		"ISO":         "artifacts: {iso: {%s}}",
		"Disk":        "artifacts: {disk: {%s}}",
		"Test":        "test: {%s}",
		"Assertion":   "test: {assertions: [{%s}]}",
		"When":        "kernel: {when: {%s}}",

		"ConditionalText": "cmdline: [{value: a, when: {arch: a}, %s}]",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spectest.Load(fmt.Sprintf(format, "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqq: 1"), nil)
			require.Error(t, err)
			_, valid, ok := strings.Cut(err.Error(), "; valid: ")
			require.True(t, ok, err.Error())
			assert.Equal(t, slices.Sorted(maps.Keys(keys[name])), strings.Split(valid, ", "))
			delete(keys, name)
		})
	}
	assert.Empty(t, keys, "types of the schema that this test forgets")
}
