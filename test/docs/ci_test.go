package docs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs"
)

// TestCI parses every document of the page about CI, and checks that each recipe builds an image and an ISO of a
// spec with a cache in a registry, and says whether it was tried.
func TestCI(t *testing.T) {
	page := filepath.Join(root, "docs", "ci.md")
	kinds := map[string]bool{}
	for _, b := range blocks(t, page) {
		decoder := yaml.NewDecoder(strings.NewReader(b.Text))
		for {
			var document map[string]any
			err := decoder.Decode(&document)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, "%s:%d", page, b.Line)
			for key := range document {
				kinds[key] = true
			}
			if kind, ok := document["kind"].(string); ok {
				kinds[kind] = true
			}
		}
	}
	for _, key := range []string{"on", "build", "Task", "Role"} {
		assert.True(t, kinds[key], "no file has %s", key)
	}

	text, err := os.ReadFile(page)
	require.NoError(t, err)
	recipes := strings.Split(string(text), "\n## ")[1:]
	require.Len(t, recipes, 4)
	for _, recipe := range recipes {
		title, _, _ := strings.Cut(recipe, "\n")
		assert.Contains(t, recipe, specs.DefaultName, title)
		assert.Contains(t, recipe, "push", title)
		assert.Regexp(t, `target[: ] ?iso`, recipe, title)
		assert.Regexp(t, `type=registry,ref=.*,mode=max`, recipe, title)
		assert.Regexp(t, `^.*\n\n(?:Not t|T)ried\b`, recipe, title)
	}
}
