package plan

import (
	"fmt"
	"slices"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Origin is where the files of the spec decided about the values of a plan, for
// messages and failing steps to point at. What a built-in flavor sets was decided
// by the line that extends the flavor.
type Origin struct {
	// Sources are the files that places are in. None is built in.
	Sources []*specs.Source `json:"sources,omitempty"`
	// Places by key of the spec, of all that any of its files sets.
	Places map[key.Key]Place `json:"places,omitempty"`
	// Default is where all else was decided: the line that extends the flavor, or
	// the top of the spec.
	Default Place `json:"default"`
}

// Place is a part of a file.
type Place struct {
	// Source is an index into the sources.
	Source int `json:"source"`
	// Start and End are the first and the last character.
	Start specs.Position `json:"start"`
	End   specs.Position `json:"end"`
	// Key is what the value is called in its own file, if that is not its key:
	// there, the items of a list that adds up are counted from 0.
	Key key.Key `json:"key,omitzero"`
}

func newOrigin(doc *specs.Document) Origin {
	o := Origin{Places: map[key.Key]Place{}}
	for _, path := range slices.Sorted(doc.Keys()) {
		place := o.place(doc.Decision(path))
		if written := doc.Written(path); written != path {
			place.Key = key.Parse(written)
		}
		o.Places[key.Parse(path)] = place
	}
	o.Default = o.place(doc.Decision(""))
	return o
}

// place takes over a part of a file.
func (o *Origin) place(r specs.Range) Place {
	at := slices.Index(o.Sources, r.Source)
	if at < 0 {
		at = len(o.Sources)
		o.Sources = append(o.Sources, r.Source)
	}
	return Place{Source: at, Start: r.Start, End: r.End}
}

// At is where a value was decided. When nothing was said about it, it is where
// the nearest value around it was.
func (o *Origin) At(k key.Key) specs.Range {
	place := o.Default
	for ok := true; ok; k, ok = k.Around() {
		if p, known := o.Places[k]; known {
			place = p
			break
		}
	}
	if place.Source >= len(o.Sources) {
		return specs.Range{} // a plan that was made from no spec
	}
	return specs.Range{Source: o.Sources[place.Source], Start: place.Start, End: place.End}
}

// Diagnose makes a diagnostic about the value with this key.
func (o *Origin) Diagnose(rule rules.Rule, k key.Key, hint, format string, args ...any) specs.Diagnostic {
	d := specs.Diagnostic{Rule: rule, Range: o.At(k), Key: k.String(), Message: fmt.Sprintf(format, args...), Hint: hint}
	if p := o.Places[k]; !p.Key.IsZero() {
		d.Key = p.Key.String()
	}
	return d
}
