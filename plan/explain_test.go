package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func explain(t *testing.T, spec string, files spectest.Files, arch string) []plan.Reason {
	t.Helper()
	doc, err := spectest.Load(spec, files)
	require.NoError(t, err)
	all, err := plan.Explain(spectest.MustPlan(t, spec, files, arch), doc, spectest.Catalog(t))
	require.NoError(t, err)
	return all
}

// TestExplain has the reasons for a system that uses all ways to choose something.
func TestExplain(t *testing.T) {
	const spec = `extends: ./base.spec
version: v1.0.0
variant: standard
mesh: none
model: virtual
packages: {add: [htop, tree=2], groups: {iscsi: false}}
files: [{path: /etc/motd, content: hello}]
cmdline: [mitigations=off]
components: {immucore: {version: v0.20.3}}
`
	files := spectest.Files{"base.spec": "extends: debian-12\npackages: {add: [nmap]}\n"}
	all := explain(t, spec, files, "amd64")
	var text strings.Builder
	for _, r := range all {
		text.WriteString(r.String() + "\n")
	}
	golden.Check(t, "../testdata/targets/debian-12-amd64-explain.txt", text.String())
	one := func(name string) []plan.Reason {
		found, _ := plan.Find(all, name)
		return found
	}
	require.Len(t, one("nmap"), 1)
	assert.Equal(t, plan.Reason{
		Kind: "package", Name: "nmap", Stage: "userland", Place: "base.spec:2:18", Chain: []string{"base.spec:2:18", "kairos.spec:1:10"}, Key: "packages.add[0]",
		Why: "the spec adds it", Remove: "remove it from packages.add",
	}, one("nmap")[0])
	kinds := func(name string) (kinds []string) {
		for _, r := range one(name) {
			kinds = append(kinds, r.Kind)
		}
		return kinds
	}
	assert.Equal(t, []string{"package", "package", "requirement", "requirement"}, kinds("curl"), "userland, initramfs, and what needs them")
	assert.Equal(t, "nothing in a spec: the system needs curl (configuration by URL)", one("curl")[0].Remove)
	assert.Equal(t, "packages: {remove: [less]}", one("less")[0].Remove)
	assert.Equal(t, "nothing in a spec: machines and media start from it", one("shim-signed")[0].Remove)
	assert.Equal(t, []string{"requirement"}, kinds("grub-install"), "an alternative")
	assert.Len(t, one("/etc/motd"), 2, "that of the spec replaces that of the catalog")
	assert.Equal(t, "kairos.spec:7:9", one("/etc/motd")[1].Place)
	assert.Equal(t, "kairos.spec:8:11", one("mitigations=off")[0].Place)
	assert.Equal(t, "kairos.spec:9:24", one("immucore")[0].Place)
	assert.Equal(t, "tree=2", one("tree")[0].Name)
	assert.NotEmpty(t, one("ssh"), "a service without its extension")
	assert.Empty(t, one("edgevpn"))
	assert.Equal(t, "nothing in a spec", one("immucore")[0].Remove, "without a key it has the version of the catalog")
	assert.Equal(t, "variant: core, and no mesh", one("k3s")[0].Remove)
	_, near := plan.Find(all, "curll")
	assert.Equal(t, "curl", near)
}

// TestExplainAll finds a place for every package, service and component of all flavors.
func TestExplainAll(t *testing.T) {
	for _, entry := range spectest.Entries(t) {
		doc, err := spectest.Load(string(entry.Spec.Data), nil)
		require.NoError(t, err)
		p := spectest.PlanEntry(t, entry)
		explained := map[string]bool{}
		all, err := plan.Explain(p, doc, spectest.Catalog(t))
		require.NoError(t, err)
		for _, r := range all {
			explained[r.Stage+" "+r.Name] = true
			if r.Kind != "file" && r.Kind != "argument" && r.Kind != "default" {
				assert.Regexp(t, `:\d+:\d+$`, r.Place, "%s: %v", entry.Name, r)
			}
			if r.Kind == "package" {
				assert.NotEmpty(t, r.Why, "%s: %v", entry.Name, r)
			}
		}
		for _, s := range p.Stages() {
			for _, pkg := range s.Install.Packages {
				assert.True(t, explained[s.Name+" "+pkg.String()], "%s: %s of %s", entry.Name, pkg, s.Name)
			}
		}
	}
}

// TestExplainDefaults finds keys that no file sets.
func TestExplainDefaults(t *testing.T) {
	const spec = "extends: debian-12\nversion: v1.0.0\n"
	all := explain(t, spec, nil, "amd64")
	for name, want := range map[string]struct{ kind, place, why string }{
		"variant":             {"default", "flavorkit", "core is the default of the language"},
		"model":               {"default", "flavorkit", "generic is the default of the language"},
		"kernel":              {"default", "specs/catalog/distros/debian-12.yaml:", "linux-image-amd64 is the default of Debian 12 (bookworm)"},
		"init":                {"key", "kairos.spec:1:10", "the flavor debian-12 sets it"},
		"artifacts.iso.label": {"default", "flavorkit", "COS_LIVE is the default of the language"},
	} {
		found, _ := plan.Find(all, name)
		require.Len(t, found, 1, name)
		assert.Equal(t, want.kind, found[0].Kind, name)
		assert.Contains(t, found[0].Place, want.place)
		assert.Equal(t, want.why, found[0].Why)
		assert.Equal(t, "another "+name+" in the spec", found[0].Remove)
	}
	standard, _ := plan.Find(explain(t, spec+"variant: standard\n", nil, "amd64"), "kubernetes")
	require.Len(t, standard, 1)
	assert.Contains(t, standard[0].Why, " is the default of the variant standard")
}

