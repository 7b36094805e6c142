package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/pages"
)

// TestFirstSession types the recorded session again, up to the build, and compares what is printed.
// test/integration has the rest.
func TestFirstSession(t *testing.T) {
	const page = "../../docs/first-session.md"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	home := t.TempDir()
	write(t, filepath.Join(home, ".ssh", "id_ed25519.pub"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbW4XmDbXYvHvDGhhMVYrOHkBVkMmnPWfUJ1u4T6cBI me@example.com\n")
	require.NoError(t, os.Mkdir(filepath.Join(home, "bin"), 0o755))
	require.NoError(t, os.Symlink(self, filepath.Join(home, "bin", "flavorkit")))

	steps, _ := pages.Session(t, page)
	for i, step := range steps {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", step.Command)
		cmd.Dir = home
		cmd.Env = append(os.Environ(), mainEnv+"=1", "HOME="+home, "PATH="+filepath.Join(home, "bin")+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", step.Command, out)
		steps[i].Output = string(out)
	}
	golden.Check(t, page, pages.Record(string(text), steps))
}
