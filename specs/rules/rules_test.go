package rules_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// TestAll checks that the list has every rule of the source, in the same order.
func TestAll(t *testing.T) {
	source, err := os.ReadFile("rules.go")
	require.NoError(t, err)
	var defined, listed []string
	for _, m := range regexp.MustCompile(`(\w+) += (?:mistake|warning)\("(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		assert.Equal(t, m[1], m[2])
		defined = append(defined, m[2])
	}
	for _, r := range rules.All() {
		listed = append(listed, r.Name)
		assert.Regexp(t, `^[A-Z][A-Za-z]+$`, r.Name)
		assert.Regexp(t, `^[A-Z].*\.$`, r.Description)
	}
	assert.Equal(t, defined, listed)
}

func TestPage(t *testing.T) {
	assert.Equal(t, "docs/rules/mistakes.md#unknownkey", rules.UnknownKey.Page())
	assert.Equal(t, "https://github.com/flavorkit/flavorkit/blob/main/docs/rules/Some.md", rules.Rule{Name: "Some", Severity: rules.Warning}.URL())
}
