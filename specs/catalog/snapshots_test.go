package catalog_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// TestSnapshots finds the snapshots and the other mirrors of the archives that have some.
func TestSnapshots(t *testing.T) {
	builtin, err := catalog.Builtin()
	require.NoError(t, err)
	c, err := builtin.With(catalog.Layer{Name: "acme", FS: fstest.MapFS{"distros/debian-13.yaml": {Data: []byte(`name: debian-13
like: debian-13
snapshots:
  debian-security: [https://acme.example/kept/debian-security/, 'https://snapshot.debian.org/archive/debian-security/{time}']
`)}}})
	require.NoError(t, err)
	const file = "/pool/main/c/curl/curl_8_amd64.deb"
	for _, tt := range []struct {
		distro, address, day string
		want                 []string
	}{
		{"debian-12", "http://deb.debian.org/debian" + file, "2026-11-27", []string{"https://snapshot.debian.org/archive/debian/20261128T000000Z" + file}},
		{"debian-13", "http://security.debian.org/debian-security" + file, "2026-12-31", []string{"https://acme.example/kept/debian-security" + file, "https://snapshot.debian.org/archive/debian-security/20270101T000000Z" + file}},
		{"debian-13", "http://security.debian.org/debian-security" + file, "", []string{"https://acme.example/kept/debian-security" + file}},
		{"ubuntu-24.04", "http://archive.ubuntu.com/ubuntu" + file, "2026-11-27", []string{"https://snapshot.ubuntu.com/ubuntu/20261128T000000Z" + file}},
		{"fedora-44", "http://dl.fedoraproject.org/pub/fedora/linux/releases/44/x.rpm", "", []string{"https://archives.fedoraproject.org/pub/archive/fedora/linux/releases/44/x.rpm"}},
		{"ubuntu-24.04", "http://ports.ubuntu.com/ubuntu-ports" + file, "2026-11-27", nil},
		{"debian-12", "https://acme.example/debian" + file, "2026-11-27", nil},
		{"debian-12", "http://deb.debian.org/debian" + file, "", nil},
		{"nowhere", "http://deb.debian.org/debian" + file, "2026-11-27", nil},
	} {
		assert.Equal(t, tt.want, c.Snapshots(tt.distro, tt.address, tt.day), tt)
	}
}

// TestWrongSnapshots has the mistakes in a list of them.
func TestWrongSnapshots(t *testing.T) {
	c, err := catalog.Builtin()
	require.NoError(t, err)
	_, err = c.With(catalog.Layer{Name: "acme", FS: fstest.MapFS{"distros/debian-12.yaml": {Data: []byte(`name: debian-12
like: debian-12
snapshots:
  debain: [https://acme.example/debian]
  debian: [https://acme.example/debian, acme.example/debian]
`)}}})
	assert.EqualError(t, err, `acme/distros/debian-12.yaml:4:11: snapshots.debain: "debain" is not an archive; name one of archives
acme/distros/debian-12.yaml:5:41: snapshots.debian[1]: "acme.example/debian" is not an http or https address; write such as https://snapshot.debian.org/archive/debian/{time}`)
}
