// Package golden compares the output of a test with files in testdata. Run the tests of a package
// with -update to rewrite the files:
//
//	go test ./plan -update
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew instead of comparing with them") //nolint:gochecknoglobals // a flag

// Check fails the test if text differs from the file.
func Check(t testing.TB, file, text string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run the test with -update to make it)", err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s is not what the test makes (-file +made; run the test with -update if that is right):\n%s", file, diff)
	}
}

// Generated fails the test if a generated file is outdated.
func Generated(t testing.TB, file string, generate func(file string) error) {
	t.Helper()
	now := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := generate(now); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(now)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), string(made)); diff != "" {
		t.Errorf("%s is not what its generator writes (-file +made; run make generate):\n%s", file, diff)
	}
}
