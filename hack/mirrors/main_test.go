package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMirrors has the archives of Debian, with and without a mirror.
func TestMirrors(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	lines, err := mirrors([]string{"debian-12"})
	require.NoError(t, err)
	assert.Equal(t, `debian http://deb.debian.org/debian http://deb.debian.org/debian
debian-security http://deb.debian.org/debian-security http://deb.debian.org/debian-security
`, lines)

	require.NoError(t, os.MkdirAll(filepath.Join(home, "flavorkit"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(home, "flavorkit/config.yaml"), []byte("mirrors: {archives: {debian: 'https://mirror.example/debian/'}}\n"), 0o644))
	lines, err = mirrors([]string{"debian-12"})
	require.NoError(t, err)
	assert.Contains(t, lines, "debian http://deb.debian.org/debian https://mirror.example/debian\n")

	_, err = mirrors([]string{"debain"})
	require.ErrorContains(t, err, `unknown distribution "debain"`)
	_, err = mirrors(nil)
	require.ErrorContains(t, err, "usage")
}
