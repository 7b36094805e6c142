package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// message is the first column of the table of messages.
var message = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

// TestMessages checks that flavorkit has every message that the page about errors lists: one that users see for a
// wrong spec, or one in the code.
func TestMessages(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "errors-and-troubleshooting.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## Find a message\n")
	require.True(t, found)
	section, _, found = strings.Cut(section, "\nTwo messages are of BuildKit")
	require.True(t, found)
	listed := message.FindAllStringSubmatch(section, -1)
	require.Greater(t, len(listed), 30)

	var said strings.Builder
	shown, err := filepath.Glob(filepath.Join(root, "testdata", "bad", "*", "shown.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, shown)
	for _, file := range append(shown, code(t)...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		said.Write(text)
	}
	for _, m := range listed {
		if !strings.Contains(said.String(), m[1]) {
			t.Errorf("nothing says %q any more", m[1])
		}
	}
}

// code returns the files with the code of flavorkit.
func code(t *testing.T) (files []string) {
	t.Helper()
	for _, dir := range []string{"client", "cmd", "frontend", "llb", "plan", "specs"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "testdata":
				return fs.SkipDir
			case strings.HasSuffix(path, ".sh"), strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
				files = append(files, path)
			}
			return nil
		})
		require.NoError(t, err)
	}
	return files
}
