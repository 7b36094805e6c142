package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// TestSnapshot finds the snapshots of the archives that have some.
func TestSnapshot(t *testing.T) {
	c, err := catalog.Builtin()
	require.NoError(t, err)
	const file = "/pool/main/c/curl/curl_8_amd64.deb"
	for _, tt := range []struct{ distro, address, day, want string }{
		{"debian-12", "http://deb.debian.org/debian" + file, "2026-11-27", "https://snapshot.debian.org/archive/debian/20261128T000000Z" + file},
		{"debian-13", "http://security.debian.org/debian-security" + file, "2026-12-31", "https://snapshot.debian.org/archive/debian-security/20270101T000000Z" + file},
		{"ubuntu-24.04", "http://archive.ubuntu.com/ubuntu" + file, "2026-11-27", "https://snapshot.ubuntu.com/ubuntu/20261128T000000Z" + file},
		{"ubuntu-24.04", "http://ports.ubuntu.com/ubuntu-ports" + file, "2026-11-27", ""},
		{"debian-12", "https://acme.example/debian" + file, "2026-11-27", ""},
		{"debian-12", "http://deb.debian.org/debian" + file, "", ""},
		{"nowhere", "http://deb.debian.org/debian" + file, "2026-11-27", ""},
	} {
		assert.Equal(t, tt.want, c.Snapshot(tt.distro, tt.address, tt.day), tt)
	}
}
