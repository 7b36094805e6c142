package qemu

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
)

// setup is everything that must exist before QEMU starts.
type setup struct {
	options Options
	qemu    string
	accel   Accel
	reason  string
	// dir has the private files, and is removed with the VM.
	dir    string
	launch launch
}

// prepare checks the options, finds programs and files, and makes private copies. The caller
// removes dir.
func prepare(ctx context.Context, o Options) (*setup, error) {
	o, err := o.resolve()
	if err != nil {
		return nil, errors.Wrap(err, "virtual machine")
	}
	for _, path := range append([]string{o.ISO, o.Kernel, o.Initrd}, diskPaths(o.Disks)...) {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return nil, errors.Wrap(err, "virtual machine")
		}
	}
	qemu, err := findQEMU(o.Arch)
	if err != nil {
		return nil, err
	}
	s := &setup{options: o, qemu: qemu}
	if o.Firmware == UEFI || o.Firmware == SecureBoot {
		f, err := findFirmware(o.Arch, o.Firmware)
		if err != nil {
			return nil, err
		}
		s.launch.firmware = &f
	}
	s.accel, s.reason = Accelerator(ctx, o)
	s.launch.accel = s.accel

	s.dir, err = os.MkdirTemp(o.TempDir, "vm-")
	if err != nil {
		return nil, errors.Wrap(err, "virtual machine")
	}
	if err := s.privateFiles(); err != nil {
		s.remove()
		return nil, errors.Wrap(err, "virtual machine")
	}
	return s, nil
}

func diskPaths(disks []Disk) []string {
	var paths []string
	for _, d := range disks {
		paths = append(paths, d.Path)
	}
	return paths
}

// privateFiles makes the variable store and blank disks. QEMU itself stores the changes of scratch
// disks in the private directory.
func (s *setup) privateFiles() error {
	if f := s.launch.firmware; f != nil {
		s.launch.vars = filepath.Join(s.dir, "vars")
		if err := copyFile(s.launch.vars, f.vars); err != nil {
			return err
		}
	}
	for i, d := range s.options.Disks {
		disk := launchDisk{Disk: d, blank: d.Path == ""}
		if disk.blank {
			disk.Path = filepath.Join(s.dir, diskName(i))
			if err := writeBlank(disk.Path, int64(d.SizeMiB)<<20); err != nil {
				return err
			}
		}
		s.launch.disks = append(s.launch.disks, disk)
		s.launch.paused = s.launch.paused || disk.grows()
	}
	return nil
}

func (s *setup) remove() { _ = os.RemoveAll(s.dir) }

func writeBlank(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// copyFile makes a writable copy.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return writeFrom(to, in)
}

func writeFrom(to string, in io.Reader) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return errors.Wrapf(err, "writing %s", to)
	}
	return out.Close()
}