// TestExplainReplaced finds what a base has, or the catalog, and the spec takes away.
func TestExplainReplaced(t *testing.T) {
	const spec = "extends: ./base.spec\nversion: v1.0.0\nname: near\npackages: {remove: [nmap, nano], groups: {nfs: false}}\n"
	all := explain(t, spec, spectest.Files{"base.spec": "extends: debian-12\nname: far\npackages: {add: [htop, nmap]}\n"}, "amd64")
	one := func(name string) plan.Reason {
		found, _ := plan.Find(all, name)
		found = slices.DeleteFunc(found, func(r plan.Reason) bool { return r.Kind != "left out" })
		require.Len(t, found, 1, name)
		return found[0]
	}
	assert.Equal(t, plan.Reason{
		Kind: "left out", Name: "nmap", Place: "base.spec:3:24", Chain: []string{"base.spec:3:24", "kairos.spec:1:10"}, Key: "packages.add[1]",
		Why: "taken out of packages.add by kairos.spec:4:21 packages.remove[0]",
	}, one("nmap"))
	assert.Equal(t, plan.Reason{
		Kind: "left out", Name: "name", Place: "base.spec:2:7", Chain: []string{"base.spec:2:7", "kairos.spec:1:10"}, Key: "name", Why: "its value far is replaced by kairos.spec:3:7 name",
	}, one("name"))
	nano := one("nano")
	assert.Regexp(t, `^specs/catalog/distros/debian-12.yaml:\d+:\d+$`, nano.Place)
	assert.Equal(t, "a small editor (group admin); left out by kairos.spec:4:27 packages.remove[1]", nano.Why)
	assert.Contains(t, one("nfs-common").Why, "left out by kairos.spec:4:48 packages.groups.nfs")
}

// TestExplainChain says how the spec comes to values of files, of named contexts and of built-in flavors.
func TestExplainChain(t *testing.T) {
	const spec = "# edge\nextends: ./base.spec\nversion: v1.0.0\ncmdline: [quiet]\n"
	all := explain(t, spec, spectest.Files{
		"base.spec":                "packages: {add: [htop]}\nextends: acme\n",
		"context:acme/kairos.spec": "extends: ./ours.spec\n",
		"context:acme/ours.spec":   "extends: ubuntu\npackages: {add: [nmap]}\n",
	}, "amd64")
	for _, c := range []struct {
		kind, name, place string
		chain             []string
	}{
		{"argument", "quiet", "kairos.spec:4:11", nil},
		{"package", "htop", "base.spec:1:18", []string{"base.spec:1:18", "kairos.spec:2:10"}},
		{"package", "nmap", "acme/ours.spec:2:18", []string{"acme/ours.spec:2:18", "acme/kairos.spec:1:10", "base.spec:2:10", "kairos.spec:2:10"}},
		{"key", "distro.name", "acme/ours.spec:1:10", []string{"flavor ubuntu-26.10:2:9", "flavor ubuntu:2:10", "acme/ours.spec:1:10", "acme/kairos.spec:1:10", "base.spec:2:10", "kairos.spec:2:10"}},
	} {
		found, _ := plan.Find(all, c.name)
		at := slices.IndexFunc(found, func(r plan.Reason) bool { return r.Kind == c.kind })
		require.GreaterOrEqual(t, at, 0, c.name)
		assert.Equal(t, c.place, found[at].Place, c.name)
		assert.Equal(t, c.chain, found[at].Chain, c.name)
	}
	htop, _ := plan.Find(all, "htop")
	assert.Contains(t, htop[0].String(), "\n  from     base.spec:1:18, which kairos.spec:2:10 extends  packages.add[0]\n")
}

// TestRemoval tries every advice about a key: a spec without it has no mistake, and one with a mistake
// is not advised.
func TestRemoval(t *testing.T) {
	const spec = `extends: debian-12
version: v1.0.0
variant: standard
kubernetes: k0s
args: {A: {default: x}}
cmdline: ["a=${A}"]
packages: {add: [htop]}
`
	all := explain(t, spec, nil, "amd64")
	removal := func(key string) string {
		found, _ := plan.Find(all, key)
		found = slices.DeleteFunc(found, func(r plan.Reason) bool { return r.Kind != "key" })
		require.Len(t, found, 1, key)
		return found[0].Remove
	}
	assert.Contains(t, removal("version"), "nothing in a spec: ")
	assert.Equal(t, "nothing in a spec", removal("extends"))
	assert.Contains(t, removal("variant"), "nothing in a spec: ", "Kubernetes needs it")
	k0s, _ := plan.Find(all, "k0s")
	assert.Equal(t, "remove kubernetes from kairos.spec", k0s[0].Remove, "the default is another")
	k3s, _ := plan.Find(explain(t, "extends: debian-12\nversion: v1.0.0\nvariant: standard\ncomponents: {k3s: {version: v1.36.4+k3s1}}\n", nil, "amd64"), "k3s")
	assert.Contains(t, k3s[0].Remove, "nothing in a spec: components.k3s: ", "its version is there")
	assert.Equal(t, "remove kubernetes from kairos.spec", removal("kubernetes"))
	assert.Equal(t, "nothing in a spec: values of it have the argument", removal("args.A"))
	assert.Equal(t, "remove cmdline[0] from kairos.spec", removal("cmdline[0]"))
	assert.Equal(t, "remove packages.add[0] from kairos.spec", removal("packages.add[0]"))
	for _, r := range all {
		if r.Kind != "left out" {
			assert.NotEmpty(t, r.Remove, "%v", r)
		}
	}
}
