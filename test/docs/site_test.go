package docs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/test/pages"
)

// TestNavigation checks that the navigation of the site has every page once, except for those that
// a section lists: the rules, and what is for contributors.
func TestNavigation(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "hack/site/data/navigation.yaml"))
	require.NoError(t, err)
	var groups []struct {
		Title string   `yaml:"title"`
		Pages []string `yaml:"pages"`
	}
	require.NoError(t, yaml.Unmarshal(data, &groups))
	var listed []string
	for _, g := range groups {
		assert.NotEmpty(t, g.Title)
		listed = append(listed, g.Pages...)
	}

	var want []string
	for _, file := range pages.All(t, root) {
		file, err := filepath.Rel(root, file)
		require.NoError(t, err)
		switch dir, name := filepath.Split(file); {
		case file == "README.md", dir == "docs/rules/", dir == "docs/dev/" && name != "README.md":
		case file == "examples/README.md":
			want = append(want, "examples.md")
		case file == "docs/dev/README.md":
			want = append(want, "dev/_index.md")
		case dir == "":
			want = append(want, strings.ReplaceAll(strings.ToLower(name), "_", "-"))
		case dir == "docs/":
			want = append(want, name)
		}
	}
	slices.Sort(want)
	slices.Sort(listed)
	assert.Equal(t, want, listed)
}
