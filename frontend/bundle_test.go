package frontend

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan/bundle"
	"github.com/flavorkit/flavorkit/specs"
)

func TestContextKey(t *testing.T) {
	for name, want := range map[string]string{
		"kairos-agent":                          "kairos-agent",
		"debian:12-slim":                        "debian:12-slim",
		"docker.io/library/debian:12-slim":      "debian:12-slim",
		"debian:latest":                         "debian",
		"ghcr.io/flavorkit/frontend:1":          "ghcr.io/flavorkit/frontend:1",
		"docker.io/library/debian::linux/arm64": "debian::linux/arm64",
		"Not An Image":                          "Not An Image",
	} {
		assert.Equal(t, want, ContextKey(name), name)
	}
}

// bundling is a request for a bundle of the files of a directory. The registry has the base image.
func bundling(texts map[string]string) *gateway {
	g := newGateway(map[string]string{"filename": "kairos.spec", "requestid": BundleRequest}, map[string]files{"dockerfile": {texts: texts}})
	g.result = files{texts: map[string]string{
		digest.FromString("docker.io/library/debian:12-slim").Encoded(): fmt.Sprintf(`{"config":{"digest":%q},"layers":[{"digest":%q}]}`, digest.FromString("config"), digest.FromString("layer")),
	}}
	return g
}

// contentsOf are what a bundle has.
func contentsOf(t *testing.T, g *gateway, build gwclient.BuildFunc) (has bundle.Contents) {
	t.Helper()
	res, err := build(t.Context(), g)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &has))
	return has
}

// TestBundleContents lists what a bundle has: of the lock, and of the files beside the spec.
func TestBundleContents(t *testing.T) {
	_, text := written(t)
	g := bundling(map[string]string{"kairos.spec": lockSpec})
	_, err := New(Options{}).Build(t.Context(), g)
	require.ErrorContains(t, err, "there is no kairos.lock beside the spec; write it with flavorkit lock")

	g.dirs["dockerfile"].texts["kairos.lock"] = text
	has := contentsOf(t, g, New(Options{}).Build)
	assert.Equal(t, []string{"linux/amd64"}, has.Platforms)
	assert.Equal(t, []string{"kairos.lock"}, has.Spec)
	assert.Empty(t, has.Entries)
	require.Len(t, has.Images, 1)
	assert.Equal(t, "debian:12-slim::linux/amd64", has.Images[0].Name)
	var urls []string
	for _, d := range has.Downloads {
		urls = append(urls, d.URL)
	}
	assert.NotEmpty(t, urls)

	g.opts["context:debian:12-slim"] = "local:base"
	g.dirs["base"] = files{texts: map[string]string{}}
	before, rest, _ := strings.Cut(text, "images:\n")
	g.dirs["dockerfile"].texts["kairos.lock"] = before + rest[strings.Index(rest, "downloads:\n"):]
	_, err = New(Options{}).Build(t.Context(), g)
	assert.ErrorContains(t, err, "a directory replaces the image docker.io/library/debian:12-slim; pass an image")
}

// TestBundleOfEntries has what several entries need once, and the files that any of them reads.
func TestBundleOfEntries(t *testing.T) {
	_, text := written(t)
	g := bundling(map[string]string{"kairos.spec": lockSpec, "kairos.lock": text})
	alone := contentsOf(t, g, New(Options{}).Build)

	entry := func(name, text string) Entry {
		return Entry{Name: name, Spec: &specs.Source{Name: name + ".spec", Data: []byte(text)}, Arch: "amd64", Lock: "edge.lock"}
	}
	cs := Entries{entry("a", "extends: ./base.spec\n"), entry("b", "extends: ./b/edge.spec\nname: b\n")}
	g = bundling(map[string]string{"base.spec": lockSpec, "b/edge.spec": "extends: ../base.spec\nfiles: [{path: /etc/motd, from: motd}]\n"})
	g.dirs["context"] = files{texts: map[string]string{"motd": "hello"}}
	_, err := New(Options{}).Entries(cs)(t.Context(), g)
	require.ErrorContains(t, err, "there is no edge.lock beside the spec; write it with flavorkit lock")
	g.dirs["dockerfile"].texts["edge.lock"] = text
	has := contentsOf(t, g, New(Options{}).Entries(cs))
	assert.Equal(t, []string{"a", "b"}, has.Entries)
	assert.Equal(t, []string{"b/edge.spec", "base.spec", "edge.lock"}, has.Spec)
	assert.Equal(t, []string{"motd"}, has.Files)
	assert.Equal(t, alone.Platforms, has.Platforms)
	assert.Equal(t, alone.Images, has.Images)
	assert.Equal(t, alone.Downloads, has.Downloads)

	base := digest.FromString("docker.io/library/debian:12-slim").Encoded()
	delete(g.result.texts, base)
	_, err = New(Options{}).Entries(cs)(t.Context(), g)
	assert.ErrorContains(t, err, "a: base.spec:1:10: distro: "+base+": file does not exist; is its registry reachable?")
}

// TestFromBundle builds from bundles that do not fit.
func TestFromBundle(t *testing.T) {
	_, text := written(t)
	const image = `{"name":"debian:12-slim","digest":"sha256:` + sum + `"}`
	for name, c := range map[string]struct{ value, says, want string }{
		"a directory":        {value: "local:dir", want: "open the bundle: local:dir is no OCI layout"},
		"no digest":          {value: "oci-layout:layout", want: "open the bundle: oci-layout:layout has no digest"},
		"another artifact":   {says: `{"config":{"mediaType":"x"}}`, want: `the manifest is none of a bundle: its configuration has the type "x"`},
		"a newer format":     {says: `"version":2`, want: "the bundle has the format 2, and this version of flavorkit reads 1"},
		"another platform":   {says: `"version":1,"platforms":["linux/arm64"]`, want: "the bundle is for linux/arm64, and not for linux/amd64; choose with --platform"},
		"without the image":  {says: `"version":1,"platforms":["linux/amd64"]`, want: "find the image docker.io/library/debian:12-slim for linux/amd64: the bundle does not have it"},
		"without a download": {says: `"version":1,"platforms":["linux/amd64"],"contexts":[` + image + `]`, want: "archives.debian-12.htop/3.2.2-2/amd64: the bundle does not have http://deb.debian.org/debian/pool/main/h/htop/htop_3.2.2-2_amd64.deb; write it again with flavorkit bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			value := c.value
			if value == "" {
				value = "oci-layout:layout@sha256:" + sum
			}
			g := newGateway(map[string]string{"filename": "kairos.spec", "context:" + bundle.ContextName: value},
				map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": lockSpec, "kairos.lock": text}}})
			says := c.says
			if !strings.HasPrefix(says, "{") { // the manifest and the configuration in one
				says = `{"config":{"mediaType":"` + bundle.ConfigType + `","digest":"sha256:` + sum + `"},` + says + "}"
			}
			g.result = files{texts: map[string]string{"blob": says}}
			_, err := New(Options{}).Build(t.Context(), g)
			require.ErrorContains(t, err, c.want)
		})
	}
}
