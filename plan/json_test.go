package plan_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// full uses the keys that no flavor uses.
const full = `extends: ./base.spec
version: v1.0.0
variant: standard
kubernetes: {version: v1.36.4+k3s1, as: extension}
kernel: {package: linux-image-cloud-amd64, version: 6.1.1-1}
cmdline: [quiet]
packages: {add: [htop=3.2.2]}
files: [{path: /lib/b, from: b, mode: 0600, owner: '1:2'}]
cloudConfig: {content: "#cloud-config\n"}
components: {kairos-agent: {context: mine}, immucore: {image: acme/immucore}}
artifacts: {disk: {firmware: both, cloudConfig: disk.yaml}}
test: {assertions: [{run: "true"}]}
repositories:
  - {name: a, url: 'https://a.example', suites: [b], components: [c], key: {url: 'https://a.example/k', sha256: "0000000000000000000000000000000000000000000000000000000000000000"}, priority: 1, packages: [d], keep: true, secret: e, certificate: f}
  - {name: g, url: 'https://g.example', path: ./, key: g.asc}
extension: {name: a, packages: [b], files: [{path: /opt/a, from: a}], services: [a.service], anyDistro: true, certificate: a.crt}
extensions: [{name: b, version: '2', files: [{path: /opt/b, content: b}], reload: true}]
layers: [{name: a, image: acme/a}, {name: b, context: b, path: /out, to: /opt/b, owner: '1:2'}]
`

const base = "extends: debian-13\nfiles: [{path: /a, content: a}]\ntest: {assertions: [{service: ssh}]}\n"

func fullPlan(t *testing.T) *plan.Plan {
	t.Helper()
	return spectest.MustPlan(t, full, spectest.Files{"base.spec": base}, "amd64")
}

// TestJSON checks that the plan of every flavor survives a JSON round trip, matches the schema, and
// has the same keys in YAML.
func TestJSON(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(plan.Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("plan.json", doc))
	schema, err := c.Compile("plan.json")
	require.NoError(t, err)

	plans := map[string]*plan.Plan{"full": fullPlan(t)}
	for _, entry := range spectest.Entries(t) {
		plans[entry.Name] = spectest.PlanEntry(t, entry)
	}
	for name, p := range plans {
		t.Run(name, func(t *testing.T) {
			data, back := spectest.RoundTrip(t, p)
			// An empty list and nil are the same.
			require.Empty(t, cmp.Diff(p, back, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b key.Key) bool { return a == b })))

			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			require.NoError(t, err)
			require.NoError(t, schema.Validate(value))

			var fromJSON, fromYAML map[string]any
			require.NoError(t, json.Unmarshal(data, &fromJSON))
			require.NoError(t, yaml.Load([]byte(p.String()), &fromYAML))
			delete(fromJSON, "origin")
			assert.Empty(t, cmp.Diff(plain(t, fromYAML), fromJSON))
		})
	}
	assert.Error(t, schema.Validate(map[string]any{"image": "x"}))
}

// plain converts values to the types of JSON.
func plain(t *testing.T, value any) (plain map[string]any) {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &plain))
	return plain
}

// TestOrigin checks the places of values after a JSON round trip.
func TestOrigin(t *testing.T) {
	_, p := spectest.RoundTrip(t, fullPlan(t))
	for k, want := range map[key.Key]string{
		key.Version:                "kairos.spec:2:10",
		key.Kernel:                 "kairos.spec:5:9",
		key.KernelContext:          "kairos.spec:5:9", // not set: the value around it
		key.DistroName:             "base.spec:1:10",  // the flavor sets it
		key.Init:                   "base.spec:1:10",  // not set at all
		key.Files.Item(0).From():   "base.spec:2:9",
		key.Files.Item(1).From():   "kairos.spec:8:30",
		key.TestAssertions.Item(1): "kairos.spec:12:21",
		key.Components.Entry("kairos-agent").Context(): "kairos.spec:10:38",
	} {
		assert.Equal(t, want, p.At(k).String(), k.String())
	}
	// In its own file, it is the first item.
	require.EqualError(t, p.Diagnose(rules.TestFailed, key.TestAssertions.Item(1), "mend it", "%s fails", "it"), "kairos.spec:12:21: test.assertions[0]: it fails; mend it")
	assert.Same(t, p.At(key.Version).Source, p.At(key.Kernel).Source, "a file is one source")
	assert.Equal(t, full, string(p.At(key.Version).Source.Data))
	assert.Equal(t, 1, p.At(key.DistroName).Source.Depth)

	require.EqualError(t, (&plan.Plan{}).Diagnose(rules.TestFailed, key.Kernel, "", "it fails"), "kairos.spec: kernel: it fails")
}

func TestContentContext(t *testing.T) {
	files := spectest.Files{
		"context:acme/kairos.spec":   "extends: ./sub/base.spec\ncloudConfig: oem.yaml\n",
		"context:acme/sub/base.spec": "extends: debian-12\nfiles: [{path: /c, from: c}]\n",
	}
	p := spectest.MustPlan(t, "extends: acme\nversion: v1.0.0\nfiles: [{path: /a, from: ./a}]\n", files, "amd64")
	assert.Equal(t, []plan.File{
		{Path: "/c", Content: plan.Content{From: "c", Context: "acme"}},
		{Path: "/a", Content: plan.Content{From: "./a"}},
	}, p.Files)
	assert.Equal(t, plan.Content{From: "oem.yaml", Context: "acme"}, p.CloudConfig)
}
