package plan_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestRepositories has all that a repository can have with apt, from two files.
func TestRepositories(t *testing.T) {
	sum := strings.Repeat("a", 64)
	files := spectest.Files{"context:acme/kairos.spec": `extends: debian-12
repositories:
  - {name: acme, url: 'https://acme.example/debian', path: ./, key: keys/acme.asc, secret: login, certificate: client}
`}
	p := spectest.MustPlan(t, `extends: acme
version: v1.0.0
repositories:
  - name: docker
    url: https://download.docker.com/linux/debian
    suites: [bookworm]
    components: [stable]
    key: {url: 'https://download.docker.com/linux/debian/gpg', sha256: `+sum+`}
    priority: 600
    packages: [docker-ce]
    keep: true
`, files, "amd64")
	assert.Empty(t, cmp.Diff([]plan.Repository{
		{
			Name: "acme", URL: "https://acme.example/debian", Suites: []string{"./"}, Secret: "login", Certificate: "client",
			Key: plan.SigningKey{Content: plan.Content{From: "keys/acme.asc", Context: "acme"}, File: "acme.asc"},
		},
		{
			Name: "docker", URL: "https://download.docker.com/linux/debian", Suites: []string{"bookworm"}, Components: []string{"stable"},
			Key:      plan.SigningKey{Download: &plan.Download{URL: "https://download.docker.com/linux/debian/gpg", SHA256: sum}, File: "gpg"},
			Priority: 600, Packages: []string{"docker-ce"}, Keep: true,
		},
	}, p.Userland.Repositories))
	assert.Empty(t, p.Kernel.Repositories, "the kernel of the catalog does not depend on them")
	assert.Empty(t, p.ISO.Tools.Repositories)
}

// TestRepositoriesExample has the plan of the example.
func TestRepositoriesExample(t *testing.T) {
	spec, err := os.ReadFile("../examples/third-party-repository/kairos.spec")
	require.NoError(t, err)
	golden.Check(t, "../testdata/targets/third-party-repository-plan.yaml", spectest.MustPlan(t, string(spec), nil, "amd64").String())
}

// TestKernelRepositories counts for a kernel that the spec names, of the same distribution.
func TestKernelRepositories(t *testing.T) {
	const repository = "repositories: [{name: a, url: 'https://a.example', path: ./, key: a.asc}]\n"
	for kernel, want := range map[string]int{
		"kernel: {package: linux-image-acme}\n":                  1,
		"kernel: {version: '6.1'}\n":                             0,
		"kernel: {from: debian-13, package: linux-image-acme}\n": 0,
	} {
		p := spectest.MustPlan(t, debian+repository+kernel, nil, "amd64")
		assert.Len(t, p.Kernel.Repositories, want, kernel)
		assert.Len(t, p.Userland.Repositories, 1)
	}
}

// TestMistakesOfRepositories asks package managers for what they do not have.
func TestMistakesOfRepositories(t *testing.T) {
	for _, c := range []struct {
		name, flavor, repositories string
		want                       []string
	}{
		{"suites of dnf", "fedora", "{name: a, url: 'https://a.example', key: a.asc, suites: [b], components: [c]}", []string{
			`kairos.spec:3:72: repositories[0].suites: dnf knows no suites; remove it, for the url is that of the whole repository`,
			`kairos.spec:3:89: repositories[0].components: dnf knows no components; remove it, for the url is that of the whole repository`,
		}},
		{"path of apk", "alpine", "{name: a, url: 'https://a.example', key: a.rsa.pub, path: ./, priority: 5}", []string{
			`kairos.spec:3:74: repositories[0].path: apk knows no path; remove it, for the url is that of the whole repository`,
			`kairos.spec:3:88: repositories[0].priority: apk knows no priorities; remove it`,
		}},
		{"packages of zypper", "opensuse", "{name: a, url: 'https://a.example', key: a.asc, packages: [b], priority: 0}", []string{
			`kairos.spec:3:74: repositories[0].packages: zypper cannot take only some packages of a repository; remove it, or set a priority, so that packages of the same name come from elsewhere`,
			`kairos.spec:3:89: repositories[0].priority: 0 is not a priority of zypper, which has 1 to 200`,
		}},
		{"no suites", "debian-12", "{name: a, url: 'https://a.example', key: a.asc}", []string{
			`kairos.spec:3:16: repositories[0]: apt needs suites; add suites and components, such as suites: [bookworm] and components: [main], or a path`,
		}},
		{"no components", "debian-12", "{name: a, url: 'https://a.example', key: a.asc, suites: [a, b/], priority: -1}", []string{
			`kairos.spec:3:16: repositories[0]: apt needs components; add components, such as components: [main]`,
			`kairos.spec:3:76: repositories[0].suites[1]: "b/" is a path, not a suite; write path: b/`,
			`kairos.spec:3:91: repositories[0].priority: -1 is not a priority of apt, which has 1 to 32767`,
		}},
		{
			"hosts of apt", "debian-12", "{name: a, url: 'https://a.example:1/x', key: a.asc, path: ./, priority: 600}, " +
				"{name: b, url: 'https://a.example:2/y', key: a.asc, path: ./, priority: 700}", []string{
				`kairos.spec:3:94: repositories[1]: disagrees with repositories[0], a: apt tells repositories apart by host, and both are on a.example; give both the same priority, and both packages or none`,
			},
		},
		{
			"limits of apt", "debian-12", "{name: a, url: 'https://a.example/x', key: a.asc, path: ./, packages: [a]}, " +
				"{name: b, url: 'https://a.example/y', key: a.asc, path: ./, packages: [b]}, {name: c, url: 'https://a.example/z', key: a.asc, path: ./}", []string{
				`kairos.spec:3:168: repositories[2]: disagrees with repositories[0], a: apt tells repositories apart by host, and both are on a.example; give both the same priority, and both packages or none`,
				`kairos.spec:3:168: repositories[2]: disagrees with repositories[1], b: apt tells repositories apart by host, and both are on a.example; give both the same priority, and both packages or none`,
			},
		},
		{
			"keys of apk", "alpine", "{name: a, url: 'https://a.example/x', key: one/a.rsa.pub, certificate: c}, " +
				"{name: b, url: 'https://b.example/y', key: two/a.rsa.pub, certificate: d}", []string{
				`kairos.spec:3:134: repositories[1].key: disagrees with repositories[0], a: apk looks keys up by their names, and both are called a.rsa.pub; the name is part of the signatures, so use one of the repositories`,
				`kairos.spec:3:162: repositories[1].certificate: disagrees with repositories[0], a: apk takes one client certificate; use one for both`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := spectest.Plan("extends: "+c.flavor+"\nversion: v1.0.0\nrepositories: ["+c.repositories+"]\n", nil, "amd64")
			require.Error(t, err)
			assert.Equal(t, c.want, strings.Split(err.Error(), "\n"))
		})
	}
	// What depends on another mistake is not reported.
	_, err := spectest.Plan("extends: fedora\nversion: v1.0.0\nrepositories: [{name: a, url: 'https://a.example', kye: a.asc, suites: [b]}]\n", nil, "amd64")
	assert.EqualError(t, err, `kairos.spec:3:52: repositories[0]: unknown key "kye"; valid: certificate, components, keep, key, name, packages, path, priority, secret, suites, url, when`)
}
