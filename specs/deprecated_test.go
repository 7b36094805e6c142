package specs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

// TestDeprecatedKeysExist checks that the language still has every deprecated key, its replacement,
// and the rest of the record.
func TestDeprecatedKeysExist(t *testing.T) {
	for _, d := range specs.DeprecatedKeys() {
		assert.True(t, hasKey(t, d.Key), d.Key)
		assert.Regexp(t, `^1\.\d+$`, d.Since, d.Key)
		if d.Replacement != "" {
			assert.True(t, hasKey(t, d.Replacement), d.Replacement)
		}
	}
	assert.True(t, hasKey(t, "artifacts.iso.label"))
	assert.True(t, hasKey(t, "kernel.from"))
	assert.False(t, hasKey(t, "kernel.donor"))
}

// hasKey looks a key up in the schema of the language.
func hasKey(t *testing.T, path string) bool {
	t.Helper()
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(specs.Schema(), &schema))
	at := &schema
	for name := range strings.SplitSeq(path, ".") {
		for _, part := range at.AnyOf {
			if part.Properties != nil {
				at = part
			}
		}
		next, ok := at.Properties.Get(name)
		if !ok {
			return false
		}
		if ref, ok := strings.CutPrefix(next.Ref, "#/$defs/"); ok {
			next = schema.Definitions[ref]
		}
		at = next
	}
	return true
}
