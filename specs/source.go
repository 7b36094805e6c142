package specs

import (
	"bytes"
	"fmt"
)

// Source is one file of the chain of specs that extend each other.
type Source struct {
	// Name as the user knows it: kairos.spec, or the name of a built-in
	// flavor with a marker.
	Name string `json:"name"`
	// Data is the text of the file.
	Data Bytes `json:"data"`
	// Context is the named context that the file came from, if any. Files
	// that the spec names are looked up there.
	Context string `json:"context,omitempty"`
	// Builtin tells that the file is part of flavorkit, so that users cannot
	// change it.
	Builtin bool `json:"-"`
	// Flavor is the name of the flavor that the file is, if any.
	Flavor string `json:"-"`
	// Lines are set for a text that flavorkit wrote: where each line of it was
	// decided. Messages point there.
	Lines []Range `json:"-"`
	// Depth is the place in the chain, 0 for the spec that was asked for.
	Depth int `json:"depth,omitempty"`
}

// Bytes are UTF-8 text, and a string in JSON.
type Bytes []byte

// MarshalText implements encoding.TextMarshaler.
func (b Bytes) MarshalText() ([]byte, error) { return b, nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Bytes) UnmarshalText(text []byte) error {
	*b = bytes.Clone(text)
	return nil
}

// Position is a place in a text, both numbers counted from 1.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Range is a part of a source. End is the last character, not the one after.
type Range struct {
	Source     *Source
	Start, End Position
}

// String is file:line:column, as compilers print it.
func (r Range) String() string {
	if r.Source == nil {
		return "kairos.spec"
	}
	if r.Start.Line == 0 {
		return r.Source.Name
	}
	return fmt.Sprintf("%s:%d:%d", r.Source.Name, r.Start.Line, r.Start.Column)
}

// decided is where a part of a text was decided: there, or in what the text was
// written from.
func (r Range) decided() Range {
	if lines := r.Source.Lines; len(lines) > 0 {
		return lines[min(r.Start.Line, len(lines))-1]
	}
	return r
}

func (r Range) depth() int {
	if r.Source == nil {
		return 0
	}
	return r.Source.Depth
}
