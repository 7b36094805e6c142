package qemu

import (
	"os"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/iso9660"
	"github.com/pkg/errors"
)

// extract copies one file out of an ISO. The name has no leading slash.
func extract(iso, name, to string) error {
	f, err := os.Open(iso)
	if err != nil {
		return err
	}
	defer f.Close()
	// Read directly: an ISO that also boots from a stick has a partition table, and a look at that would miss the
	// file system around it.
	fs, err := iso9660.Read(file.New(f, true), 0, 0, 0)
	if err != nil {
		return errors.Wrapf(err, "reading %s", iso)
	}
	in, err := fs.Open(name)
	if err != nil {
		return errors.Wrapf(err, "reading %s", iso)
	}
	defer in.Close()
	return writeFrom(to, in)
}
