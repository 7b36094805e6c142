package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBuildArgs passes build arguments to the commands that do not build.
func TestBuildArgs(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "kairos.spec", "extends: debian-12\nversion: v1.0.0\nargs: {CHANNEL: {default: stable, values: [stable, edge]}}\ncmdline: [\"channel=${CHANNEL}\"]\n")
	write(t, "matrix.yaml", "entries: [{extends: [./kairos.spec, debian-13], architectures: [amd64]}]")

	code, stdout, stderr := flavorkit(t.Context(), "plan", "--arch", "amd64", "--build-arg", "CHANNEL=edge")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "args:\n- name: CHANNEL\n  value: edge\n  default: stable\n")
	assert.Contains(t, stdout, "channel=edge")

	code, stdout, stderr = flavorkit(t.Context(), "plan", "--arch", "amd64", "--explain", "channel=edge", "--build-arg", "CHANNEL=edge")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "kairos.spec:4:11  cmdline[0]")

	code, _, stderr = flavorkit(t.Context(), "check", "--arch", "amd64", "--build-arg", "CHANNEL=none")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, `kairos.spec:3:17: args.CHANNEL: the build argument has the value "none", which is not allowed; valid: stable, edge`)
	code, _, stderr = flavorkit(t.Context(), "matrix", "-f", "matrix.yaml", "--build-arg", "CHANEL=edge")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, `--build-arg: no spec declares the build argument "CHANEL"; did you mean "CHANNEL"?`)

	code, _, stderr = flavorkit(t.Context(), "bake", "-f", "matrix.yaml", "--build-arg", "CHANNEL=edge", "--build-arg", "SOURCE_DATE_EPOCH=0")
	require.Zero(t, code, stderr)
	text, err := os.ReadFile("docker-bake.json")
	require.NoError(t, err)
	var file struct {
		Target map[string]struct{ Args map[string]string }
	}
	require.NoError(t, json.Unmarshal(text, &file))
	assert.Equal(t, map[string]string{"CHANNEL": "edge", "SOURCE_DATE_EPOCH": "0"}, file.Target["kairos-amd64"].Args)
	assert.Equal(t, map[string]string{"SOURCE_DATE_EPOCH": "0"}, file.Target["debian-13-amd64"].Args)
}
