package rootfs

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestDirectories takes directories out of a userland: those that are not 0755 and root's, and the
// ones above them.
func TestDirs(t *testing.T) {
	testkit.NeedRoot(t) // it sets owners
	userland, out := t.TempDir(), t.TempDir()
	for _, dir := range []struct {
		path     string
		mode     os.FileMode
		uid, gid int
	}{
		{"etc", 0o755, 0, 0},
		{"etc/ssl", 0o755, 0, 0},
		{"etc/ssl/private", 0o710, 0, 42},
		{"etc/ssl/certs", 0o755, 0, 0},
		{"root", 0o550, 0, 0},
		{"tmp", 0o777 | os.ModeSticky, 0, 0},
		{"var", 0o755, 0, 0},
		{"var/mail box", 0o775 | os.ModeSetgid, 0, 8},
		{"var/mail box/of", 0o700, 7, 8},
	} {
		path := filepath.Join(userland, dir.path)
		require.NoError(t, os.Mkdir(path, 0o700))
		require.NoError(t, os.Chown(path, dir.uid, dir.gid))
		require.NoError(t, os.Chmod(path, dir.mode))
	}
	require.NoError(t, os.WriteFile(filepath.Join(userland, "root/file"), nil, 0o600))
	script := filepath.Join(t.TempDir(), "directories.sh")
	require.NoError(t, os.WriteFile(script, dirsScript, 0o755))
	cmd := exec.Command("sh", script, userland, out)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=315532800")
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))

	list := exec.Command("sh", "-c", `cd "$1" && find . -mindepth 1 -printf '%P %U:%G:%m %Ts\n' | LC_ALL=C sort`, "sh", out)
	got, err := list.CombinedOutput()
	require.NoError(t, err, string(got))
	assert.Equal(t, `etc 0:0:755 315532800
etc/ssl 0:0:755 315532800
etc/ssl/private 0:42:710 315532800
root 0:0:550 315532800
tmp 0:0:1777 315532800
var 0:0:755 315532800
var/mail box 0:8:2775 315532800
var/mail box/of 7:8:700 315532800
`, string(got))
}
