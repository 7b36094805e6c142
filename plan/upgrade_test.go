package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestUpgradeCache: the cache of layers is on by choice, in all variants and init systems.
func TestUpgradeCache(t *testing.T) {
	const name = "layer-cache"
	service := map[string]string{"systemd": "/usr/lib/systemd/system/layer-cache.service", "openrc": "/etc/init.d/layer-cache"}
	for init, file := range service {
		for _, spec := range []string{debian, standard} {
			spec += "init: " + init + "\n"
			_, ok := spectest.MustPlan(t, spec, nil, "amd64").Component(name)
			assert.False(t, ok, "off by default")
			_, ok = spectest.MustPlan(t, spec+"upgrade: {cache: false}\n", nil, "amd64").Component(name)
			assert.False(t, ok)

			p := spectest.MustPlan(t, spec+"upgrade: {cache: true}\n", nil, "amd64")
			c, ok := p.Component(name)
			require.True(t, ok)
			assert.Contains(t, p.Checks.Programs, "/usr/bin/layer-cache")
			assert.Contains(t, c.Files, file)
			assert.NotContains(t, c.Files, "/etc/layer-cache.yaml")
		}
	}
	p := spectest.MustPlan(t, debian+"upgrade: {cache: true, cacheSize: 8GiB}\n", nil, "amd64")
	c, ok := p.Component(name)
	require.True(t, ok)
	assert.Equal(t, "size: 8GiB\n", c.Files["/etc/layer-cache.yaml"])
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	assert.NotContains(t, cat.Components[name].Files["systemd"], "/etc/layer-cache.yaml", "the catalog stays as it is")
}

// TestExplainUpgradeCache: a machine has the cache because of the key that switches it on.
func TestExplainUpgradeCache(t *testing.T) {
	const spec = debian + "upgrade: {cache: true}\n"
	doc, err := spectest.Load(spec, nil)
	require.NoError(t, err)
	all, err := plan.Explain(spectest.MustPlan(t, spec, nil, "amd64"), doc, spectest.Catalog(t))
	require.NoError(t, err)
	found, _ := plan.Find(all, "layer-cache")
	require.NotEmpty(t, found)
	assert.Equal(t, "layer-cache v1.0.0", found[0].Name)
	assert.Equal(t, "kairos.spec:3:18", found[0].Place)
	assert.Equal(t, "upgrade: {cache: false}", found[0].Remove)
}
