package report

import (
	"archive/tar"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/golden"
)

// build is a build with the record of package trace.
func build(t *testing.T, record string) Build {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../trace/testdata", record+".json"))
	require.NoError(t, err)
	b := Build{Target: "image", Version: "v1.0.0"}
	require.NoError(t, json.Unmarshal(data, &b.Record))
	return b
}

const hostile = `<script>alert("1")</script><img src=x onerror='a()'>{{.}}`

// system has hostile text wherever text can be.
func system() System {
	return System{
		Plan: &plan.Plan{
			File: "edge-debian-12-core-amd64-generic-v1.0.0", Version: "v1.0.0", Variant: "core", Arch: "amd64", Model: "generic",
			Userland:   plan.Userland{Install: plan.Install{Distro: "debian-12", Base: hostile}, EOL: "2028-06-30"},
			Kernel:     plan.Kernel{Install: plan.Install{Distro: "debian-12"}, Initramfs: plan.Initramfs{Tool: "dracut"}},
			System:     plan.System{Init: "systemd"},
			Components: []plan.Component{{Name: "kairos-agent", Version: "v2.0.0", Install: "/usr/bin/kairos-agent"}},
			Release:    []plan.Variable{{Name: "KAIROS_NAME", Value: hostile}},
			Needs:      plan.Needs{catalog.NeedCommands: {"ip": hostile}},
			Test:       &plan.Test{Assertions: []plan.Assertion{{Service: "ssh"}}},
		},
		Reasons: []plan.Reason{
			{Kind: "package", Name: "curl", Stage: "userland", Place: "kairos.spec:3:17", Key: "packages.add[0]", Why: "the spec adds it"},
			{Kind: "package", Name: "linux-image-amd64", Stage: "kernel", Place: "distros/debian-12.yaml:9:3", Why: hostile},
			{Kind: "argument", Name: "quiet", Place: "kairos.spec:4:9"},
		},
		Bill: sbom.Document{
			Parts: []sbom.Part{
				{Name: "curl", Licenses: []string{"curl", "ISC"}}, {Name: "bind9-host", Licenses: []string{"ISC"}},
				{Name: "linux-image-amd64", Licenses: []string{hostile}}, {Name: "curl", Licenses: []string{"ISC"}}, {Name: "stdlib"},
			},
			Nameless: []string{hostile + "\x1b\u202e"},
		},
	}
}

func written(t *testing.T, b Build) string {
	t.Helper()
	var text strings.Builder
	require.NoError(t, Write(&text, b))
	html := text.String()
	assert.NotContains(t, html, "ZgotmplZ", "the template refused a value")
	assert.NotContains(t, html, "<script")
	assert.NotContains(t, html, "<img")
	for _, bad := range []string{"@import", "\x1b", "\u202e"} {
		assert.NotContains(t, html, bad)
	}
	assert.NotContains(t, html, "url(")
	for _, m := range regexp.MustCompile(`<[a-z][^>]*\s(?:src|href)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		assert.True(t, strings.HasPrefix(m[1], "#"), "the page refers to %s", m[1])
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(html, -1) {
		assert.Equal(t, 1, strings.Count(html, `id="`+m[1]+`"`), m[1])
	}
	assert.Equal(t, strings.Count(html, "<table>"), strings.Count(html, "<caption>"), "every table has a caption")
	assert.Equal(t, strings.Count(html, "<svg "), strings.Count(html, `role="img" aria-label="`), "every picture has a text")
	return html
}

// TestPage has the page of a build, of one that failed and of one of which nothing is known.
func TestPage(t *testing.T) {
	whole := build(t, "build")
	whole.Systems = []System{system()}
	whole.Files = []File{{Name: "dist/edge.test.log", Size: 3 << 20, Text: "login: " + hostile + "\n"}, {Name: "dist/" + hostile}}
	whole.Images = []Image{{File: "dist/edge.oci.tar", Platform: "linux/amd64", Layers: []Layer{
		{Digest: "sha256:0000000000000000000000000000000000000000000000000000000000000001", Size: 30 << 20, Made: hostile},
		{Digest: "sha256:0000000000000000000000000000000000000000000000000000000000000002", Size: 80 << 20, Made: "[debian-12/kernel] take the kernel"},
		{Digest: "sha256:0000000000000000000000000000000000000000000000000000000000000003"},
	}}}
	for name, b := range map[string]Build{"build": whole, "failed": build(t, "failed"), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			golden.Check(t, filepath.Join("testdata", name+".html"), written(t, b))
		})
	}
}

// TestReadImages reads the layers of an archive with an image for each of two platforms, one of them
// in an index of its own.
func TestReadImages(t *testing.T) {
	image := func(arch string) v1.Image {
		l, err := random.Layer(100, "application/vnd.oci.image.layer.v1.tar+gzip")
		require.NoError(t, err)
		img, err := mutate.Append(empty.Image, mutate.Addendum{Layer: l, History: v1.History{CreatedBy: "[rootfs] " + arch}},
			mutate.Addendum{History: v1.History{CreatedBy: "ENV", EmptyLayer: true}})
		require.NoError(t, err)
		config, err := img.ConfigFile()
		require.NoError(t, err)
		config.OS, config.Architecture = "linux", arch
		img, err = mutate.ConfigFile(img, config)
		require.NoError(t, err)
		return img
	}
	dir := t.TempDir()
	l, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, l.AppendImage(image("amd64")))
	require.NoError(t, l.AppendImage(image("none"), layout.WithPlatform(v1.Platform{OS: "unknown", Architecture: "unknown"})))
	require.NoError(t, l.AppendIndex(mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image("arm64")})))

	file := filepath.Join(t.TempDir(), "image.oci.tar")
	f, err := os.Create(file)
	require.NoError(t, err)
	w := tar.NewWriter(f)
	require.NoError(t, w.AddFS(os.DirFS(dir)))
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())

	images, err := ReadImages(file)
	require.NoError(t, err)
	var found []string
	for _, i := range images {
		require.Len(t, i.Layers, 1)
		assert.Positive(t, i.Layers[0].Size)
		assert.Regexp(t, "^sha256:", i.Layers[0].Digest)
		found = append(found, i.Platform+" "+i.Layers[0].Made)
	}
	assert.Equal(t, []string{"linux/amd64 [rootfs] amd64", "linux/arm64 [rootfs] arm64"}, found)

	for name, text := range map[string]string{"no tar": "x", "empty": ""} {
		broken := filepath.Join(t.TempDir(), "broken")
		require.NoError(t, os.WriteFile(broken, []byte(text), 0o644))
		_, err := ReadImages(broken)
		assert.ErrorContains(t, err, "read the image "+broken, name)
	}
}

func TestGroups(t *testing.T) {
	var titles []string
	for _, g := range groups(system().Reasons) {
		titles = append(titles, g.Title)
	}
	assert.Equal(t, []string{"Packages of userland", "Packages of kernel", "Arguments"}, titles)
}
