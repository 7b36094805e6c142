package specs

import (
	"cmp"
	"slices"
	"strings"
)

// Diagnostic is one mistake in a spec: where, what is wrong, and what would be
// right.
type Diagnostic struct {
	Range Range
	// Key is the path of the value, such as packages.add[2].
	Key string
	// Message says what is wrong.
	Message string
	// Hint says what would be right; it may be empty.
	Hint string
}

// Error is one line: file:line:column: key: message; hint.
func (d Diagnostic) Error() string {
	var b strings.Builder
	b.WriteString(d.Range.String())
	b.WriteString(": ")
	if d.Key != "" {
		b.WriteString(d.Key)
		b.WriteString(": ")
	}
	b.WriteString(d.Message)
	if d.Hint != "" {
		b.WriteString("; ")
		b.WriteString(d.Hint)
	}
	return b.String()
}

// Diagnostics are all mistakes of a spec, in the order of the file.
type Diagnostics []Diagnostic

// Error has one line for each mistake.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the diagnostics as an error, or nil when there are none: those of
// the spec itself first, in the order of the file, then those of the specs it
// extends. What was found more than once is said once.
func (ds Diagnostics) Err() error {
	if len(ds) == 0 {
		return nil
	}
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		x, y := a.Range, b.Range
		return cmp.Or(
			cmp.Compare(x.depth(), y.depth()),
			cmp.Compare(x.Start.Line, y.Start.Line),
			cmp.Compare(x.Start.Column, y.Start.Column),
		)
	})
	return slices.Compact(ds)
}
