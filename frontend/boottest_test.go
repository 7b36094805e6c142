package frontend_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const (
	tested = debian + `test:
  assertions:
    - {name: sentinel-name, run: echo sentinel-run, matches: sentinel-matches}
    - {file: /sentinel-file}
    - {service: sentinel-service, timeout: 90s}
`
	writeAssertions = "[test] write the assertions"
	bootISO         = "[test] boot kairos-debian-12-core-amd64-generic-v1.0.0.iso and run the assertions"
)

// TestTestGraphs compares the graphs of tests of each artifact, for both architectures.
func TestTestGraphs(t *testing.T) {
	for name, spec := range map[string]string{"amd64-test": tested, "arm64-test-disk": strings.Replace(tested, "test:\n", "test:\n  artifact: disk\n", 1)} {
		t.Run(name, func(t *testing.T) {
			arch, _, _ := strings.Cut(name, "-")
			g := graphtest.Generate(t, spectest.MustPlan(t, spec, nil, arch), "test")
			golden.Check(t, filepath.Join("../testdata/targets/debian-12-"+name+".txt"), g.String())
			for _, v := range g.Vertices() {
				checkVertex(t, v)
			}
		})
	}
}

// TestTestDependencies changes one thing in a spec. The position of assertions in the spec must not
// matter.
func TestTestDependencies(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		want           []string
	}{
		{name: "assertion", from: "sentinel-run", to: "true", want: []string{writeAssertions, bootISO}},
		{name: "timeout of an assertion", from: "90s", to: "2m", want: []string{writeAssertions, bootISO}},
		{name: "timeout", from: "  assertions", to: "  timeout: 1h\n  assertions", want: []string{bootISO}},
		{name: "line", from: "  assertions", to: "\n  # below\n  assertions"},
		{name: "options of the disk", from: "test:", to: "artifacts: {disk: {level: 4}}\ntest:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := graphtest.Generate(t, spectest.MustPlan(t, tested, nil, "amd64"), "test")
			is := graphtest.Generate(t, spectest.MustPlan(t, strings.Replace(tested, c.from, c.to, 1), nil, "amd64"), "test")
			assert.ElementsMatch(t, c.want, was.Changed(is))
		})
	}
}

// TestNothingToTest builds the target test of a spec without assertions.
func TestNothingToTest(t *testing.T) {
	const hint = `test.assertions: there are no assertions to test; write some, such as "test: {assertions: [{service: ssh}]}"`
	for spec, at := range map[string]string{debian: "kairos.spec:2:10: ", debian + "test: {memory: 1GiB}\n": "kairos.spec:4:7: "} {
		_, err := graphtest.Try(spectest.MustPlan(t, spec, nil, "amd64"), "test")
		require.EqualError(t, err, at+hint)
	}
}

// TestTestOfBoard boots the disk of a board in a VM with UEFI.
func TestTestOfBoard(t *testing.T) {
	p := spectest.MustPlan(t, "extends: opensuse-arm-rpi\nversion: v1.0.0\ntest: {artifact: disk, assertions: [{service: sshd}]}\n", nil, "arm64")
	g, err := graphtest.Try(p, "test")
	require.NoError(t, err)
	assert.Contains(t, g.String(), "[test] boot "+p.File+".img and run the assertions")
}
