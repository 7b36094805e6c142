package local_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestOlderVersion compares the version of a spec with the tags of the repository that it is in.
func TestOlderVersion(t *testing.T) {
	testkit.Need(t, "git", "run apt-get install git")
	top := t.TempDir()
	git := func(args ...string) {
		out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", top, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	warnings := func(dir, version string) (all []string) {
		file := filepath.Join(dir, "kairos.spec")
		require.NoError(t, os.WriteFile(file, []byte("extends: debian-12\n"+version+"\n"), 0o600))
		options := local.Options{File: file, Context: dir, Arch: "amd64"}
		p, err := local.Plan(t.Context(), options)
		require.NoError(t, err)
		for _, d := range local.OlderVersion(t.Context(), p, options) {
			all = append(all, d.Error())
		}
		return all
	}
	assert.Empty(t, warnings(top, "version: v1.0.0"), "no repository")
	git("init", "--quiet")
	git("commit", "--quiet", "--allow-empty", "--message=first")
	assert.Empty(t, warnings(top, "version: v1.0.0"), "no tags")
	for _, tag := range []string{"v1.2.0", "v1.10.0-rc.1", "v1.9.0", "v2", "v20260101", "nightly", "edge/v3.0.0"} {
		git("tag", tag)
	}
	const older = "kairos.spec:2:10: version: the repository has the tag v1.10.0-rc.1 already; take a newer version than v1.10.0-rc.1 [OlderVersion]"
	assert.Equal(t, []string{older}, warnings(top, "version: v1.9.1"))
	assert.Empty(t, warnings(top, "version: v1.10.0-rc.1"), "the version that was tagged")
	assert.Empty(t, warnings(top, "version: v1.10.0"))
	assert.Empty(t, warnings(top, "version: v1.0.0 # flavorkit: skip=OlderVersion"))
	inner := filepath.Join(top, "edge")
	require.NoError(t, os.Mkdir(inner, 0o700))
	assert.Empty(t, warnings(inner, "version: v1.0.0"), "the tags may be of something else")
	t.Setenv("PATH", t.TempDir())
	assert.Empty(t, warnings(top, "version: v1.0.0"), "without git")
}
