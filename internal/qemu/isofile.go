package qemu

import (
	"os"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/iso9660"
	"github.com/pkg/errors"
)

// extract copies one file from an ISO. The name has no leading slash.
func extract(iso, name, to string) error {
	f, err := os.Open(iso)
	if err != nil {
		return err
	}
	defer f.Close()
	// Read the whole image: an ISO that also boots from a USB stick has a partition table, which
	// hides the filesystem around it.
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
