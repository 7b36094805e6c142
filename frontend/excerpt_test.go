package frontend

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestLongLines checks mistakes in lines that would fill a terminal.
func TestLongLines(t *testing.T) {
	const long = 200_000
	for _, c := range []struct{ name, spec, shown string }{
		{"at the beginning", "naem: " + strings.Repeat("x", long) + "\n", ">>> naem: xxx"},
		{"at the end", "{x-long: " + strings.Repeat("x", long) + ", naem: edge}\n", "x, naem: edge}\n"},
		{"in the middle", "{x-long: " + strings.Repeat("x", long) + ", naem: edge, x-more: " + strings.Repeat("y", long) + "}\n", "x, naem: edge, x-more: yyy"},
		{"in the line before", "x-long: " + strings.Repeat("ü", long) + "\nnaem: edge\n", ">>> naem: edge"},
		{"20,000 brackets", "name: " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "\n", "…[[["},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := spectest.Load(c.spec, nil)
			require.Error(t, err)
			located := Locate(err)
			sources := errdefs.Sources(located)
			require.NotEmpty(t, sources)
			var text strings.Builder
			for _, s := range sources {
				require.NoError(t, s.Print(&text))
			}
			assert.Contains(t, text.String(), c.shown)
			assert.Less(t, text.Len()+len(located.Error()), 2000)
		})
	}
}

func TestShortLinesStay(t *testing.T) {
	const text = "a: b\r\n\xff\n" + "# the end"
	assert.Equal(t, text, string(excerpt([]byte(text), specs.Position{Line: 1, Column: 1})))
}

// TestControlCharacters checks that a spec cannot give orders to a terminal.
func TestControlCharacters(t *testing.T) {
	at := specs.Position{Line: 1, Column: 1}
	assert.Equal(t, "a: ␛[0m\tb␍c\n\ufffd", string(excerpt([]byte("a: \x1b[0m\tb\rc\r\n\u009b"), at)))
}
