//go:build linux

package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSweepMountPoints removes what is the engine's own, and nothing else.
func TestSweepMountPoints(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	since := time.Now().Add(-time.Minute)
	folder := func(name string, when time.Time) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(path, 0o700))
		require.NoError(t, os.Chtimes(path, when, when))
		return path
	}
	own := folder("buildkit-mount1", since.Add(time.Second))
	older := folder("buildkit-mount2", since.Add(-time.Second))
	young := folder("buildkit-mount4", time.Now())
	used := folder("buildkit-mount3", since.Add(time.Second))
	require.NoError(t, os.WriteFile(filepath.Join(used, "file"), nil, 0o600))
	require.NoError(t, os.Chtimes(used, since.Add(time.Second), since.Add(time.Second)))
	other := folder("other", since.Add(time.Second))

	s := &sweeper{since: since}
	require.NoError(t, s.sweepMountPoints(t.Context()))
	require.NoDirExists(t, own)
	require.DirExists(t, older)
	require.DirExists(t, young)
	require.DirExists(t, used)
	require.DirExists(t, other)
}
