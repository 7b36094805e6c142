package catalog_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stubSysext merges all images or none, as systemd-sysext does, and notes what it merged last, and
// its arguments. It refuses images whose names begin with bad.
const stubSysext = `#!/bin/sh
cd "$(dirname "$0")" || exit
if [ "$1" = --help ]; then
	cat help
	exit
fi
echo "$*" >arguments
ls run | grep -q '^bad' && exit 1
ls run >merged
`

// TestMergeExtensions keeps an image that is refused from keeping out the others.
func TestMergeExtensions(t *testing.T) {
	for name, c := range map[string]struct {
		help, images, arguments string
		fails                   bool
	}{
		"none":                  {help: "--image-policy=POLICY", arguments: "refresh --image-policy=root=verity+signed+absent:usr=verity+signed+absent"},
		"good ones":             {help: "--image-policy=POLICY", images: "a.raw c.raw", arguments: "refresh --image-policy=root=verity+signed+absent:usr=verity+signed+absent"},
		"one that is refused":   {help: "--image-policy=POLICY", images: "a.raw bad.raw c.raw", arguments: "refresh --image-policy=root=verity+signed+absent:usr=verity+signed+absent", fails: true},
		"a systemd before 254":  {help: "--force", images: "a.raw", arguments: "refresh"},
		"nothing but a bad one": {help: "--force", images: "bad.raw", arguments: "refresh", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			links := filepath.Join(dir, "run")
			require.NoError(t, os.Mkdir(links, 0o755))
			program := filepath.Join(dir, "systemd-sysext")
			require.NoError(t, os.WriteFile(program, []byte(stubSysext), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "help"), []byte(c.help+"\n"), 0o644))
			var good []string
			for _, image := range strings.Fields(c.images) {
				require.NoError(t, os.Symlink("/nowhere/"+image, filepath.Join(links, image)))
				if !strings.HasPrefix(image, "bad") {
					good = append(good, image)
				}
			}
			out, err := exec.Command("sh", "overlay/systemd/usr/lib/kairos/merge-extensions", program, links).CombinedOutput()
			assert.Equal(t, c.fails, err != nil, "%s", out)
			if c.fails {
				assert.Contains(t, string(out), "refuses bad.raw")
			} else {
				assert.Empty(t, out)
			}
			arguments, err := os.ReadFile(filepath.Join(dir, "arguments"))
			require.NoError(t, err)
			assert.Equal(t, c.arguments, strings.TrimSpace(string(arguments)))
			for _, list := range []string{"merged", "run"} {
				assert.ElementsMatch(t, good, names(t, filepath.Join(dir, list)), list)
			}
			assert.NoDirExists(t, links+".aside")
		})
	}
}

// names are those in a directory or in a list; none if there is no such list.
func names(t *testing.T, path string) (all []string) {
	t.Helper()
	if entries, err := os.ReadDir(path); err == nil {
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return all
	}
	data, err := os.ReadFile(path)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return strings.Fields(string(data))
}
