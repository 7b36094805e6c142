package frontend

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/packages"
	"github.com/flavorkit/flavorkit/specs"
)

// answers are what the package managers of Debian say about the stages of a plan, by file.
func answers(resolved string) map[string]string {
	all := map[string]string{}
	for _, stage := range []string{"userland", "kernel", "loader", "firmware", "tools", "tools-disk", "tools-convert", "tools-test"} {
		all[stage+"/resolved"] = resolved
	}
	return all
}

const (
	installs = "Inst htop (3.2.2-2 Debian:12.15/oldstable [amd64])\n"
	uris     = "'http://deb.debian.org/debian/pool/main/h/htop/htop_3.2.2-2_amd64.deb' htop_3.2.2-2_amd64.deb 141796 SHA256:00\n"
)

// TestPackages has what the stages would install, as an answer and as files.
func TestPackages(t *testing.T) {
	g := asking(PackagesRequest, nil)
	g.result.texts = answers("")
	maps.Copy(g.result.texts, map[string]string{"userland/resolved": installs, "userland/uris": uris})
	res, err := New(Options{}).Build(t.Context(), g)
	require.NoError(t, err)
	var all []packages.System
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &all))
	require.Len(t, all, 1)
	assert.Equal(t, "amd64", all[0].Arch)
	var stages []string
	for _, s := range all[0].Stages {
		stages = append(stages, s.Stage)
	}
	assert.Equal(t, []string{"userland", "kernel", "tools", "tools-disk", "tools-convert"}, stages)
	assert.EqualValues(t, 141796, all[0].Stages[0].Size)
	assert.Equal(t, `kairos-debian-12-core-amd64-generic-v1.0.0

userland, debian-12: 1 packages, 0.1 MB to fetch
  NAME  VERSION  ARCH   SIZE    REPOSITORY
  htop  3.2.2-2  amd64  141796  Debian:12.15/oldstable
`, text(string(res.Metadata["result.txt"]), "\nkernel,"))

	delete(g.opts, "requestid")
	g.opts["target"] = "packages"
	res, err = New(Options{}).Build(t.Context(), g)
	require.NoError(t, err)
	_, err = res.SingleRef()
	require.NoError(t, err)
	require.NotEmpty(t, g.made["/kairos-debian-12-core-amd64-generic-v1.0.0.packages.txt"])
	var one packages.System
	require.NoError(t, json.Unmarshal(g.made["/kairos-debian-12-core-amd64-generic-v1.0.0.packages.json"], &one))
	assert.Equal(t, all[0], one)
}

// text is what is before a mark.
func text(all, mark string) string {
	before, _, _ := strings.Cut(all, mark)
	return before
}

// TestMissingPackages names all packages that there are not, with what asks for them.
func TestMissingPackages(t *testing.T) {
	const spec = `extends: debian-12
version: v1.0.0
kernel: {package: linux-image-amd46, version: "7"}
packages:
  add:
    - {value: nano, when: {arch: arm64}}
    - tree=9
    - htopp
    - acme-agent
repositories:
  - {name: acme, url: "https://acme.example/apt/", suites: [stable], components: [main], packages: [acme-tool], key: acme.asc}
`
	g := newGateway(map[string]string{"filename": "kairos.spec", "requestid": PackagesRequest}, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": spec}}, "context": {texts: map[string]string{"acme.asc": "key"}}})
	g.result.texts = answers("")
	maps.Copy(g.result.texts, map[string]string{
		"userland/said":     "E: Unable to locate package htopp\nE: Version '9' for 'tree' was not found\nE: Unable to locate package gawk\nE: Package 'acme-agent' has no installation candidate\n",
		"userland/names":    "tree\nhtop\nmawk\n",
		"userland/versions": " tree | 2.1.0-1 | http://deb.debian.org/debian bookworm/main amd64 Packages\n acme-agent | 1.0 | https://acme.example/apt stable/main amd64 Packages\n",
		"kernel/said":       "E: Unable to locate package linux-image-amd46\n",
		"kernel/names":      "linux-image-amd64\n",
	})
	_, err := New(Options{}).Build(t.Context(), g)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 5)
	assert.Equal(t, []string{
		`kairos.spec:3:19: kernel.package: debian-12 has no package "linux-image-amd46" for amd64; did you mean "linux-image-amd64"?`,
		`kairos.spec:7:7: packages.add[1]: debian-12 has no version "9" of the package tree for amd64; it has 2.1.0-1`,
		`kairos.spec:8:7: packages.add[2]: debian-12 has no package "htopp" for amd64; did you mean "htop"?`,
		`kairos.spec:9:7: packages.add[3]: debian-12 has no package "acme-agent" for amd64; the repository acme has it, but is limited to other packages: add it to repositories[0].packages`,
	}, lines[:4])
	assert.Regexp(t, `^specs/catalog/distros/debian-12.yaml:\d+:\d+: groups\[0\].packages.gawk: debian-12 has no package "gawk" for amd64; did you mean "mawk"\?$`, lines[4])
	require.NotEmpty(t, errdefs.Sources(err), "clients show the lines")

	entries := Entries{{Name: "a", Spec: &specs.Source{Name: "a.spec", Data: []byte(spec)}, Arch: "amd64"}}
	_, err = New(Options{}).Entries(entries)(t.Context(), g)
	assert.ErrorContains(t, err, `a.spec:8:7: packages.add[2]: debian-12 has no package "htopp"`)
}

// TestNoAnswer is a package manager that has written nothing.
func TestNoAnswer(t *testing.T) {
	g := asking(PackagesRequest, nil)
	delete(g.result.texts, "kernel/resolved")
	_, err := New(Options{}).Build(t.Context(), g)
	assert.ErrorContains(t, err, "debian-12/kernel: read what apt says about packages")
}
