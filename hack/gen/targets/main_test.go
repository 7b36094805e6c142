package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestPageIsCurrent does what go generate does.
func TestPageIsCurrent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "targets.md")
	require.NoError(t, run(file))
	made, err := os.ReadFile(file)
	require.NoError(t, err)
	kept, err := os.ReadFile("../../../docs/targets.md")
	require.NoError(t, err)
	if diff := cmp.Diff(string(kept), string(made)); diff != "" {
		t.Errorf("run make generate (-docs/targets.md +records):\n%s", diff)
	}
}
