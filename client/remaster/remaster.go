// Package remaster makes an ISO from another one, with another cloud-config and other kernel
// arguments, and with the same system.
package remaster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/solve"
)

// Options say what to change.
type Options struct {
	// Files to add or to replace: contents by path from the root, such as /config.yaml.
	Files map[string][]byte
	// Add and Remove are kernel arguments of all entries of the boot menu. An argument to remove must
	// be there.
	Add, Remove []string
}

// Paths on media of flavorkit and of upstream (contract 3.1).
const (
	systemFile = "/rootfs.squashfs"
	kernelFile = "/boot/kernel"
	initrdFile = "/boot/initrd"
	// ukiFile is on media for trusted boot only.
	ukiFile = "/efiboot.img"
)

// unchanged are the files that a remastered medium has as before.
func unchanged() []string { return []string{systemFile, kernelFile, initrdFile} }

// Remaster writes an ISO, and its checksum beside it as NAME.sha256. Both appear when the ISO has
// been read back, and replace what was there. It needs xorriso, and no root.
func Remaster(ctx context.Context, from, to string, opt Options) error {
	if same(from, to) {
		return errors.Errorf("%s is the ISO to read; name another one to write", to)
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	old, err := openMedium(f)
	if err != nil {
		return errors.Wrap(err, from)
	}
	if info, err := f.Stat(); err != nil || info.Size() < old.size {
		return errors.Errorf("%s is truncated: it has %d bytes of %d", from, info.Size(), old.size)
	}
	files, err := old.changes(opt)
	if err != nil {
		return errors.Wrap(err, from)
	}
	out, err := solve.OutputDir(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer func() { _ = out.Discard() }()
	written := filepath.Join(out.Entry.OutputDir, filepath.Base(to))
	if err := old.write(ctx, from, written, files); err != nil {
		return errors.Wrapf(err, "write %s", to)
	}
	if err := old.verify(ctx, written, files, opt); err != nil {
		return errors.Wrapf(err, "read back %s", to)
	}
	if err := checksum(written); err != nil {
		return errors.Wrapf(err, "write the checksum of %s", to)
	}
	_, err = out.Commit()
	return err
}

// same reports whether two paths are those of one file.
func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// changes returns the files to write, by path, after a look whether the medium is one that can be
// changed.
func (m *medium) changes(opt Options) (map[string][]byte, error) {
	for _, name := range unchanged() {
		_, ok, err := m.find(m.trees[0], name)
		if err != nil {
			return nil, err
		}
		if ok {
			continue
		}
		if _, uki, _ := m.find(m.trees[0], ukiFile); uki {
			return nil, errors.New("it is an ISO for trusted boot, whose kernel arguments are signed; build it again")
		}
		return nil, errors.Errorf("it is not an ISO of Kairos: it has no %s", name)
	}
	files := map[string][]byte{}
	for name, content := range opt.Files {
		files[name] = content
	}
	for _, menu := range menus() {
		p, ok, err := m.find(m.trees[0], menu.path)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if len(opt.Add)+len(opt.Remove) == 0 {
			return files, nil
		}
		text, err := io.ReadAll(m.content(p))
		if err != nil {
			return nil, errors.Wrapf(err, "read %s", menu.path)
		}
		edited, err := menu.edit(string(text), opt.Add, opt.Remove)
		if err != nil {
			return nil, errors.Wrap(err, menu.path)
		}
		files[menu.path] = []byte(edited)
		return files, nil
	}
	return nil, errors.New("it is not an ISO of Kairos: it has no boot menu of GRUB in /boot/grub2")
}

// checksum writes the checksum of a file beside it.
func checksum(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	line := fmt.Sprintf("%x  %s\n", hash.Sum(nil), filepath.Base(name))
	return os.WriteFile(name+".sha256", []byte(line), 0o644)
}

// equal fails if two readers do not have the same bytes.
func equal(a, b io.Reader) error {
	const size = 1 << 20
	x, y := make([]byte, size), make([]byte, size)
	for {
		n, errA := io.ReadFull(a, x)
		k, errB := io.ReadFull(b, y)
		if !bytes.Equal(x[:n], y[:k]) {
			return errors.New("it has changed")
		}
		for _, err := range []error{errA, errB} {
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return err
			}
		}
		if errA != nil {
			return nil
		}
	}
}
