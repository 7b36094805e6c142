package main

import (
	"path/filepath"
	"testing"

	"github.com/flavorkit/flavorkit/test/golden"
)

func TestSchemasAreCurrent(t *testing.T) {
	for _, c := range []struct{ kind, dir string }{{"spec", "specs"}, {"plan", "plan"}} {
		t.Run(c.kind, func(t *testing.T) {
			t.Chdir(filepath.Join("../../..", c.dir)) // where go generate runs it
			golden.Generated(t, "schema.json", func(file string) error { return run(c.kind, file) })
		})
	}
}
