package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestExtension has the defaults, and the stages that packages and tools come from.
func TestExtension(t *testing.T) {
	const spec = "extends: debian-13\nversion: v1.0.0\nmirrors: {archives: {debian: 'https://a.example/debian'}, keep: true}\n"
	p := spectest.MustPlan(t, spec+"extension: {name: tools, packages: [tree, jq=1.7], files: [{path: /lib/acme/a, content: a}], services: [a.service]}\n", nil, "arm64")
	require.Len(t, p.Extensions, 1)
	e := p.Extensions[0]
	assert.Equal(t, "tools-v1.0.0", e.File)
	assert.Equal(t, []plan.Package{{Name: "tree"}, {Name: "jq", Version: "1.7"}}, e.Install.Packages)
	assert.Equal(t, p.Userland.Exclude, e.Install.Exclude, "documentation is left out of both")
	assert.False(t, e.Install.KeepMirrors, "what the system keeps is no part of it")
	assert.Equal(t, []plan.File{{Path: "/usr/lib/acme/a", Content: plan.Content{Text: "a"}}}, e.Files)
	assert.True(t, e.Reload, "services need it")
	assert.Equal(t, "arm64", e.Architecture)
	assert.Equal(t, "debian-13", e.Tools.Distro)

	names := map[string]key.Key{}
	for _, s := range p.Stages() {
		names[s.Name] = s.At
	}
	assert.Contains(t, names, "extension")
	assert.Contains(t, names, "tools-extension")

	other := spectest.MustPlan(t, spec+"extension: {name: tools, version: '2', packages: [tree]}\n", nil, "arm64").Extensions[0]
	assert.Equal(t, "tools-2", other.File)
	assert.NotEqual(t, e.Seed, other.Seed)
	assert.False(t, other.Reload)
}

// TestExtensions has each extension at its key, with packages of its own.
func TestExtensions(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\nextension: {name: a, packages: [tree]}\nextensions: [{name: b, version: '2', packages: [tree]}, {name: c, packages: [jq=1.7]}]\n", nil, "amd64")
	var all []string
	for _, e := range p.Extensions {
		all = append(all, e.At+" "+e.File)
	}
	assert.Equal(t, []string{"extension a-v1.0.0", "extensions[0] b-2", "extensions[1] c-v1.0.0"}, all)
	stages := map[string]key.Key{}
	for _, s := range p.Stages() {
		stages[s.Name] = s.At
		if s.Name == "extension-c" {
			k, ok := s.Asked(specs.Spec{}, "jq=1.7")
			assert.True(t, ok)
			assert.Equal(t, "extensions[1].packages[0]", k.String())
		}
	}
	assert.Contains(t, stages, "extension")
	assert.NotContains(t, stages, "extension-b", "the packages are those of the first")
	assert.Equal(t, key.Extensions.Item(1), stages["extension-c"])
	c, ok := p.Extension("c")
	assert.True(t, ok)
	assert.Equal(t, key.Extensions.Item(1), c.Key())
}

// TestExtensionRefused names what a distribution lacks to merge an extension.
func TestExtensionRefused(t *testing.T) {
	const extension = "version: v1.0.0\nextension: {name: tools, packages: [tree]}\n"
	for spec, want := range map[string]string{
		"extends: debian-12\n":                   "kairos.spec:3:12: extension: Debian 12 (bookworm) cannot merge an extension: it has systemd 252; extensions need systemd 255 or later, which these have: ",
		"extends: ubuntu-22-lts\n":               "kairos.spec:3:12: extension: Ubuntu 22.04 LTS cannot merge an extension: it has systemd 249; ",
		"extends: alpine\n":                      "",
		"extends: debian-13\ninit: openrc\n":     "",
		"extends: debian-13\n":                   "",
		"extends: ubuntu-24-lts\n":               "",
		"extends: fedora\n":                      "",
		"extends: opensuse\nkernel: debian-12\n": "",
	} {
		_, err := spectest.Plan(spec+extension, nil, "amd64")
		if want == "" {
			assert.NoError(t, err, spec)
		} else {
			assert.ErrorContains(t, err, want, spec)
		}
	}
}

// TestExtensionOpenRC names what OpenRC does with no extension.
func TestExtensionOpenRC(t *testing.T) {
	const file = "files: [{path: /usr/lib/systemd/system/a.service, content: a}]"
	for extension, want := range map[string]string{
		"extension: {name: a, " + file + "}":                                       "",
		"extension: {name: a, " + file + ", services: [a.service]}":                "kairos.spec:4:",
		"extension: {name: a, files: [{path: /etc/a, content: a}]}":                "kairos.spec:4:12: extension: openrc merges system extensions only, and this one has only files in /etc; add the files to the system",
		"extension: {name: a, packages: [a], files: [{path: /etc/a, content: a}]}": "",
		"extensions: [{name: a, packages: [a], services: [a.service, b.service]}]": "extensions[0].services: Debian 13 (trixie) cannot merge an extension: its init system, openrc, starts no services of extensions; ",
	} {
		_, err := spectest.Plan("extends: debian-13\nversion: v1.0.0\ninit: openrc\n"+extension+"\n", nil, "amd64")
		if want == "" {
			assert.NoError(t, err, extension)
		} else {
			assert.ErrorContains(t, err, want, extension)
		}
	}
}

// TestExplainExtension points at the packages of an extension.
func TestExplainExtension(t *testing.T) {
	found, _ := plan.Find(explain(t, "extends: debian-13\nversion: v1.0.0\nextension: {name: tools, packages: [tree]}\n", nil, "amd64"), "tree")
	assert.Equal(t, []plan.Reason{{
		Kind: "package", Name: "tree", Stage: "extension", Place: "kairos.spec:3:37", Key: "extension.packages[0]",
		Why: "the spec adds it", Remove: "remove it from extension.packages",
	}}, found)
}
