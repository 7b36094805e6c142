package plan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestPreloaded has container images where the Kubernetes of a system looks for them.
func TestPreloaded(t *testing.T) {
	const sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	const images = "images: ['nginx:1.29', 'registry.example.com:5000/acme/a@sha256:" + sha + "']\n"
	p := spectest.MustPlan(t, standard+images, nil, "arm64")
	assert.Equal(t, []plan.Preloaded{
		{Image: "nginx:1.29", Path: "/var/lib/rancher/k3s/agent/images/nginx_1.29.tar"},
		{
			Image: "registry.example.com:5000/acme/a@sha256:" + sha,
			Path:  "/var/lib/rancher/k3s/agent/images/registry.example.com_5000_acme_a_sha256_" + sha + ".tar",
		},
	}, p.Preloaded)
	var names []string
	for _, image := range p.Images() {
		if image.At.String() == "images[0]" {
			assert.False(t, image.Native, "it is for the machine")
			names = append(names, image.Name)
		}
	}
	assert.Equal(t, []string{"nginx:1.29"}, names, "lock files and bundles have it")

	p = spectest.MustPlan(t, standard+"kubernetes: k0s\nimages: ['"+strings.Repeat("long/", 40)+"a']\n", nil, "amd64")
	require.Len(t, p.Preloaded, 1)
	assert.True(t, strings.HasPrefix(p.Preloaded[0].Path, "/var/lib/k0s/images/long_long_"), p.Preloaded[0].Path)
	assert.Less(t, len(p.Preloaded[0].Path), 255)
}

// TestFollows has the images of a distribution at its version, wherever that is written.
func TestFollows(t *testing.T) {
	for spec, url := range map[string]string{
		"components: {k3s-images: {}}\n":                                      "v1.36.4+k3s1/k3s-airgap-images-amd64.tar.zst",
		"kubernetes: {version: v1.34.1+k3s1}\ncomponents: {k3s-images: {}}\n": "v1.34.1+k3s1/k3s-airgap-images-amd64.tar.zst",
		"components: {k3s-images: {}, k3s: {version: v1.34.2+k3s1}}\n":        "v1.34.2+k3s1/k3s-airgap-images-amd64.tar.zst",
		"kubernetes: k0s\ncomponents: {k0s-images: {}}\n":                     "v1.36.4+k0s.0/k0s-airgap-bundle-v1.36.4+k0s.0-amd64",
	} {
		p := spectest.MustPlan(t, standard+spec, nil, "amd64")
		var found []string
		for _, c := range p.Components {
			if strings.HasSuffix(c.Name, "-images") {
				found = append(found, c.Download.URL)
			}
		}
		require.Len(t, found, 1, spec)
		assert.True(t, strings.HasSuffix(found[0], url), "%s: %s", spec, found[0])
	}
}
