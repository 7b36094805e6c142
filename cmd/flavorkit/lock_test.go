package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLockUsage(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/kairos.spec", "extends: debian-12\nversion: v1.0.0\n")
	write(t, dir+"/other.spec", "extends: debian-12\nversion: v1.0.0\n")
	write(t, dir+"/other.lock", "version: 7\n")
	write(t, dir+"/matrix.yaml", "entries: [{extends: [debian-12], architectures: [amd64]}]\n")
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{"lock", dir, "--update", "--check"}, exitUsage, "--update and --check exclude each other"},
		{[]string{"lock", dir, "--update=curl", "--check"}, exitUsage, "--update and --check exclude each other"},
		{[]string{"lock", dir, "--update=curl"}, exitUsage, `kairos.lock has no package "curl"`},
		{[]string{"lock", dir, "--platform", "linux/vax"}, exitUsage, `unknown platform "linux/vax"`},
		{[]string{"lock", dir + "/none"}, exitFailed, "no spec " + dir + "/none/kairos.spec"},
		{[]string{"lock", dir, "--builder", "unix:///nowhere"}, exitFailed, "talk to the builder unix:///nowhere"},
		{[]string{"lock", dir + "/other.spec"}, exitFailed, "other.lock:1:10: version: has the format 7"},
		{[]string{"lock", dir + "/other.spec", "--update", "--builder", "unix:///nowhere"}, exitFailed, "talk to the builder unix:///nowhere"},
		{[]string{"graph", dir, "-f", dir + "/other.spec"}, exitFailed, "other.lock:1:10: version: has the format 7"},
		{[]string{"matrix", "lock"}, exitUsage, "name the matrix with --file"},
		{[]string{"matrix", "lock", "--file", dir + "/none.yaml"}, exitFailed, "no matrix " + dir + "/none.yaml"},
		{[]string{"matrix", "lock", "--file", dir + "/matrix.yaml", "--builder", "unix:///nowhere"}, exitFailed, "talk to the builder unix:///nowhere"},
	} {
		code, _, stderr := flavorkit(t.Context(), c.args...)
		assert.Equal(t, c.code, code, "%v: %s", c.args, stderr)
		assert.Contains(t, stderr, c.stderr, "%v", c.args)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 4, "nothing is written")
}

// TestReplace leaves the old file when the new one cannot be written.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	name := dir + "/kairos.lock"
	require.NoError(t, replace(name, []byte("one")))
	require.NoError(t, replace(name, []byte("two")))
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "two", string(data))
	info, err := os.Stat(name)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	assert.Error(t, replace(dir+"/none/kairos.lock", nil))
}

// TestGraphOfLock has the archives of the lock in place of the repositories.
func TestGraphOfLock(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/kairos.spec", "extends: debian-12\nversion: v1.0.0\npackages: {add: [htop]}\n")
	lock, err := os.ReadFile("../../testdata/targets/debian-12-amd64.lock")
	require.NoError(t, err)
	write(t, dir+"/kairos.lock", string(lock))
	code, stdout, stderr := flavorkit(t.Context(), "graph", dir)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "source http://deb.debian.org/debian/pool/main/h/htop/htop_3.2.2-2_amd64.deb\n")
}
