package catalog_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestSUCUpgrade runs the script as in the pod of a plan: what Kubernetes mounts over files of the image
// does not get into the new system.
func TestSUCUpgrade(t *testing.T) {
	testkit.Need(t, "awk", "run hack/deps.sh test")
	const mount = "36 35 0:30 /x %s rw,relatime shared:1 - ext4 /dev/vda2 rw\n"
	for _, tt := range []struct {
		name    string
		mounted []string
		env     string
		want    string
	}{
		{"all", []string{"/", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}, "FORCE=true", "upgrade --source dir:/ --exclude-path /etc/hostname --exclude-path /etc/hosts --exclude-path /etc/resolv.conf"},
		{"resolv.conf is a link", []string{"/", "/etc/hosts", "/etc/hostname", "/run/systemd/resolve/resolv.conf"}, "FORCE=true", "upgrade --source dir:/ --exclude-path /etc/hostname --exclude-path /etc/hosts"},
		{"like them", []string{"/", "/etc/hosts.d", "/host/etc/hosts"}, "FORCE=true", "upgrade --source dir:/"},
		{"recovery", []string{"/etc/hosts"}, "UPGRADE_RECOVERY=true", "upgrade --recovery --source dir:/ --exclude-path /etc/hosts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			called := filepath.Join(dir, "called")
			for _, program := range []string{"mount", "kairos-agent", "nsenter", "sleep"} {
				text := "#!/bin/sh\n"
				if program == "kairos-agent" {
					text += `echo "$*" >> "$CALLED"` + "\n"
				}
				require.NoError(t, os.WriteFile(filepath.Join(dir, program), []byte(text), 0o755))
			}
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "host", "proc", "1"), 0o755))
			mounts := filepath.Join(dir, "mountinfo")
			var lines strings.Builder
			for _, path := range tt.mounted {
				lines.WriteString(strings.Replace(mount, "%s", path, 1))
			}
			require.NoError(t, os.WriteFile(mounts, []byte(lines.String()), 0o600))
			cmd := exec.CommandContext(t.Context(), "sh", "overlay/common/usr/sbin/suc-upgrade")
			cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "CALLED=" + called, "HOST_DIR=" + filepath.Join(dir, "host"), "MOUNTS=" + mounts, tt.env}
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			args, err := os.ReadFile(called)
			require.NoError(t, err)
			assert.Equal(t, tt.want+"\n", string(args))
		})
	}
}
