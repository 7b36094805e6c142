package frontend_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const debian13 = "# syntax=x\nextends: debian-13\nversion: v1.0.0\n"

const richExtension = debian13 + `extension:
  name: sentinel-name
  version: sentinel-1
  packages: [sentinel-package]
  files:
    - {path: /usr/lib/systemd/system/sentinel.service, content: sentinel-text, owner: 7:7}
    - {path: /usr/bin/sentinel, from: sentinel-from}
  services: [sentinel.service]
  certificate: sentinel.crt
`

// TestExtensionGraphs compares the graphs of extensions.
func TestExtensionGraphs(t *testing.T) {
	p := spectest.MustPlan(t, debian13+"extension: {name: tools, packages: [tree]}\n", nil, "amd64")
	golden.Check(t, "../testdata/targets/debian-13-amd64-sysext.txt", graphtest.Generate(t, p, "sysext").String())
	p = spectest.MustPlan(t, debian13+"extension: {name: site, anyDistro: true, certificate: {content: PEM}, files: [{path: /etc/motd, content: a}]}\n", nil, "arm64")
	golden.Check(t, "../testdata/targets/debian-13-arm64-confext.txt", graphtest.Generate(t, p, "confext").String())
}

func TestExtensionVertices(t *testing.T) {
	for _, v := range graphtest.Generate(t, spectest.MustPlan(t, richExtension, nil, "amd64"), "sysext").Vertices() {
		checkVertex(t, v)
	}
}

// TestExtensionDependencies changes one thing of a spec: the system is the same for all extensions,
// and the key of a signature is no part of it.
func TestExtensionDependencies(t *testing.T) {
	const before = debian13 + "extension: {name: tools, packages: [tree], services: [a.service]}\n"
	const install, compare, take, write = "[extension/tools] install tree", "[extension/tools] compare with the system", "[extension/tools] take what the extension changes", "[extension/tools] write tools-v1.0.0.sysext.raw"
	const list = "[extension/tools] list what an extension can have"
	was := graphtest.Generate(t, spectest.MustPlan(t, before, nil, "amd64"), "sysext")
	for _, c := range []struct {
		name, from, to string
		want           []string
	}{
		{name: "version of the extension", from: "name: tools", to: "name: tools, version: '2'", want: []string{take, strings.Replace(write, "v1.0.0", "2", 1)}},
		{name: "services", from: "a.service", to: "b.service", want: []string{list, take, write}},
		{name: "certificate", from: "name: tools", to: "name: tools, certificate: {content: PEM}", want: []string{"[extension/tools] copy extension.certificate from the spec", write}},
		{name: "medium", from: "extension:", to: "artifacts: {iso: {level: 9}}\nextension:", want: []string{}},
		{name: "package", from: "tree", to: "jq", want: []string{compare, "[extension/tools] install jq", take, write}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, was.Changed(graphtest.Generate(t, spectest.MustPlan(t, strings.Replace(before, c.from, c.to, 1), nil, "amd64"), "sysext")))
		})
	}
	assert.Contains(t, was.String(), install)
}

// TestExtensionInTest puts the extension on the medium of a boot test, and boots again when it changes.
func TestExtensionInTest(t *testing.T) {
	const before = debian13 + "extension: {name: tools, packages: [tree]}\ntest: {assertions: [{extension: tools}]}\n"
	was := graphtest.Generate(t, spectest.MustPlan(t, before, nil, "amd64"), "test")
	now := graphtest.Generate(t, spectest.MustPlan(t, strings.Replace(before, "tree", "jq", 1), nil, "amd64"), "test")
	assert.Equal(t, []string{
		"[extension/tools] compare with the system", "[extension/tools] install jq", "[extension/tools] take what the extension changes",
		"[extension/tools] write tools-v1.0.0.sysext.raw", "[test] add tools-v1.0.0.sysext.raw",
		"[test] boot kairos-debian-13-core-amd64-generic-v1.0.0.iso and run the assertions",
	}, was.Changed(now))
}

