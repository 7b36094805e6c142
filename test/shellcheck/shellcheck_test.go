// Package shellcheck holds the shell scripts of the repository to shellcheck.
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
