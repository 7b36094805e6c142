package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
)

// TestSchemasAreCurrent does what go generate does.
func TestSchemasAreCurrent(t *testing.T) {
	for _, c := range []struct {
		kind, dir string
		current   []byte
	}{{"spec", "specs", specs.Schema()}, {"plan", "plan", plan.Schema()}} {
		t.Run(c.kind, func(t *testing.T) {
			t.Chdir(filepath.Join("../../..", c.dir))
			file := filepath.Join(t.TempDir(), "schema.json")
			require.NoError(t, run(c.kind, file))
			made, err := os.ReadFile(file)
			require.NoError(t, err)
			if diff := cmp.Diff(string(c.current), string(made)); diff != "" {
				t.Errorf("run go generate ./%s (-schema.json +types):\n%s", c.dir, diff)
			}
		})
	}
}
