// Package overlay holds the files that make a root filesystem a Kairos one, as
// a plain tree for each set. README.md has a line for every file.
package overlay

import (
	"bytes"
	"embed"
	"io/fs"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
)

//go:embed common systemd openrc dracut mkinitfs iso iso-chain disk-chain disk-reset test
var sets embed.FS

// Files returns the files of sets. A file that begins with #! can be run.
func Files(names ...string) ([]tree.Entry, error) {
	var entries []tree.Entry
	for _, name := range names {
		err := fs.WalkDir(sets, name, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := sets.ReadFile(path)
			if err != nil {
				return err
			}
			entry := tree.File(strings.TrimPrefix(path, name), data)
			if bytes.HasPrefix(data, []byte("#!")) {
				entry.Mode = 0o755
			}
			entries = append(entries, entry)
			return nil
		})
		if err != nil {
			return nil, errors.Wrapf(err, "read the overlay %s", name)
		}
	}
	return entries, nil
}
