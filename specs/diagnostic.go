package specs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// Diagnostic is one mistake in a spec, or a warning about it: where, what is wrong, and what would
// be right.
type Diagnostic struct {
	// Rule identifies the kind of mistake.
	Rule  rules.Rule
	Range Range
	// Key is the path of the value, such as packages.add[2].
	Key string
	// Message says what is wrong.
	Message string
	// Hint says what would be right; it may be empty.
	Hint string

	// unread is true when the value could not be read. Nothing else is reported about it.
	unread bool
}

// Error is one line: file:line:column: key: message; hint. A warning has the name of its rule at
// the end, in brackets.
func (d Diagnostic) Error() string {
	text := d.Range.String() + ": " + d.Text()
	if d.Rule.Severity == rules.Warning {
		text += " [" + d.Rule.Name + "]"
	}
	return text
}

// Text is the diagnostic as one sentence, without its place and its rule: key: message; hint.
func (d Diagnostic) Text() string {
	text := d.Message
	if d.Key != "" {
		text = d.Key + ": " + text
	}
	if d.Hint != "" {
		text += "; " + d.Hint
	}
	return text
}

// Diagnostics are all mistakes of a spec.
type Diagnostics []Diagnostic

// Error has one line for each mistake.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the diagnostics as an error, sorted, or nil when there are none.
func (ds Diagnostics) Err() error {
	if len(ds) == 0 {
		return nil
	}
	return ds.Sorted()
}

// Sorted returns the diagnostics of the spec first, then those of the specs it extends, each file
// in its order, without duplicates.
func (ds Diagnostics) Sorted() Diagnostics {
	said, files := map[string]bool{}, map[string]int{}
	file := func(d Diagnostic) string { return Range{Source: d.Range.Source}.String() }
	sorted := slices.DeleteFunc(slices.Clone(ds), func(d Diagnostic) bool {
		again := said[d.Error()]
		said[d.Error()] = true
		files[file(d)] = cmp.Or(files[file(d)], len(files)+1)
		return again
	})
	slices.SortStableFunc(sorted, func(a, b Diagnostic) int {
		x, y := a.Range, b.Range
		return cmp.Or(
			cmp.Compare(x.depth(), y.depth()),
			cmp.Compare(files[file(a)], files[file(b)]),
			cmp.Compare(x.Start.Line, y.Start.Line),
			cmp.Compare(x.Start.Column, y.Start.Column),
		)
	})
	return sorted
}

// cover reports whether a diagnostic is about a value that could not be read.
func (ds Diagnostics) cover(d Diagnostic) bool {
	return slices.ContainsFunc(ds, func(known Diagnostic) bool {
		return known.unread && known.Range.Source == d.Range.Source && known.Range.Start == d.Range.Start
	})
}
