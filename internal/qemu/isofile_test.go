package qemu

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

func TestExtract(t *testing.T) {
	testkit.Need(t, "xorriso", "run hack/deps.sh test")
	dir := t.TempDir()
	kernel := bytes.Repeat([]byte("linux"), 1<<18)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "tree", "boot"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tree", "boot", "kernel"), kernel, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "esp"), make([]byte, 1<<20), 0o600))

	// Joliet, Rock Ridge and a partition table, as an ISO that also boots from a stick has.
	iso := filepath.Join(dir, "a.iso")
	out, err := exec.Command("xorriso", "-as", "mkisofs", "-o", iso, "-V", "COS_LIVE", "-R", "-J",
		"-append_partition", "2", "0xef", filepath.Join(dir, "esp"), "-appended_part_as_gpt",
		"-partition_offset", "16", filepath.Join(dir, "tree")).CombinedOutput()
	require.NoError(t, err, "%s", out)

	to := filepath.Join(dir, "kernel")
	require.NoError(t, extract(iso, isoKernel, to))
	got, err := os.ReadFile(to)
	require.NoError(t, err)
	require.True(t, bytes.Equal(kernel, got))

	require.Error(t, extract(iso, "boot/other", to))
	require.Error(t, extract(filepath.Join(dir, "esp"), isoKernel, to))
}
