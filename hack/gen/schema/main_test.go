package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

// TestSchemaIsCurrent does what go generate does.
func TestSchemaIsCurrent(t *testing.T) {
	t.Chdir("../../../specs")
	file := filepath.Join(t.TempDir(), "schema.json")
	require.NoError(t, run(file))
	made, err := os.ReadFile(file)
	require.NoError(t, err)
	if diff := cmp.Diff(string(specs.Schema()), string(made)); diff != "" {
		t.Errorf("run go generate ./specs (-schema.json +types):\n%s", diff)
	}
}
