package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const standard = debian + "variant: standard\n"

// names of the components of a plan.
func names(p *plan.Plan) []string {
	var names []string
	for _, c := range p.Components {
		names = append(names, c.Name)
	}
	return names
}

func TestStandard(t *testing.T) {
	const k3sURL = "https://github.com/k3s-io/k3s/releases/download/"
	for _, c := range []struct {
		name, spec, arch, image, file string
		components                    []string
		url, checksums                string
		software                      []plan.Variable
	}{
		{
			name:       "as it is",
			image:      "kairos-debian-12:12-standard-amd64-generic-v1.0.0-k3sv1.36.4-k3s1",
			file:       "kairos-debian-12-standard-amd64-generic-v1.0.0-k3sv1.36.4+k3s1",
			components: []string{"edgevpn", "immucore", "k3s", "kairos-agent", "provider-kairos"},
			url:        k3sURL + "v1.36.4+k3s1/k3s", checksums: k3sURL + "v1.36.4+k3s1/sha256sum-amd64.txt",
			software: []plan.Variable{{Name: "KAIROS_SOFTWARE_VERSION", Value: "v1.36.4+k3s1"}, {Name: "KAIROS_SOFTWARE_VERSION_PREFIX", Value: "k3s"}},
		},
		{
			name: "another version, on arm64, without a mesh", arch: "arm64",
			spec:       "kubernetes: {distribution: k3s, version: v1.34.1-rc1+k3s2}\nmesh: none\n",
			image:      "kairos-debian-12:12-standard-arm64-generic-v1.0.0-k3sv1.34.1-rc1-k3s2",
			file:       "kairos-debian-12-standard-arm64-generic-v1.0.0-k3sv1.34.1-rc1+k3s2",
			components: []string{"immucore", "k3s", "kairos-agent", "provider-kairos"},
			url:        k3sURL + "v1.34.1-rc1+k3s2/k3s-arm64", checksums: k3sURL + "v1.34.1-rc1+k3s2/sha256sum-arm64.txt",
			software: []plan.Variable{{Name: "KAIROS_SOFTWARE_VERSION", Value: "v1.34.1-rc1+k3s2"}, {Name: "KAIROS_SOFTWARE_VERSION_PREFIX", Value: "k3s"}},
		},
		{
			name:       "k0s",
			spec:       "kubernetes: k0s\nmesh: {name: edgevpn, version: v0.35.4}\n",
			image:      "kairos-debian-12:12-standard-amd64-generic-v1.0.0-k0sv1.36.4-k0s.0",
			file:       "kairos-debian-12-standard-amd64-generic-v1.0.0-k0sv1.36.4+k0s.0",
			components: []string{"edgevpn", "immucore", "k0s", "kairos-agent", "provider-kairos"},
			url:        "https://github.com/k0sproject/k0s/releases/download/v1.36.4+k0s.0/k0s-v1.36.4+k0s.0-amd64",
			checksums:  "https://github.com/k0sproject/k0s/releases/download/v1.36.4+k0s.0/sha256sums.txt",
			software:   []plan.Variable{{Name: "KAIROS_SOFTWARE_VERSION", Value: "v1.36.4+k0s.0"}, {Name: "KAIROS_SOFTWARE_VERSION_PREFIX", Value: "k0s"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.arch == "" {
				c.arch = "amd64"
			}
			p := spectest.MustPlan(t, standard+c.spec, nil, c.arch)
			assert.Equal(t, c.image, p.Image)
			assert.Equal(t, c.file, p.File)
			assert.Equal(t, c.components, names(p))
			kubernetes, ok := p.Kubernetes()
			require.True(t, ok)
			assert.Equal(t, &plan.Download{URL: c.url, Checksums: c.checksums}, kubernetes.Download)
			assert.Empty(t, cmp.Diff(c.software, p.Release[len(p.Release)-2:]))
			assert.Contains(t, p.Checks.Programs, "/usr/bin/kairos")
			assert.Contains(t, p.Checks.Programs, "/usr/bin/"+kubernetes.Name)
			for service := range p.System.Enable {
				assert.NotContains(t, service, kubernetes.Name, "Kubernetes does not start by itself")
			}
		})
	}
}

// TestStandardAddsLayersOnly: the packages and the initramfs are those of core.
func TestStandardAddsLayersOnly(t *testing.T) {
	core, full := spectest.MustPlan(t, debian, nil, "amd64"), spectest.MustPlan(t, standard, nil, "amd64")
	assert.Equal(t, core.Userland, full.Userland)
	assert.Equal(t, core.Kernel, full.Kernel)
	assert.Equal(t, core.System, full.System)
	assert.Equal(t, []string{"immucore", "kairos-agent"}, names(core))
}

// TestFilesOfTheInitSystem checks for units with systemd and for scripts with OpenRC.
func TestFilesOfTheInitSystem(t *testing.T) {
	for spec, want := range map[string]string{
		standard: "/usr/lib/systemd/system/k3s-agent.service",
		"extends: debian-12-openrc\nvariant: standard\nversion: v1.0.0\n": "/etc/init.d/k3s-agent",
	} {
		k3s, ok := spectest.MustPlan(t, spec, nil, "amd64").Component("k3s")
		require.True(t, ok)
		assert.Contains(t, k3s.Files, want)
		assert.Len(t, k3s.Files, 2)
	}
}

func TestMistakesOfTheVariant(t *testing.T) {
	for _, c := range []struct{ name, spec, want string }{
		{
			"mesh on core", debian + "mesh: edgevpn\n",
			`3:7: mesh: the variant core has no mesh; write "variant: standard", or remove it`,
		},
		{
			"Kubernetes on core", debian + "kubernetes: {version: v1.36.4+k3s1}\n",
			`3:13: kubernetes: the variant core has no kubernetes; write "variant: standard", or remove it`,
		},
		{
			"a component of Kubernetes on core", debian + "components: {k3s: {image: acme/k3s}}\n",
			`3:19: components.k3s: the variant core has no kubernetes; write "variant: standard", or remove it`,
		},
		{
			"a component that was not chosen", standard + "components: {k0s: {image: acme/k0s}}\n",
			`4:19: components.k0s: k0s is not the kubernetes of this system; choose it with "kubernetes: k0s", or remove it`,
		},
		{"unknown Kubernetes", standard + "kubernetes: k8s\n", `4:13: kubernetes.distribution: unknown kubernetes "k8s"; did you mean "k0s"?`},
		{"unknown mesh", standard + "mesh: tailscale\n", `4:7: mesh.name: unknown mesh "tailscale"; valid: edgevpn, none`},
		{"the version of Kubernetes alone", standard + "kubernetes: {version: v1.36.4}\n", `4:23: kubernetes.version: "v1.36.4" is not a version of k3s; write it as v1.36.4+k3s1`},
		{"the version of the other", standard + "kubernetes: {distribution: k0s, version: v1.36.4+k3s1}\n", `4:42: kubernetes.version: "v1.36.4+k3s1" is not a version of k0s; write it as v1.36.4+k0s.0`},
		{
			"two versions", standard + "kubernetes: {version: v1.36.4+k3s1}\ncomponents: {k3s: {version: v1.33.8+k3s1}}\n",
			`5:29: components.k3s.version: the version of k3s is in kubernetes.version too; keep one of them`,
		},
		{"unknown variant", debian + "variant: standart\n", `3:10: variant: "standart" is not valid; did you mean "standard"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := spectest.Plan(c.spec, nil, "amd64")
			require.Error(t, err)
			assert.Equal(t, "kairos.spec:"+c.want, err.Error())
		})
	}
}

// TestNewerSpecChooses: another distribution drops the version of the base.
func TestNewerSpecChooses(t *testing.T) {
	base := spectest.Files{"base.spec": "extends: debian-12\nvariant: standard\nkubernetes: {version: v1.30.1+k3s1}\n"}
	p := spectest.MustPlan(t, "extends: ./base.spec\nversion: v1.0.0\nkubernetes: k0s\n", base, "amd64")
	kubernetes, _ := p.Kubernetes()
	assert.Equal(t, "k0s", kubernetes.Name)
	p = spectest.MustPlan(t, "extends: ./base.spec\nversion: v1.0.0\n", base, "amd64")
	kubernetes, _ = p.Kubernetes()
	assert.Equal(t, "v1.30.1+k3s1", kubernetes.Version)
}

// TestNewMesh adds a mesh with one file and no Go.
func TestNewMesh(t *testing.T) {
	const file = "name: tailscale\nkind: mesh\nwhy: another mesh\nversion: v1.90.0\ninstall: /usr/sbin/tailscaled\n" +
		"url: https://acme.example/tailscale-{version}-{arch}.tar.gz\nchecksums: https://acme.example/sums\n" +
		"files: {systemd: {/usr/lib/systemd/system/tailscaled.service: '[Unit]'}}\n"
	cat, err := spectest.With(map[string]string{"components/tailscale.yaml": file})
	require.NoError(t, err)
	doc, err := spectest.Load(standard+"mesh: tailscale\n", nil)
	require.NoError(t, err)
	p, err := plan.Resolve(doc, cat, "amd64")
	require.NoError(t, err)
	assert.Equal(t, "immucore k3s kairos-agent provider-kairos tailscale", strings.Join(names(p), " "))
}
