package local

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadSite reads a file that need not exist, and points at mistakes in it.
func TestReadSite(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	src, _, err := ReadSite(SiteFile())
	require.NoError(t, err)
	assert.Nil(t, src)
	_, _, err = ReadSite(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorContains(t, err, "read the configuration")

	require.NoError(t, os.MkdirAll(filepath.Dir(SiteFile()), 0o755))
	require.NoError(t, os.WriteFile(SiteFile(), []byte("mirrors: {archives: {debian: 'https://mirror.example'}}\n"), 0o644))
	src, site, err := ReadSite(SiteFile())
	require.NoError(t, err)
	assert.Equal(t, SiteFile(), src.Name)
	assert.Equal(t, "https://mirror.example", site.Mirrors.Archives["debian"])

	require.NoError(t, os.WriteFile(SiteFile(), []byte("mirorrs: {}\n"), 0o644))
	_, _, err = ReadSite(SiteFile())
	require.ErrorContains(t, err, `config.yaml:1:1: unknown key "mirorrs"`)
}
