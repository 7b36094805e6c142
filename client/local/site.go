package local

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

// SiteFile is where people keep the specs.Site of their network; empty without a home directory.
func SiteFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "flavorkit", "config.yaml")
}

// ReadSite reads the specs.Site of a network. The source is nil when there is no SiteFile, which
// need not exist, and for no file at all.
func ReadSite(file string) (*specs.Source, specs.Site, error) {
	var s specs.Site
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && file == SiteFile() || file == "" {
		return nil, s, nil
	}
	if err != nil {
		return nil, s, errors.Wrap(err, "read the configuration")
	}
	src := &specs.Source{Name: file, Data: data}
	_, err = specs.Read(src, &s)
	return src, s, err
}
