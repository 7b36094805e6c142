package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// seeds are all specs of the repository: the flavors, the examples and the bad ones.
func seeds(t testing.TB) (texts []string) {
	t.Helper()
	texts = spectest.Seeds()
	for _, pattern := range []string{"../specs/catalog/flavors/*.spec", "../examples/*/*.spec", "../testdata/*/*.spec", "../testdata/bad/*/*.spec"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			texts = append(texts, string(text))
		}
	}
	return texts
}

// FuzzResolve takes any spec from its text to a plan, and the plan to JSON and back. Nothing may
// panic, and every mistake must have a place inside its file.
func FuzzResolve(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed, "amd64")
	}
	f.Add("extends: debian-13\nversion: v1.0.0\nkairos: latest\n", "riscv64")
	f.Add("extends: alpine-arm-rpi\nversion: v1.0.0\n", "arm64")
	files := spectest.Files{"base.spec": "extends: debian-12\n", "context:acme/kairos.spec": "extends: debian-13\n"}
	f.Fuzz(func(t *testing.T, spec, arch string) {
		p, err := spectest.Plan(spec, files, arch)
		if err == nil {
			spectest.RoundTrip(t, p)
			return
		}
		var found specs.Diagnostics
		if !errors.As(err, &found) {
			t.Fatalf("not a mistake of the spec: %v", err)
		}
		for _, d := range found {
			inside(t, d)
		}
	})
}

// inside checks that a mistake says something, at a place of its file.
func inside(t *testing.T, d specs.Diagnostic) {
	t.Helper()
	if d.Message == "" || d.Range.Source == nil {
		t.Errorf("nothing said: %#v", d)
		return
	}
	lines := strings.Split(strings.TrimPrefix(string(d.Range.Source.Data), "\ufeff"), "\n")
	for _, p := range []specs.Position{d.Range.Start, d.Range.End} {
		if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1 {
			t.Errorf("%d:%d is not in the file: %v", p.Line, p.Column, d)
		}
	}
}
