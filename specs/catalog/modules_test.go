package catalog_test

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// TestHolds has a class hold each module that requirements name and that is below its paths in
// Debian's kernel. Otherwise a spec could switch off what its system needs.
func TestHolds(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	text, err := os.ReadFile("testdata/modules.txt")
	require.NoError(t, err)
	places := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if place := strings.TrimSpace(line); place != "" && place[0] != '#' {
			places[moduleName(place)] = place
		}
	}
	needed := map[string]bool{}
	for _, req := range cat.Requirements {
		for _, category := range []catalog.Category{catalog.NeedModules, catalog.NeedInitramfsModules, catalog.NeedNetworkModules} {
			for name, need := range req.Needs[category] {
				needed[name] = true
				for _, or := range need.Or {
					needed[or] = true
				}
			}
		}
	}
	for _, name := range catalog.Names(needed) {
		assert.Contains(t, places, name, "add its place to testdata/modules.txt")
	}
	for _, class := range cat.SwitchedModules() {
		m := cat.Modules[class]
		var holds []string
		for name := range needed {
			if below(places[name], m.Paths) && !slices.Contains(m.Keep, name) {
				holds = append(holds, name)
			}
		}
		assert.ElementsMatch(t, holds, m.Holds, class)
	}
}

func moduleName(place string) string { return strings.ReplaceAll(path.Base(place), "-", "_") }

func below(place string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		one, _ := path.Match(p, place)
		return one || strings.HasPrefix(place, p+"/")
	})
}

// TestModuleSwitch follows the model, unless it differs from none.
func TestModuleSwitch(t *testing.T) {
	s := &catalog.ModuleSwitch{Models: map[string]bool{"rpi4": true}}
	assert.True(t, s.On("rpi4"))
	assert.False(t, s.On("generic"))
	assert.True(t, (&catalog.ModuleSwitch{Default: true}).On("generic"))
}
