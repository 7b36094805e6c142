package bundle

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

// layout is a directory with an OCI layout.
type layout string

// blob is the path of a blob.
func (l layout) blob(d digest.Digest) string {
	return filepath.Join(string(l), ocispecs.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
}

// add writes a blob in one step.
func (l layout) add(mediaType string, write func(io.Writer) error) (ocispecs.Descriptor, error) {
	dir := filepath.Dir(l.blob(digest.FromBytes(nil)))
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return ocispecs.Descriptor{}, err
	}
	defer os.Remove(f.Name()) // no longer there after a success
	sum := digest.SHA256.Digester()
	if err = write(io.MultiWriter(f, sum.Hash())); err == nil {
		err = f.Chmod(0o644)
	}
	size, e := f.Seek(0, io.SeekCurrent)
	for _, e := range []error{e, f.Close()} {
		if err == nil {
			err = e
		}
	}
	if err != nil {
		return ocispecs.Descriptor{}, err
	}
	d := ocispecs.Descriptor{MediaType: mediaType, Digest: sum.Digest(), Size: size}
	return d, os.Rename(f.Name(), l.blob(d.Digest))
}

// addJSON writes a value as a blob.
func (l layout) addJSON(mediaType string, value any) (ocispecs.Descriptor, error) {
	return l.add(mediaType, func(w io.Writer) error { return json.NewEncoder(w).Encode(value) })
}

// addDir writes a directory as an image, which BuildKit takes in place of the directory.
func (l layout) addDir(ctx context.Context, dir string) (ocispecs.Descriptor, error) {
	layer, err := l.add(ocispecs.MediaTypeImageLayer, func(w io.Writer) error { return pack(ctx, dir, w) })
	if err != nil {
		return layer, err
	}
	config, err := l.addJSON(ocispecs.MediaTypeImageConfig, ocispecs.Image{
		Platform: ocispecs.Platform{OS: "linux"}, // the files are for all architectures
		RootFS:   ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.Digest}},
	})
	if err != nil {
		return config, err
	}
	return l.addJSON(ocispecs.MediaTypeImageManifest, ocispecs.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageManifest,
		Config: config, Layers: []ocispecs.Descriptor{layer},
	})
}

// takeDir unpacks a directory that addDir has added into an empty one.
func (l layout) takeDir(ctx context.Context, d digest.Digest, to string) error {
	data, err := l.read(d)
	if err != nil {
		return err
	}
	var m ocispecs.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return errors.Wrapf(err, "read %s", d)
	}
	for _, layer := range m.Layers {
		f, err := os.Open(l.blob(layer.Digest))
		if err != nil {
			return err
		}
		err = unpack(ctx, f, to)
		_ = f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// read returns a small blob, and checks that it is the one that was meant.
func (l layout) read(d digest.Digest) ([]byte, error) {
	data, err := os.ReadFile(l.blob(d))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, errors.Errorf("it lacks %s", d)
	case err == nil && digest.FromBytes(data) != d:
		return nil, damaged(d)
	}
	return data, err
}

// check reads all blobs, and compares them with their names.
func (l layout) check(ctx context.Context) error {
	dir := filepath.Dir(l.blob(digest.FromBytes(nil)))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		d := digest.NewDigestFromEncoded(digest.SHA256, e.Name())
		if err := d.Validate(); err != nil {
			return errors.Errorf("%s is none of its files", e.Name())
		}
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		actual, err := digest.FromReader(f)
		_ = f.Close()
		if err != nil {
			return err
		}
		if actual != d {
			return damaged(d)
		}
	}
	return nil
}

func damaged(d digest.Digest) error {
	return errors.Errorf("%s/%s/%s has other bytes than its name says", ocispecs.ImageBlobsDir, d.Algorithm(), d.Encoded())
}
