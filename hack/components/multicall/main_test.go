package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStandIn embeds two programs, and calls them by their names.
func TestStandIn(t *testing.T) {
	dir := t.TempDir()
	here, err := os.Getwd()
	require.NoError(t, err)
	replaced := map[string]string{}
	for _, name := range []string{"echo", "basename"} {
		program, err := exec.LookPath(name)
		require.NoError(t, err)
		replaced[filepath.Join(here, "programs", name)] = program
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	require.NoError(t, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, overlay, 0o644))
	out, err := exec.Command("go", "build", "-overlay", file, "-ldflags", "-X main.version=v4.3.0", "-o", filepath.Join(dir, own), ".").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, name := range []string{"echo", "basename", "kcrypt-discovery-challenger", "other"} {
		require.NoError(t, os.Symlink(own, filepath.Join(dir, name)))
	}
	for _, tt := range []struct {
		args []string
		want string
		fail bool
	}{
		{args: []string{"echo", "a", "b"}, want: "a b\n"},
		{args: []string{"basename", "/x/y"}, want: "y\n"},
		{args: []string{own, "echo", "c"}, want: "c\n"},
		{args: []string{own, "--version"}, want: "kairos v4.3.0 (stand-in of flavorkit, not the real program)\n"},
		{args: []string{"kcrypt-discovery-challenger", "discovery.password"}, want: "{}\n"},
		{args: []string{"other"}, want: "kairos v4.3.0, stand-in of flavorkit: it has no program \"other\"\n", fail: true},
		{args: []string{own}, want: "kairos v4.3.0, stand-in of flavorkit: it has no program \"kairos\"\n", fail: true},
	} {
		out, err := exec.Command(filepath.Join(dir, tt.args[0]), tt.args[1:]...).CombinedOutput()
		assert.Equal(t, tt.fail, err != nil, "%v", tt.args)
		assert.Equal(t, tt.want, string(out))
	}
}
