package inspect

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/pkg/errors"
)

// readArchive reads a tar archive: an OCI layout, an image of docker save, or a root filesystem.
func readArchive(ctx context.Context, path string, opt Options) (*Report, error) {
	f, whole, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	members, err := indexArchive(whole)
	if err != nil {
		return nil, err
	}
	switch {
	case members[layoutIndex] != nil:
		p, err := archiveBlobs(members).find("", opt.Arch)
		if err != nil {
			return nil, err
		}
		return readManifestImage(ctx, p.Image, opt)
	case members["manifest.json"] != nil:
		return readDockerArchive(ctx, path, members, opt)
	}
	system, err := readSystem(ctx, tarTree(func() (io.ReadCloser, error) { return os.Open(path) }), opt)
	return &Report{System: system}, err
}

// openArchive opens the image of an archive.
func openArchive(_ context.Context, path string, opt Options) (*Published, io.Closer, error) {
	f, whole, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	p, err := archiveImage(path, whole, opt.Arch)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return p, f, nil
}

func archiveImage(path string, whole *io.SectionReader, arch string) (*Published, error) {
	members, err := indexArchive(whole)
	if err != nil {
		return nil, err
	}
	switch {
	case members[layoutIndex] != nil:
		return archiveBlobs(members).find("", arch)
	case members["manifest.json"] != nil:
		image, err := tarball.Image(func() (io.ReadCloser, error) { return os.Open(path) }, nil)
		return alone(image), err
	}
	return nil, ErrNoImage
}

// archiveBlobs are the blobs of an OCI layout in an archive.
func archiveBlobs(members map[string]*io.SectionReader) blobs {
	return func(name string) (*io.SectionReader, io.Closer, error) {
		m := members[name]
		if m == nil {
			return nil, nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return io.NewSectionReader(m, 0, m.Size()), io.NopCloser(nil), nil
	}
}

// indexArchive finds the members of an archive.
func indexArchive(whole *io.SectionReader) (map[string]*io.SectionReader, error) {
	members := map[string]*io.SectionReader{}
	for archive := tar.NewReader(whole); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) && ended(whole) {
			return members, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("the archive is truncated")
		}
		if err != nil {
			return nil, err
		}
		// The reader of the archive does not read ahead.
		at, err := whole.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			members[rooted(h.Name)] = io.NewSectionReader(whole, at, h.Size)
		}
	}
}

// ended reports whether an archive ends as it must, with a block of zeros.
func ended(whole *io.SectionReader) bool {
	const block = 512
	last := make([]byte, block)
	_, err := whole.ReadAt(last, whole.Size()-block)
	return err == nil && bytes.Equal(last, make([]byte, block))
}

// readDockerArchive reads an image of docker save. Its layers need not be compressed, and have no
// digests then.
func readDockerArchive(ctx context.Context, path string, members map[string]*io.SectionReader, opt Options) (*Report, error) {
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	manifest, err := tarball.LoadManifest(open)
	if err != nil {
		return nil, err
	}
	if len(manifest) != 1 {
		return nil, errors.Errorf("the archive has %d images; save one", len(manifest))
	}
	var layers []Layer
	for _, name := range manifest[0].Layers {
		if members[rooted(name)] == nil {
			return nil, errors.Errorf("the archive has no layer %s", name)
		}
		layers = append(layers, Layer{Size: members[rooted(name)].Size()})
	}
	image, err := tarball.Image(open, nil)
	if err != nil {
		return nil, err
	}
	return readImage(ctx, image, layers, opt)
}
