package integration

import (
	"maps"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
	"github.com/flavorkit/flavorkit/test/spectest"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestStandIns builds the standard variant of one entry for each pair of userland and kernel
// families, in one build, with specs that name the real images. Local substitutes replace the
// images of unreachable distributions (hack/standins.sh). All checks pass. TestMachineLent boots
// one of them, and TestAllStandIns builds the other entries.
func TestStandIns(t *testing.T) {
	t.Parallel()
	var chosen []matrix.Entry
	seen, donors := map[string]bool{}, map[string]bool{}
	choose := func(wanted func(userland, donor string) bool) {
		for _, c := range nativeEntries(t) {
			p := spectest.PlanEntry(t, c)
			pair := familiesOf(t, c)
			if p.Variant == "standard" && !seen[pair] && wanted(p.Userland.Distro, p.Kernel.Distro) {
				seen[pair], donors[p.Kernel.Distro] = true, true
				chosen = append(chosen, c)
			}
		}
	}
	// A donor that is already there is installed once.
	choose(func(userland, donor string) bool { return userland != donor })
	choose(func(userland, _ string) bool { return donors[userland] })
	choose(func(_, _ string) bool { return true })
	assert.GreaterOrEqual(t, len(chosen), 7, "apt, zypper, dnf and apk, and kernels of others for apk")
	buildAll(t, chosen)
}

// TestAllStandIns builds all entries of the matrix for this architecture in one build. It takes
// long: about twenty installations.
func TestAllStandIns(t *testing.T) {
	t.Parallel()
	buildAll(t, nativeEntries(t))
}

// nativeEntries are those of the built-in matrix for this architecture.
func nativeEntries(t testing.TB) []matrix.Entry {
	t.Helper()
	all, err := matrix.Selection{Archs: []string{arch}}.Of(spectest.Entries(t))
	require.NoError(t, err)
	return all
}

// familiesOf returns the families of the userland and the kernel of an entry.
func familiesOf(t testing.TB, c matrix.Entry) string {
	t.Helper()
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	p := spectest.PlanEntry(t, c)
	return cat.Distros[p.Userland.Distro].Flavor + " on " + cat.Distros[p.Kernel.Distro].Flavor
}

// buildAll builds entries together and exports nothing.
func buildAll(t *testing.T, all []matrix.Entry) {
	t.Helper()
	o := options(t, nil)
	o.Frontend, o.Contexts = frontend.New(frontend.Options{}).Entries(together(all)), standIns(t, all...)
	maps.Copy(o.Contexts, standardContexts(t))
	r := watch(&o)
	if _, err := solve.Build(t.Context(), embedded(t), o); err != nil {
		t.Fatalf("build: %+v\n%v", err, o.Log)
	}
	checked := 0
	for _, name := range r.ran() {
		if strings.HasSuffix(name, "compat] check that kernel, initramfs and userland fit") {
			checked++
		}
	}
	assert.GreaterOrEqual(t, checked, len(all)-2, "the kernel of each entry is checked, but for what other tests have built")
}

// standIns returns named contexts for the base images that entries need: local substitutes for
// those that hack/base.sh does not make.
func standIns(t testing.TB, entries ...matrix.Entry) map[string]string {
	t.Helper()
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	all := contexts(t)
	for _, c := range entries {
		p := spectest.PlanEntry(t, c)
		needed := []string{p.Userland.Distro, p.Kernel.Distro}
		if from := p.Userland.Loader.From; from != nil {
			needed = append(needed, from.Distro)
		}
		for _, name := range needed {
			ref, err := reference.ParseNormalizedNamed(cat.Distros[name].Base)
			require.NoError(t, err)
			if _, ok := all[reference.FamiliarString(ref)]; !ok {
				all[reference.FamiliarString(ref)] = "oci-layout://" + testkit.StandIn(t, name)
			}
		}
	}
	return all
}
