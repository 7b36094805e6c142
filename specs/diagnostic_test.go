package specs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

// TestSortedDiagnostics has what several readings of a spec and of the files beside it found, in no
// order.
func TestSortedDiagnostics(t *testing.T) {
	file := func(name string) *specs.Source { return &specs.Source{Name: name} }
	at := func(src *specs.Source, line int, message string) specs.Diagnostic {
		p := specs.Position{Line: line, Column: 1}
		return specs.Diagnostic{Range: specs.Range{Source: src, Start: p, End: p}, Message: message}
	}
	spec, user := file("kairos.spec"), file("user.yaml")
	for _, c := range []struct {
		name  string
		found specs.Diagnostics
		want  string
	}{
		{"none", nil, ""},
		{"in the order of the file", specs.Diagnostics{at(spec, 10, "b"), at(spec, 9, "a")}, "kairos.spec:9:1: a\nkairos.spec:10:1: b"},
		{
			"file by file",
			specs.Diagnostics{at(spec, 2, "a"), at(user, 1, "b"), at(spec, 3, "c"), at(file("oem.yaml"), 1, "d"), at(user, 5, "e")},
			"kairos.spec:2:1: a\nkairos.spec:3:1: c\nuser.yaml:1:1: b\nuser.yaml:5:1: e\noem.yaml:1:1: d",
		},
		{
			"once, also when the file was read twice",
			specs.Diagnostics{at(spec, 2, "a"), at(spec, 2, "b"), at(file("kairos.spec"), 2, "a"), at(file("kairos.spec"), 2, "b")},
			"kairos.spec:2:1: a\nkairos.spec:2:1: b",
		},
		{"of no file", specs.Diagnostics{{Message: "a"}, {Message: "a"}}, "kairos.spec: a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.found.Error()
			assert.Equal(t, c.want, c.found.Sorted().Error())
			assert.Equal(t, before, c.found.Error(), "the list itself stays as it is")
			if c.want == "" {
				require.NoError(t, c.found.Err())
			} else {
				require.EqualError(t, c.found.Err(), c.want)
			}
		})
	}
}
