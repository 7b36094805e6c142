package catalog

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
)

// Overlays are the files that make a root filesystem a Kairos one, and files of artifacts: sets of
// files, by path.
type Overlays map[string]map[string]tree.Entry

// Files returns the files of sets. If several sets have a file, the last wins.
func (o Overlays) Files(names ...string) ([]tree.Entry, error) {
	files := map[string]tree.Entry{}
	for _, name := range names {
		set, ok := o[name]
		if !ok {
			return nil, errors.Errorf("the catalog has no overlay %s", name)
		}
		for path, e := range set {
			files[path] = e
		}
	}
	var entries []tree.Entry
	for _, path := range Names(files) {
		entries = append(entries, files[path])
	}
	return entries, nil
}

// Overlays returns all sets.
func (c *Catalog) Overlays() Overlays { return c.overlays }

// readOverlays reads the sets of a layer. A file that begins with #! is executable.
func (l *loader) readOverlays(layer Layer, sets Overlays) error {
	return l.walk(layer, overlayDir, func(file string, data []byte) {
		name, path, ok := strings.Cut(strings.TrimPrefix(file, overlayDir+"/"), "/")
		if !ok {
			return // it is about the sets, and in none
		}
		entry := tree.File("/"+path, slices.Clone(data))
		if bytes.HasPrefix(data, []byte("#!")) {
			entry.Mode = 0o755
		}
		if sets[name] == nil {
			sets[name] = map[string]tree.Entry{}
		}
		sets[name][entry.Path] = entry
	})
}
