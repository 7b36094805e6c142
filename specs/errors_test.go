package specs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// mistake is a spec with a mistake and the whole text of the error.
type mistake struct {
	name, spec string
	files      spectest.Files
	want       []string
}

func checkMistakes(t *testing.T, mistakes []mistake) {
	t.Helper()
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			_, err := spectest.Load(m.spec, m.files)
			var found specs.Diagnostics
			require.ErrorAs(t, err, &found)
			for _, d := range found {
				assert.Contains(t, rules.All(), d.Rule, "%v", d)
				assert.Equal(t, rules.Error, d.Rule.Severity, "%v", d)
			}
			if diff := cmp.Diff(m.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
