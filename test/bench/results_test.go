package bench

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

func TestMedian(t *testing.T) {
	assert.InDelta(t, 2, median([]float64{3, 1, 2}), 0)
	assert.InDelta(t, 2.5, median([]float64{4, 3, 1, 2}), 0)
}

// TestPage has the table and the picture that follow from performance.json, or says that nothing is
// recorded.
func TestPage(t *testing.T) {
	docs := filepath.Join(testkit.RepoRoot(t), "docs")
	page, err := os.ReadFile(filepath.Join(docs, "performance.md"))
	require.NoError(t, err)
	data, err := os.ReadFile(filepath.Join(docs, "performance.json"))
	if errors.Is(err, fs.ErrNotExist) {
		want, err := insertTable(string(page), nothingRecorded)
		require.NoError(t, err)
		assert.Equal(t, want, string(page))
		return
	}
	require.NoError(t, err)
	var r Results
	require.NoError(t, json.Unmarshal(data, &r))
	require.NotEmpty(t, r.Rows)

	again := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(again, "performance.md"), page, 0o644))
	require.NoError(t, r.Record(again))
	for _, name := range []string{"performance.json", "performance.md", "performance.svg"} {
		want, err := os.ReadFile(filepath.Join(again, name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(docs, name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s: run make bench", name)
	}
}

// TestRecord replaces what was recorded before.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "performance.md")
	require.NoError(t, os.WriteFile(page, []byte("# P\n"+tableBegin+"\n"+nothingRecorded+tableEnd+"\nend\n"), 0o644))
	r := Results{Date: "2026-01-31", Rounds: 3, Machine: Machine{Processor: "P", Cores: 2, Memory: 24e9, Load: 1.5}, Rows: []Row{
		{Name: "time", Unit: "seconds", Flavorkit: 1, Dockerfile: 4, Steps: 7}, {Name: "size", Unit: "bytes", Flavorkit: 3e6, Dockerfile: 4e6},
	}}
	require.NoError(t, r.Record(dir))
	require.NoError(t, r.Record(dir))
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Equal(t, "# P\n"+tableBegin+`
Measured on 2026-01-31, on 2 cores of P with 24 GB of memory: the median of 3 rounds. Other work ran beside it: the load was 1.5 when it began.

| | Dockerfile | flavorkit | ratio | steps that ran |
|---|---|---|---|---|
| time | 4.0 s | 1.0 s | 0.25 | 7 |
| size | 4.0 MB | 3.0 MB | 0.75 | – |

![The ratios as bars](performance.svg)
`+tableEnd+"\nend\n", string(text))
	plot, err := os.ReadFile(filepath.Join(dir, "performance.svg"))
	require.NoError(t, err)
	assert.Contains(t, string(plot), "0.75")
}

func TestInsertTable(t *testing.T) {
	page, err := insertTable("a\n"+tableBegin+"\nold\n"+tableEnd+"\nb\n", "new\n")
	require.NoError(t, err)
	assert.Equal(t, "a\n"+tableBegin+"\nnew\n"+tableEnd+"\nb\n", page)
	_, err = insertTable("no table", "new\n")
	assert.ErrorContains(t, err, "has no lines")
}
