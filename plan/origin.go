package plan

import (
	"fmt"
	"slices"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Origin says where in the spec the values of a plan are set, so that messages and failing steps
// can point there. Values from a built-in flavor point at the line that extends the flavor.
type Origin struct {
	// Sources are the files that places refer to, without built-in flavors.
	Sources []*specs.Source `json:"sources,omitempty"`
	// Places by key of the spec, for all keys that any of its files sets.
	Places map[key.Key]Place `json:"places,omitempty"`
	// Default is the place of everything else: the line that extends the flavor, or the top of the
	// spec.
	Default Place `json:"default"`
	// Needs are the keys of the spec that can require something, by category and name. The first
	// one that the spec sets does.
	Needs map[catalog.Category]map[string][]key.Key `json:"needs,omitempty"`
	// Listed are the packages that the spec adds and the catalog lists, too.
	Listed []key.Key `json:"listed,omitempty"`
	// Unused are the build arguments that the spec declares and no value of it has.
	Unused []key.Key `json:"unused,omitempty"`
}

// Place is a range in a file.
type Place struct {
	// Source is an index into the sources.
	Source int `json:"source"`
	// Start and End are the first and the last character.
	Start specs.Position `json:"start"`
	End   specs.Position `json:"end"`
	// Key is the name of the value in its own file, if it differs from its key: items of
	// concatenated lists are counted from 0 in each file.
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
	for _, name := range catalog.Names(doc.Spec.Args) {
		if doc.Unused(name) {
			o.Unused = append(o.Unused, key.Args.Entry(name))
		}
	}
	return o
}

// place converts a range in a file.
func (o *Origin) place(r specs.Range) Place {
	at := slices.Index(o.Sources, r.Source)
	if at < 0 {
		at = len(o.Sources)
		o.Sources = append(o.Sources, r.Source)
	}
	return Place{Source: at, Start: r.Start, End: r.End}
}

// At returns where a value is set, or else where the nearest value around it is set.
func (o *Origin) At(k key.Key) specs.Range {
	place := o.Default
	for ok := true; ok; k, ok = k.Around() {
		if p, known := o.Places[k]; known {
			place = p
			break
		}
	}
	if place.Source >= len(o.Sources) {
		return specs.Range{} // the plan was not made from a spec
	}
	return specs.Range{Source: o.Sources[place.Source], Start: place.Start, End: place.End}
}

// KeyAt returns the key of the value at a place (specs.Range.String); zero if there is none. Of several,
// it is the outermost, and for all that a flavor sets it is extends.
func (o *Origin) KeyAt(place string) (at key.Key) {
	if o.At(key.Extends).String() == place {
		return key.Extends
	}
	for k := range o.Places {
		outer := at.IsZero() || len(k.String()) < len(at.String()) || len(k.String()) == len(at.String()) && k.String() < at.String()
		if outer && o.At(k).String() == place {
			at = k
		}
	}
	return at
}

// Decided returns the first of the keys that the user's files set, or else the place of the flavor,
// which sets all others.
func (o *Origin) Decided(keys ...key.Key) key.Key {
	unsaid := o.At(key.Key{})
	for _, k := range keys {
		if o.At(k) != unsaid {
			return k
		}
	}
	if o.At(key.Distro) != unsaid {
		return key.Distro
	}
	return key.Extends
}

// Asks returns the keys of the spec that can require something, the most specific first. Decided
// returns the one that does.
func (o *Origin) Asks(category catalog.Category, names string) []key.Key {
	if keys := o.Needs[category][names]; len(keys) > 0 {
		return keys
	}
	return []key.Key{category.Key()}
}

// Written is the name of a value in its own file.
func (o *Origin) Written(k key.Key) string {
	if p := o.Places[k]; !p.Key.IsZero() {
		k = p.Key
	}
	return k.String()
}

// Diagnose returns a diagnostic about the value of a key.
func (o *Origin) Diagnose(rule rules.Rule, k key.Key, hint, format string, args ...any) specs.Diagnostic {
	return specs.Diagnostic{Rule: rule, Range: o.At(k), Key: o.Written(k), Message: fmt.Sprintf(format, args...), Hint: hint}
}
