package plan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestMirrors has mirrors of all kinds. Each stage has those of its own distribution.
func TestMirrors(t *testing.T) {
	sum := strings.Repeat("a", 64)
	p := spectest.MustPlan(t, `extends: debian-12
version: v1.0.0
kernel: ubuntu-24.04
mirrors:
  archives:
    debian: https://mirror.example/debian/
    ubuntu: http://mirror.example/ubuntu
    alpine: http://mirror.example/alpine
  downloads:
    https://GITHUB.com/: https://mirror.example/github
    https://github.com/kairos-io: https://mirror.example/kairos
  registries:
    docker.io: mirror.example/hub
    docker.io/library: mirror.example:5000
  keep: true
`, nil, "amd64")
	debian := []plan.Mirror{{Archive: "debian", From: "deb.debian.org/debian", To: "https://mirror.example/debian"}}
	assert.Equal(t, debian, p.Userland.Mirrors)
	assert.True(t, p.Userland.KeepMirrors)
	assert.Equal(t, debian, p.ISO.Tools.Mirrors)
	assert.False(t, p.ISO.Tools.KeepMirrors, "nothing of the tools stays")
	assert.Equal(t, []plan.Mirror{
		{Archive: "ubuntu", From: "security.ubuntu.com/ubuntu", To: "http://mirror.example/ubuntu"},
		{Archive: "ubuntu", From: "archive.ubuntu.com/ubuntu", To: "http://mirror.example/ubuntu"},
	}, p.Kernel.Mirrors)
	assert.Nil(t, p.Userland.Authorities)

	agent, ok := p.Component("kairos-agent")
	require.True(t, ok)
	const file = "/kairos-agent/releases/download/v2.31.4/kairos-agent-v2.31.4-linux-amd64.tar.gz"
	assert.Equal(t, "https://github.com/kairos-io"+file, agent.Download.URL)
	assert.Equal(t, "https://mirror.example/kairos"+file, p.MirroredDownload(agent.Download.URL))
	for ref, want := range map[string]string{
		"docker.io/library/debian:12-slim":    "mirror.example:5000/debian:12-slim",
		"debian":                              "mirror.example:5000/debian",
		"opensuse/leap:16.0":                  "mirror.example/hub/opensuse/leap:16.0",
		"debian:12@sha256:" + sum:             "mirror.example:5000/debian:12@sha256:" + sum,
		"quay.io/acme/kernel:6":               "quay.io/acme/kernel:6",
		"docker.io.example/library/debian:12": "docker.io.example/library/debian:12",
		"docker.io/librarian/debian:12":       "mirror.example/hub/librarian/debian:12",
		"NOT AN IMAGE":                        "NOT AN IMAGE",
	} {
		assert.Equal(t, want, p.MirroredImage(ref))
	}
	assert.Equal(t, "docker.io/library/debian:12-slim", p.Userland.Base, "the name that a named context has")

	_, err := spectest.Plan("extends: debian-12\nversion: v1.0.0\nmirrors: {archives: {debain: 'https://a.example'}}\n", nil, "amd64")
	assert.EqualError(t, err, `kairos.spec:3:30: mirrors.archives.debain: no distribution has an archive called "debain"; did you mean "debian"?`)
	_, err = spectest.Plan("extends: debian-12\nversion: v1.0.0\nmirrors: {archives: {x: 'https://a.example'}}\n", nil, "amd64")
	assert.ErrorContains(t, err, "valid: alpine, debian, debian-security, fedora, fedora-openh264, opensuse, ubuntu, ubuntu-ports")
}

// TestCanonical has the address of a file of an archive in the distribution, and at its mirror.
func TestCanonical(t *testing.T) {
	in := spectest.MustPlan(t, `extends: debian-12
version: v1.0.0
mirrors:
  archives:
    debian: https://mirror.example/debian
    debian-security: https://mirror.example/debian/security/
repositories:
  - {name: acme, url: 'https://mirror.example/debian/acme', path: ./, key: a.asc}
`, nil, "amd64").Userland.Install
	for canonical, mirrored := range map[string]string{
		"http://deb.debian.org/debian/pool/a.deb":          "https://mirror.example/debian/pool/a.deb",
		"http://deb.debian.org/debian-security/pool/a.deb": "https://mirror.example/debian/security/pool/a.deb",
		"https://mirror.example/debian/acme/a.deb":         "https://mirror.example/debian/acme/a.deb",
		"https://mirror.example/debianer/a.deb":            "https://mirror.example/debianer/a.deb",
		"https://elsewhere.example/a.deb":                  "https://elsewhere.example/a.deb",
	} {
		assert.Equal(t, canonical, in.Canonical(mirrored))
		assert.Equal(t, mirrored, in.Mirrored(canonical))
	}
	for url, want := range map[string]string{
		"https://deb.debian.org/debian/a.deb":              "https://mirror.example/debian/a.deb",
		"http://security.debian.org/debian-security/a.deb": "https://mirror.example/debian/security/a.deb",
		"http://deb.debian.org/debian-ports/a.deb":         "http://deb.debian.org/debian-ports/a.deb",
	} {
		assert.Equal(t, want, in.Mirrored(url))
	}
}

// TestCanonicalHost has the address at a host that there is, of those that the files of an image have.
func TestCanonicalHost(t *testing.T) {
	in := spectest.MustPlan(t, "extends: fedora\nversion: v1.0.0\nmirrors: {archives: {fedora: 'https://mirror.example/f'}}\n", nil, "amd64").Userland.Install
	assert.Equal(t, "http://dl.fedoraproject.org/pub/fedora/linux/releases/a.rpm", in.Canonical("https://mirror.example/f/releases/a.rpm"))
}

// TestAuthority has the certificates of an authority for the steps, and for the system.
func TestAuthority(t *testing.T) {
	p := spectest.MustPlan(t, "extends: fedora\nversion: v1.0.0\nca: {from: ca.pem, image: true}\n", nil, "amd64")
	assert.Equal(t, &plan.CA{Content: plan.Content{From: "ca.pem"}, Image: true}, p.CA)
	assert.Equal(t, &plan.Authorities{
		Directory: "/etc/pki/ca-trust/source/anchors", Bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", Update: []string{"update-ca-trust", "extract"},
	}, p.Userland.Authorities)
	assert.Equal(t, "/usr/share/ca-certificates", p.ISO.Tools.Authorities.Directory, "of the distribution of the tools")
	p = spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nca: {secret: ca}\n", nil, "amd64")
	assert.Equal(t, &plan.CA{Secret: "ca"}, p.CA)
}
