package plan_test

import (
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
		Kind: "package", Name: "nmap", Stage: "userland", Place: "base.spec:2:18", Key: "packages.add[0]",
		Why: "the spec adds it", Remove: "remove it from packages.add",
	}, one("nmap")[0])
	require.Len(t, one("curl"), 2, "userland and initramfs")
	assert.Equal(t, "packages: {remove: [curl]}", one("curl")[0].Remove)
	assert.Len(t, one("/etc/motd"), 2, "that of the spec replaces that of the catalog")
	assert.Equal(t, "kairos.spec:7:9", one("/etc/motd")[1].Place)
	assert.Equal(t, "kairos.spec:8:11", one("mitigations=off")[0].Place)
	assert.Equal(t, "kairos.spec:9:24", one("immucore")[0].Place)
	assert.Equal(t, "tree=2", one("tree")[0].Name)
	assert.NotEmpty(t, one("ssh"), "a service without its extension")
	assert.Empty(t, one("edgevpn"))
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
			if r.Kind != "file" && r.Kind != "argument" {
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
