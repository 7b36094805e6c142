package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestChoices has for each key what a spec can have, which depends on its distribution.
func TestChoices(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	choices := func(text string, k key.Key) (names []string, about string) {
		doc, err := specs.Load(t.Context(), &specs.Source{Name: "kairos.spec", Data: []byte(text)}, spectest.Files{})
		require.NoError(t, err)
		for _, c := range plan.Choices(doc, cat, k) {
			names = append(names, c.Name)
			about += c.About
		}
		return names, about
	}
	for _, k := range []key.Key{key.Extends, key.DistroName, key.KernelFrom, key.Model, key.KernelModules, key.Components, key.PackagesAdd, key.PackagesRemove, specs.KindByName(specs.KindKubernetes).NameKey()} {
		names, about := choices("extends: debian-12\n", k)
		assert.NotEmpty(t, names, k)
		assert.NotEmpty(t, about, k)
		assert.IsIncreasing(t, names, k)
	}
	names, _ := choices("extends: debian-12\nkernel: nothing\n", key.PackagesGroups)
	assert.Contains(t, names, "nfs")
	names, _ = choices("version: v1.0.0\n", key.PackagesGroups)
	assert.Empty(t, names, "without a distribution")
	names, _ = choices("extends: debian-12\n", specs.KindByName(specs.KindMesh).NameKey())
	assert.Contains(t, names, specs.NoMesh)
	names, _ = choices("extends: debian-12\n", key.Components.Entry("k3s").SHA256())
	assert.Equal(t, catalog.Names(cat.Archs), names)
	names, about := choices("extends: debian-12\nvariant: core\n", key.PackagesAdd)
	for _, name := range []string{"curl", "nfs-common", "open-iscsi", "raspi-firmware", "qemu-system-arm"} {
		assert.Contains(t, names, name, "of groups, models and emulators")
	}
	assert.Contains(t, about, "emulator of arm64")
	names, _ = choices("version: v1.0.0\n", key.PackagesAdd)
	assert.Empty(t, names, "without a distribution")
	for _, k := range []key.Key{key.Version, key.Repositories.Item(0).SigningKey().SHA256()} {
		names, _ = choices("extends: debian-12\n", k)
		assert.Empty(t, names, k)
	}
}
