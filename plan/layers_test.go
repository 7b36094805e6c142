package plan_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestLayers has the defaults of layers, and paths where the links of the userland point.
func TestLayers(t *testing.T) {
	const layers = `layers:
  - {name: a, image: acme/a}
  - {name: b, context: tools, path: ./out, to: /lib/firmware/acme, owner: '1:2'}
`
	for flavor, firmware := range map[string]string{"debian-12": "/usr/lib/firmware/acme", "alpine": "/lib/firmware/acme"} {
		p := spectest.MustPlan(t, "extends: "+flavor+"\nversion: v1.0.0\n"+layers, nil, "arm64")
		assert.Equal(t, []plan.Layer{
			{Name: "a", Image: "acme/a", Path: "/", To: "/"},
			{Name: "b", Context: "tools", Path: "/out", To: firmware, Owner: "1:2"},
		}, p.Layers, flavor)
	}
}

// TestLayersOfTheBase come first, and point at their own file.
func TestLayersOfTheBase(t *testing.T) {
	base := spectest.Files{"base.spec": "extends: debian-12\nlayers: [{name: a, image: acme/a}, {name: b, context: old}]\n"}
	p := spectest.MustPlan(t, "extends: ./base.spec\nversion: v1.0.0\nlayers: [{name: b, context: new}]\n", base, "amd64")
	require.Len(t, p.Layers, 2)
	assert.Equal(t, plan.Layer{Name: "b", Context: "new", Path: "/", To: "/"}, p.Layers[1])
}

// TestLayersAreLocked has the images of layers among those of the build.
func TestLayersAreLocked(t *testing.T) {
	p := spectest.MustPlan(t, debian+"layers: [{name: a, context: a}, {name: b, image: acme/b}]\n", nil, "amd64")
	assert.Contains(t, p.Images(), plan.Image{Name: "acme/b", At: key.Layers.Item(1).Entry("image")})
}

// TestExplainLayers points at the entry of the spec.
func TestExplainLayers(t *testing.T) {
	all := explain(t, debian+"layers: [{name: tools, image: acme/b, to: /opt/tools}]\n", nil, "amd64")
	found, _ := plan.Find(all, "tools")
	assert.Equal(t, []plan.Reason{{
		Kind: "layer", Name: "tools", Place: "kairos.spec:3:10", Key: "layers[0]",
		Why: "the spec lays a tree over /opt/tools", Remove: "remove it from layers",
	}}, found)
}

// TestLayersExample has the plan of the example.
func TestLayersExample(t *testing.T) {
	spec, err := os.ReadFile("../examples/from-a-dockerfile/kairos.spec")
	require.NoError(t, err)
	golden.Check(t, "../testdata/targets/from-a-dockerfile-plan.yaml", spectest.MustPlan(t, string(spec), nil, "amd64").String())
}
