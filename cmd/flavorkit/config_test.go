package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/frontend"
)

// TestConfigFile plans with the mirrors of the user's file, of another one, and of none.
func TestConfigFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "home"))
	write(t, "kairos.spec", good)
	code, out, errs := flavorkit(t.Context(), "plan", "--arch", "amd64")
	require.Zero(t, code, errs)
	assert.NotContains(t, out, "mirrors:", "there is no file")

	write(t, "home/flavorkit/config.yaml", "mirrors: {archives: {debian: 'https://home.example/debian'}}\n")
	write(t, "other.yaml", "mirrors: {archives: {debian: 'https://other.example/debian'}}\n")
	write(t, "bad.yaml", "mirorrs: {}\n")
	for _, c := range []struct {
		args  []string
		says  string
		wrong bool
	}{
		{args: nil, says: "to: https://home.example/debian"},
		{args: []string{"--config", "other.yaml"}, says: "to: https://other.example/debian"},
		{args: []string{"--config", "bad.yaml"}, says: `bad.yaml:1:1: unknown key "mirorrs"; did you mean "mirrors"?`, wrong: true},
		{args: []string{"--config", "none.yaml"}, says: "read the configuration: open none.yaml: no such file", wrong: true},
	} {
		code, out, errs := flavorkit(t.Context(), append([]string{"plan", "--arch", "amd64"}, c.args...)...)
		assert.Equal(t, c.wrong, code != 0, errs)
		assert.Contains(t, out+errs, c.says)
	}
	code, out, errs = flavorkit(t.Context(), "plan", "--arch", "amd64", "--config", "")
	require.Zero(t, code, errs)
	assert.NotContains(t, out, "mirrors:")
}

// TestConfigOfBuild passes the file as a build argument, and its authority as a build secret.
func TestConfigOfBuild(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	write(t, filepath.Join(dir, "flavorkit/config.yaml"), "ca: certs/ca.pem\nmirrors: {registries: {docker.io: mirror.example}}\n")
	passed := func(args map[string]string) solveFlags {
		f := solveFlags{}
		f.site.add(pflag.NewFlagSet("", pflag.ContinueOnError))
		f.Args = args
		require.NoError(t, f.addSite())
		return f
	}
	f := passed(nil)
	assert.Equal(t, []string{"id=flavorkit-ca,src=" + filepath.Join(dir, "flavorkit/certs/ca.pem")}, f.secrets)
	assert.YAMLEq(t, "ca: {secret: flavorkit-ca}\nmirrors: {registries: {docker.io: mirror.example}}\n", f.Args[frontend.ConfigArg])

	f = passed(map[string]string{frontend.ConfigArg: "mirrors: {}"})
	assert.Empty(t, f.secrets)
	assert.Equal(t, "mirrors: {}", f.Args[frontend.ConfigArg], "the argument replaces the file")

	require.NoError(t, os.Remove(filepath.Join(dir, "flavorkit/config.yaml")))
	assert.Empty(t, passed(nil).Args)
}
