// Package bench compares flavorkit with one Dockerfile that makes the same system (testdata/Dockerfile),
// and writes docs/performance.json, performance.svg and the table of performance.md.
package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/draw"
)

// Results are what one run measured.
type Results struct {
	// Date is the day of the run, as 2026-01-31.
	Date    string  `json:"date"`
	Machine Machine `json:"machine"`
	// Rounds is how often each side was measured, in turn.
	Rounds int   `json:"rounds"`
	Rows   []Row `json:"rows"`
}

// Machine is where a run took place.
type Machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	// Memory is in bytes.
	Memory int64 `json:"memory"`
	// Load is the average number of processes that ran when the run began, over five minutes.
	Load float64 `json:"load"`
}

// Row is one thing that was measured on both sides: the median of all rounds.
type Row struct {
	Name string `json:"name"`
	// Unit is seconds or bytes.
	Unit       string  `json:"unit"`
	Flavorkit  float64 `json:"flavorkit"`
	Dockerfile float64 `json:"dockerfile"`
	// Steps is how many steps of flavorkit ran; 0 for sizes.
	Steps int `json:"steps,omitempty"`
}

// Ratio is the part of the Dockerfile's time or bytes that flavorkit needs.
func (r Row) Ratio() float64 { return r.Flavorkit / r.Dockerfile }

// median of an odd or even number of values.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// show writes a value in its unit.
func show(value float64, unit string) string {
	if unit == "bytes" {
		return fmt.Sprintf("%.1f MB", value/1e6)
	}
	return fmt.Sprintf("%.1f s", value)
}

// Markdown is the table of the page, with the picture below it.
func (r Results) Markdown() string {
	var b strings.Builder
	load := ""
	if r.Machine.Load >= 0.5 {
		load = fmt.Sprintf(" Other work ran beside it: the load was %.1f when it began.", r.Machine.Load)
	}
	fmt.Fprintf(&b, "Measured on %s, on %d cores of %s with %.0f GB of memory: the median of %s.%s\n\n",
		r.Date, r.Machine.Cores, r.Machine.Processor, float64(r.Machine.Memory)/1e9, plural(r.Rounds, "round"), load)
	b.WriteString("| | Dockerfile | flavorkit | ratio | steps that ran |\n|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		steps := "–"
		if row.Steps > 0 {
			steps = fmt.Sprint(row.Steps)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f | %s |\n", row.Name, show(row.Dockerfile, row.Unit), show(row.Flavorkit, row.Unit), row.Ratio(), steps)
	}
	b.WriteString("\n![The ratios as bars](performance.svg)\n")
	return b.String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Plot draws the ratios as bars, in SVG. The axis ends where the Dockerfile is.
func (r Results) Plot(w io.Writer) error {
	var bars []draw.Bar
	for _, row := range r.Rows {
		bars = append(bars, draw.Bar{Name: row.Name, Note: fmt.Sprintf("%.2f", row.Ratio()), Spans: [][2]float64{{0, row.Ratio()}}})
	}
	percent := func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
	return draw.Timeline(w, "flavorkit's time and bytes, as a share of the Dockerfile's", 1, percent, bars)
}

// The table of the page is between these lines.
const (
	tableBegin = "<!-- make bench writes this part -->"
	tableEnd   = "<!-- end of what make bench writes -->"
)

// nothingRecorded is in place of the table until a run is recorded.
const nothingRecorded = "No run is recorded here yet.\n"

// insertTable returns a page with another table.
func insertTable(page, table string) (string, error) {
	before, rest, ok := strings.Cut(page, tableBegin)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		return "", errors.Errorf("the page has no lines %q and %q", tableBegin, tableEnd)
	}
	return before + tableBegin + "\n" + table + tableEnd + after, nil
}

// Record writes the results into a directory of documentation.
func (r Results) Record(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return errors.Wrap(err, "write results as JSON")
	}
	var plot bytes.Buffer
	if err := r.Plot(&plot); err != nil {
		return err
	}
	file := filepath.Join(dir, "performance.md")
	page, err := os.ReadFile(file)
	if err != nil {
		return errors.Wrap(err, "read the page with results")
	}
	text, err := insertTable(string(page), r.Markdown())
	if err != nil {
		return errors.Wrap(err, file)
	}
	for name, content := range map[string][]byte{"performance.json": append(data, '\n'), "performance.svg": plot.Bytes(), "performance.md": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return errors.Wrap(err, "write results")
		}
	}
	return nil
}