// TestExtensionsShare makes several extensions on top of one system, each with a file of its own. An
// extension with files in /etc is a configuration extension.
func TestExtensionsShare(t *testing.T) {
	const one = debian13 + "extensions:\n  - {name: a, packages: [tree]}\n"
	const more = "  - {name: b, packages: [jq], certificate: {content: PEM}}\n  - {name: c, files: [{path: /etc/c, content: c}]}\n"
	was := graphtest.Generate(t, spectest.MustPlan(t, one, nil, "amd64"), "sysext")
	several := graphtest.Generate(t, spectest.MustPlan(t, one+more, nil, "amd64"), "sysext")
	assert.Equal(t, []string{
		"[extension/b] compare with the system", "[extension/b] copy extensions[1].certificate from the spec", "[extension/b] install jq",
		"[extension/b] take what the extension changes", "[extension/b] write b-v1.0.0.sysext.raw", "[extensions] gather the extensions",
	}, was.Changed(several), "the rest is shared, and the configuration extension is not made")
	config := graphtest.Generate(t, spectest.MustPlan(t, one+more, nil, "amd64"), "confext").String()
	assert.Contains(t, config, "write c-v1.0.0.confext.raw")
	assert.NotContains(t, config, "write a-")
}

// TestKubernetesExtensionGraphs has Kubernetes in an extension of its own, and not in the system. Only
// the medium carries it.
func TestKubernetesExtensionGraphs(t *testing.T) {
	const spec = debian13 + "variant: standard\nkubernetes: {version: v1.36.4+k3s1, as: extension}\n"
	made := func(spec, target string) graphtest.Graph {
		return graphtest.Generate(t, spectest.MustPlan(t, spec, nil, "amd64"), target)
	}
	golden.Check(t, "../testdata/targets/debian-13-amd64-kubernetes-sysext.txt", made(spec, "sysext").String())
	next := strings.Replace(spec, "v1.36.4+k3s1", "v1.36.5+k3s1", 1)
	assert.Empty(t, made(spec, "image").Changed(made(next, "image")), "the image has no Kubernetes")
	assert.Equal(t, []string{
		"[component/k3s] add the files of k3s", "[component/k3s] download https://github.com/k3s-io/k3s/releases/download/v1.36.5+k3s1/k3s",
		"[component/k3s] download https://github.com/k3s-io/k3s/releases/download/v1.36.5+k3s1/sha256sum-amd64.txt", "[component/k3s] verify and unpack k3s",
		"[extension/k3s] compare with the system", "[extension/k3s] merge the programs into the system", "[extension/k3s] take what the extension changes",
		"[extension/k3s] write k3s-v1.36.5-k3s1.sysext.raw", "[iso] write kairos-debian-13-core-amd64-generic-v1.0.0.iso",
	}, made(spec, "iso").Changed(made(next, "iso")), "the medium has it")
	assert.Contains(t, made(spec, "iso").String(), "mount /in/extensions/k3s-v1.36.4-k3s1.sysext.raw from")
}

// TestExtensionMistakes are those that depend on the target.
func TestExtensionMistakes(t *testing.T) {
	const files = debian13 + "extension:\n  name: a\n  files:\n    - {path: /usr/bin/a, content: a}\n    - {path: /etc/a, content: a}\n"
	for _, c := range []struct{ spec, target, want string }{
		{debian13, "sysext", `kairos.spec:2:10: extension: there is no extension to make; say what it has, such as "extension: {name: caddy, packages: [caddy]}"`},
		{files, "sysext", "kairos.spec:8:14: extension.files[1].path: a sysext has no /etc/a; put it into /usr or /opt"},
		{debian13 + "extensions: [{name: a, packages: [a]}, {name: b, packages: [b]}]\n", "confext", `kairos.spec:4:13: extensions: there is no confext to make; give one of them only files in /etc`},
		{debian13 + "extensions: [{name: a, packages: [a]}, {name: b, files: [{path: /srv/b, content: b}]}]\n", "sysext", `kairos.spec:4:65: extensions[1].files[0].path: a sysext has no /srv/b; put it into /usr or /opt`},
		{files, "confext", "kairos.spec:7:14: extension.files[0].path: a confext has no /usr/bin/a; put it into /etc"},
	} {
		_, err := graphtest.Try(spectest.MustPlan(t, c.spec, nil, "amd64"), c.target)
		assert.EqualError(t, err, c.want)
	}
	p := spectest.MustPlan(t, debian13+"extension: {name: a, packages: [a]}\n", nil, "amd64")
	_, err := graphtest.Try(p, "sysext", func(g *graph.Graph) { g.Caps.Diff = false })
	require.ErrorContains(t, err, "the daemon cannot compare states")
}
