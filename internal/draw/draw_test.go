package draw

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// draw returns a picture, after a check that it is well-formed XML.
func draw(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, write(&b))
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, b.String())
	}
	assert.NotContains(t, b.String(), "ZgotmplZ", "the template refused a value")
	return b.String()
}

const hostile = "[a<b>] \"x\" & 'y' </title></svg><script>alert(1)</script>\x1b\x00\u202e\xff\nend"

// TestHostileNames are text in every picture.
func TestHostileNames(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"graph": func(w io.Writer) error {
			return Graph(w, hostile, []Node{{Name: hostile, Note: hostile, Look: Failed}, {Name: hostile, Look: Critical, Inputs: []int{0, 1, 7}}})
		},
		"timeline": func(w io.Writer) error {
			return Timeline(w, hostile, 1, func(float64) string { return hostile }, []Bar{{Name: hostile, Note: hostile, Spans: [][2]float64{{0, 1}}}})
		},
		"treemap": func(w io.Writer) error {
			return Treemap(w, hostile, []Area{{Name: hostile, Note: hostile, Size: 1}})
		},
	} {
		text := draw(t, write)
		assert.Equal(t, 1, strings.Count(text, "</svg>"), name)
		assert.Contains(t, text, "&lt;script&gt;", name)
		for _, bad := range []string{"<script", "\x1b", "\x00", "\u202e"} {
			assert.NotContains(t, text, bad, name)
		}
	}
}

func TestEmpty(t *testing.T) {
	draw(t, func(w io.Writer) error { return Graph(w, "", nil) })
	draw(t, func(w io.Writer) error {
		return Timeline(w, "", 0, func(s float64) string { return fmt.Sprint(s) }, nil)
	})
	draw(t, func(w io.Writer) error { return Treemap(w, "", []Area{{Name: "none", Size: 0}}) })
}

// TestArrange has no boxes that overlap, and arrows that lead one row down.
func TestArrange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		inputs := make([][]int, 1+random.IntN(40))
		for n := range inputs {
			for in := range n {
				if random.IntN(6) == 0 {
					inputs[n] = append(inputs[n], in)
				}
			}
		}
		l := arrange(inputs)
		for _, row := range l.rows {
			require.NotEmpty(t, row)
			for i, p := range row {
				if i > 0 {
					assert.GreaterOrEqual(t, p.x-row[i-1].x+1e-6, distance(row[i-1], p))
				}
				for _, next := range p.below {
					assert.Equal(t, p.row+1, next.row)
				}
			}
		}
	}
}

// TestReduce leaves out what follows from other arrows.
func TestReduce(t *testing.T) {
	assert.Equal(t, [][]int{nil, {0}, {1}, {2}}, reduce([][]int{nil, {0}, {0, 1}, {0, 2, 1}}))
}

// TestSquarify fills the picture, by size.
func TestSquarify(t *testing.T) {
	areas := []Area{{Size: 6}, {Size: 6}, {Size: 4}, {Size: 3}, {Size: 2}, {Size: 2}, {Size: 1}}
	all := squarify(areas, rect{0, 0, 6, 4})
	require.Len(t, all, len(areas))
	for i, r := range all {
		assert.InDelta(t, float64(areas[i].Size), r.width*r.height, 1e-9)
		assert.Less(t, max(r.width/r.height, r.height/r.width), 4.0)
	}
}

func TestText(t *testing.T) {
	assert.Equal(t, []string{"install bash", "and 51 more…"}, wrap("install bash and 51 more packages", 12, 2))
	assert.Equal(t, []string{"incomprehe…"}, wrap("incomprehensibilities", 11, 2))
	assert.Empty(t, wrap(" ", 5, 2))
	assert.Empty(t, cut("abc", 0))
	assert.Equal(t, "ä…", cut("äöü", 2))
}

func TestTicks(t *testing.T) {
	for seconds, want := range map[float64][]float64{0: {0}, 7: {0, 1, 2, 3, 4, 5, 6, 7}, 80.5: {0, 20, 40, 60, 80}} {
		assert.InDeltaSlice(t, want, ticks(seconds), 1e-9, seconds)
	}
}
