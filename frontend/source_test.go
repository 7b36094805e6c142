package frontend_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const published = "# syntax=x\nsource: quay.io/kairos/ubuntu:24.04-core-amd64-generic-v3.6.0\n"

// richSource has everything that a published image can get.
const richSource = published + `name: sentinel-name
version: v9.8.7
files:
  - {path: /etc/sentinel, content: sentinel-text, owner: 7:7}
layers:
  - {name: sentinel-layer, image: sentinel.example/image:v1, path: opt, to: /opt}
cloudConfig: {content: "#cloud-config\n"}
cmdline: [sentinel.argument]
artifacts: {iso: {label: SENTINEL}}
test: {assertions: [{service: sentinel}]}
`

// TestSourceGraphs compares the graphs of a published image.
func TestSourceGraphs(t *testing.T) {
	p := spectest.MustPlan(t, published, nil, "amd64")
	golden.Check(t, "../testdata/targets/source-plan.yaml", p.String())
	golden.Check(t, "../testdata/targets/source-amd64-iso.txt", graphtest.Generate(t, p, "iso").String())
	p = spectest.MustPlan(t, richSource, nil, "amd64")
	golden.Check(t, "../testdata/targets/source-rich-amd64-netboot.txt", graphtest.Generate(t, p, "netboot").String())
}

// TestSourceVertices makes every target that is made of a root filesystem.
func TestSourceVertices(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64", "riscv64"} {
		p := spectest.MustPlan(t, richSource, nil, arch)
		for _, target := range []string{"image", "iso", "img", "qcow2", "vhd", "vmdk", "gce", "img-image", "netboot", "test", "sbom"} {
			for _, v := range graphtest.Generate(t, p, target).Vertices() {
				checkVertex(t, v)
			}
		}
	}
}

// TestSourceDependencies changes one thing of a spec: the image is looked at once.
func TestSourceDependencies(t *testing.T) {
	was := graphtest.Generate(t, spectest.MustPlan(t, published, nil, "amd64"), "iso")
	now := graphtest.Generate(t, spectest.MustPlan(t, published+"files: [{path: /etc/a, content: a}]\n", nil, "amd64"), "iso")
	assert.NotContains(t, was.Changed(now), "[source] look at quay.io/kairos/ubuntu:24.04-core-amd64-generic-v3.6.0")
}

// TestSourceNames names files after the image, unless the spec does.
func TestSourceNames(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, c := range []struct{ spec, file, image string }{
		{"source: quay.io/kairos/ubuntu:24.04-core-amd64-generic-v3.6.0", "ubuntu-24.04-core-amd64-generic-v3.6.0", "ubuntu:24.04-core-amd64-generic-v3.6.0"},
		{"source: acme/edge", "edge-latest-amd64", "edge:latest"},
		{"source: acme/edge" + digest, "edge-0123456789ab-amd64", "edge:0123456789ab"},
		{"source: acme/edge:v1" + digest, "edge-v1-amd64", "edge:v1"},
		{"source: acme/edge:v1\nname: site\nversion: v2.0.0", "site-v2.0.0-amd64", "site:v2.0.0"},
	} {
		p := spectest.MustPlan(t, "# syntax=x\n"+c.spec+"\n", nil, "amd64")
		assert.Equal(t, c.file, p.File)
		assert.Equal(t, c.image, p.Image)
	}
}

// TestSourceArguments are those of the live system: the plan knows no others.
func TestSourceArguments(t *testing.T) {
	p := spectest.MustPlan(t, published+"cmdline: [quiet]\n", nil, "amd64")
	assert.Empty(t, p.CommandLine.Installed)
	assert.Equal(t, "quiet", p.CommandLine.Live[len(p.CommandLine.Live)-1])
	assert.Equal(t, "quiet", p.CommandLine.Network[len(p.CommandLine.Network)-1])
}
