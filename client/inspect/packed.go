package inspect

import (
	"bytes"
	"context"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/pkg/errors"
	"github.com/ulikunitz/xz"
)

// unpacker reads what is in a compressed file.
type unpacker func(io.Reader) (io.Reader, func(), error)

func unzstd(r io.Reader) (io.Reader, func(), error) {
	z, err := zstd.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

func unxz(r io.Reader) (io.Reader, func(), error) {
	x, err := xz.NewReader(r)
	return x, func() {}, err
}

// IsPacked reports whether a name leads to a compressed file, which takes a while to unpack.
func IsPacked(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	head, err := readHead(name)
	if err != nil {
		return false
	}
	f, ok := formatOf(head)
	return ok && f.packed
}

// readPacked reads what is in a compressed file, from a temporary file.
func readPacked(unpack unpacker) reader {
	return func(ctx context.Context, path string, opt Options) (*Report, error) {
		temp, err := unpacked(ctx, path, unpack)
		if err != nil {
			return nil, errors.Wrap(err, "unpack it")
		}
		defer os.Remove(temp)
		head, err := readHead(temp)
		if err != nil {
			return nil, err
		}
		f, ok := formatOf(head)
		switch {
		case !ok || f.packed:
			return nil, errors.New("what is in it is no ISO, disk or filesystem")
		case f.read == nil:
			return nil, errors.Errorf("what is in it is %s; %s", f.name, f.hint)
		}
		r, err := f.read(ctx, temp, opt)
		return r, errors.Wrapf(err, "read the %s in it", f.name)
	}
}

// unpacked writes what is in a compressed file to a temporary one, with holes for zeros, of which a
// disk has many. The caller removes it.
func unpacked(ctx context.Context, path string, unpack unpacker) (temp string, err error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	content, end, err := unpack(in)
	if err != nil {
		return "", err
	}
	defer end()
	out, err := os.CreateTemp("", "flavorkit-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
		if err != nil {
			_ = os.Remove(out.Name())
		}
	}()
	return out.Name(), copySparse(ctx, out, content)
}

// copySparse copies to an empty file.
func copySparse(ctx context.Context, to *os.File, from io.Reader) error {
	const size = 64 << 10
	block, zeros := make([]byte, size), make([]byte, size)
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := from.Read(block)
		if !bytes.Equal(block[:n], zeros[:n]) {
			if _, err := to.WriteAt(block[:n], at); err != nil {
				return err
			}
		}
		at += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return to.Truncate(at)
		case err != nil:
			return err
		}
	}
}
