// Package shellcheck runs shellcheck and shfmt on the shell scripts of the repository.
package shellcheck

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

func TestShellcheck(t *testing.T) {
	testkit.Need(t, "shellcheck", "run hack/deps.sh test")
	root := testkit.RepoRoot(t)
	var scripts []string
	for _, dir := range []string{"llb", "hack"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".sh") {
				scripts = append(scripts, path)
			}
			return err
		}))
	}
	require.Greater(t, len(scripts), 8, "scripts are looked for in the wrong place")
	for _, script := range scripts {
		name, err := filepath.Rel(root, script)
		require.NoError(t, err)
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("shellcheck", "--external-sources", "--source-path=SCRIPTDIR:..", script)
			cmd.Dir = filepath.Dir(script)
			said, err := cmd.CombinedOutput()
			assert.NoError(t, err, string(said))
		})
	}
}

// TestShfmt checks that every script is formatted as in .editorconfig. make fmt formats them.
func TestShfmt(t *testing.T) {
	root := testkit.RepoRoot(t)
	list := exec.CommandContext(t.Context(), "git", "ls-files", "*.sh")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	scripts := strings.Fields(string(out))
	require.NotEmpty(t, scripts)
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "-modfile=hack/lint/files/go.mod", "shfmt", "-d"}, scripts...)...)
	cmd.Dir = root
	diff, err := cmd.CombinedOutput()
	assert.NoError(t, err, string(diff))
}
