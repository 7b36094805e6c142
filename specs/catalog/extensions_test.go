package catalog_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInstallExtensions puts the extensions of a medium where the agent has those of a machine, also a
// second time.
func TestInstallExtensions(t *testing.T) {
	dir := t.TempDir()
	medium, state := filepath.Join(dir, "medium"), filepath.Join(dir, "kairos")
	put := func() {
		out, err := exec.Command("sh", "overlay/extensions/usr/lib/kairos/install-extensions", "put", medium, state).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	put()
	assert.NoDirExists(t, state, "there is nothing to install")

	require.NoError(t, os.MkdirAll(filepath.Join(medium, "extensions"), 0o755))
	for _, name := range []string{"k3s-v1.36.4-k3s1.sysext.raw", "notes.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(medium, "extensions", name), []byte(name), 0o644))
	}
	for range 2 {
		put()
		const name = "k3s-v1.36.4-k3s1.sysext.raw"
		assert.ElementsMatch(t, []string{name, "active", "passive"}, names(t, filepath.Join(state, "extensions")))
		text, err := os.ReadFile(filepath.Join(state, "extensions", name))
		require.NoError(t, err)
		assert.Equal(t, name, string(text))
		for _, system := range []string{"active", "passive"} {
			target, err := os.Readlink(filepath.Join(state, "extensions", system, name))
			require.NoError(t, err)
			assert.Equal(t, "/var/lib/kairos/extensions/"+name, target)
		}
	}
}

// TestStartEnabled starts what the machine has enabled, and all instances of a template.
func TestStartEnabled(t *testing.T) {
	dir := t.TempDir()
	wants := filepath.Join(dir, "etc", "multi-user.target.wants")
	require.NoError(t, os.MkdirAll(wants, 0o755))
	for _, name := range []string{"k3s", "edgevpn@kairos", "edgevpn-other"} {
		require.NoError(t, os.Symlink("/nowhere", filepath.Join(wants, name+".service")))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "systemctl"), []byte("#!/bin/sh\necho \"$@\"\n"), 0o755))
	for name, want := range map[string]string{
		"k3s": "start --no-block k3s.service\n", "k3s-agent": "",
		"edgevpn@": "start --no-block edgevpn@kairos.service\n", "other@": "",
	} {
		start := exec.Command("sh", "overlay/enabled/usr/lib/kairos/start-enabled", name, filepath.Join(dir, "etc"))
		start.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := start.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, want, string(out), name)
	}
}
