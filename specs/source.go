package specs

import (
	"bytes"
	"fmt"
	"strings"
)

// Source is one file of the chain of specs that extend each other.
type Source struct {
	// Name in messages: kairos.spec, acme/kairos.spec in the named context acme, or the name of a
	// built-in flavor with a marker.
	Name string `json:"name"`
	// Data is the text of the file.
	Data Bytes `json:"data"`
	// Context is the named context that the file came from, if any. Files that the spec names are
	// looked up there.
	Context string `json:"context,omitempty"`
	// Builtin is true for a file of flavorkit, which users cannot change.
	Builtin bool `json:"-"`
	// Flavor is the name of the flavor, if the file is one.
	Flavor string `json:"-"`
	// Lines has the origin of each line of a text that flavorkit wrote. Messages point there.
	Lines []Range `json:"-"`
	// Depth is the index in the chain, 0 for the spec itself.
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

// path is where the file is, from the top of its named context or else from the directory of the spec.
func (s *Source) path() string {
	if s.Context == "" {
		return s.Name
	}
	return strings.TrimPrefix(s.Name, s.Context+"/")
}

// decided returns the origin of a part of a text that flavorkit wrote, or the part itself.
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
