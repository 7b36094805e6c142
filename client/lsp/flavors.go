package lsp

import (
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// flavorFiles are built-in flavors as files, for editors, which cannot open what is inside a
// program. They are read-only, in a temporary directory that is made when the first is opened.
type flavorFiles struct {
	catalog *catalog.Catalog

	mu      sync.Mutex
	dir     string
	removed bool
}

// open returns the path of a flavor.
func (f *flavorFiles) open(src *specs.Source) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.removed {
		return "", errors.New("the connection has ended")
	}
	if f.dir == "" {
		dir, err := os.MkdirTemp("", "flavorkit-flavors-")
		if err != nil {
			return "", errors.Wrap(err, "make a directory for flavors")
		}
		f.dir = dir
	}
	file := filepath.Join(f.dir, src.Flavor+filepath.Ext(specs.DefaultName))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	return file, errors.Wrap(os.WriteFile(file, src.Data, 0o444), "write a flavor for the editor")
}

// source is the flavor of a file; ok is false for any other file.
func (f *flavorFiles) source(path string) (src *specs.Source, ok bool) {
	if !f.has(path) {
		return nil, false
	}
	return f.catalog.Flavor(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
}

// has reports whether a file is that of a flavor.
func (f *flavorFiles) has(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dir != "" && filepath.Dir(path) == f.dir
}

// remove removes the files.
func (f *flavorFiles) remove() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.removed = true
	if f.dir != "" {
		_ = os.RemoveAll(f.dir)
	}
}
