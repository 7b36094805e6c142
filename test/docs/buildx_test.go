package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/pages"
)

var (
	// typedBuild is a build that a reader types, or that a file for CI has: a line of its own, or a whole command
	// in a sentence. A sentence that only names an option has no context at the end.
	typedBuild = regexp.MustCompile("(?m)^[-$# ]*(?:run: )?(?:sudo )?(?:docker |\\S*/)?buildx (?:dap )?build .*|`docker buildx (?:dap )?build [^`]* \\.`")
	// namesFile is the option that names what to build.
	namesFile = regexp.MustCompile(` (?:-f|--file)[ =]`)
)

// TestBuildxNamesTheSpec checks that every build with buildx names its file, because buildx looks for a Dockerfile.
func TestBuildxNamesTheSpec(t *testing.T) {
	found := 0
	for _, page := range pages.All(t, root) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		joined := strings.ReplaceAll(string(text), "\\\n", " ")
		for _, build := range typedBuild.FindAllString(joined, -1) {
			found++
			assert.Regexp(t, namesFile, build, page)
		}
	}
	assert.Greater(t, found, 15, "few builds were found; does the pattern still fit?")
}
