package specs_test

import (
	"strings"
	"testing"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// FuzzLoad loads anything. It must not panic, and whatever is wrong must be a mistake of the spec
// with a place inside its file.
func FuzzLoad(f *testing.F) {
	for _, seed := range spectest.Seeds() {
		f.Add(seed, "distro: debian-12\npackages: {add: [a], remove: [b]}\n")
	}
	f.Fuzz(func(t *testing.T, spec, base string) {
		_, err := spectest.Load(spec, spectest.Files{"base.spec": base, "context:acme/kairos.spec": base})
		if err == nil {
			return
		}
		var found specs.Diagnostics
		if !errors.As(err, &found) {
			t.Fatalf("not a mistake of the spec: %v", err)
		}
		for _, d := range found {
			if d.Message == "" || d.Range.Source == nil {
				t.Errorf("nothing said: %#v", d)
				continue
			}
			lines := strings.Split(strings.TrimPrefix(string(d.Range.Source.Data), "\ufeff"), "\n")
			for _, p := range []specs.Position{d.Range.Start, d.Range.End} {
				if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1 {
					t.Errorf("%d:%d is not in the file: %v", p.Line, p.Column, d)
				}
			}
		}
	})
}
