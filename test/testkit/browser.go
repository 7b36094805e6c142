package testkit

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Browse opens a file in a browser that has no network, and returns what it prints: with
// --dump-dom, the page after its scripts have run.
func Browse(t *testing.T, file string, args ...string) string {
	t.Helper()
	Need(t, "chromium", "run hack/deps.sh browser")
	args = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=2000",
	}, args...)
	cmd := exec.CommandContext(t.Context(), "chromium", append(args, "file://"+file)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	return string(out)
}
