// Package built reads what is inside built images, without a BuildKit.
package built

import (
	"archive/tar"
	"bytes"
	stderrors "errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/pkg/errors"
)

// wants picks a file by its path, which has no leading slash, and the first bytes of its content.
type wants func(name string, head []byte) bool

// headSize is the number of bytes that wants gets, if the file has as many.
const headSize = 4

// unpack writes the files that are wanted of an image into a directory, with the paths that they have
// in the root filesystem, and returns the configuration of the image. The image is an OCI layout:
// a directory or an archive. arch is its architecture as Go names it; empty means the only one.
// Links are left out.
func unpack(file, arch, dir string, want wants) (*v1.ConfigFile, error) {
	store, remove, err := open(file)
	if err != nil {
		return nil, err
	}
	defer remove()
	image, err := find(store, arch)
	if err != nil {
		return nil, errors.Wrapf(err, "read the image %s", file)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, errors.Wrapf(err, "read the image %s", file)
	}
	root := mutate.Extract(image)
	defer root.Close()
	err = write(root, dir, want)
	if err == nil {
		// A failure comes after the end of the archive (mutate.Extract).
		_, err = io.Copy(io.Discard, root)
	}
	return config, errors.Wrapf(err, "read the layers of the image %s", file)
}

// IsImage reports whether a path is that of an image: an OCI layout, as a directory or an archive.
func IsImage(file string) bool {
	if _, err := os.Stat(path.Join(file, "oci-layout")); err == nil {
		return true
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, 5)
	_, err = f.ReadAt(magic, 257)
	return err == nil && string(magic) == "ustar" // POSIX, pax, ustar Interchange Format
}

// open returns a directory with the layout. remove removes it again if it was made of an archive.
func open(file string) (dir string, remove func(), err error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", nil, err
	}
	if info.IsDir() {
		return file, func() {}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	if dir, err = os.MkdirTemp("", "flavorkit-"); err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	if err := write(f, dir, func(string, []byte) bool { return true }); err != nil {
		remove()
		return "", nil, errors.Wrapf(err, "read the archive %s", file)
	}
	return dir, remove, nil
}

// write writes the files of an archive that are wanted into a directory, and none outside of it.
func write(archive io.Reader, dir string, want wants) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if h.Typeflag != tar.TypeReg || name == "" {
			continue
		}
		head := make([]byte, min(h.Size, headSize))
		if _, err := io.ReadFull(r, head); err != nil {
			return err
		}
		if !want(name, head) {
			continue
		}
		if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
			return err
		}
		f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, io.MultiReader(bytes.NewReader(head), r))
		if err := stderrors.Join(err, f.Close()); err != nil {
			return errors.Wrapf(err, "take %s", name)
		}
	}
}

// find finds the image of an architecture in a layout.
func find(dir, arch string) (v1.Image, error) {
	if _, err := os.Stat(path.Join(dir, "index.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it is no OCI layout; write one with -o type=oci,dest=image.tar")
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	images, err := imagesOf(index)
	if err != nil {
		return nil, err
	}
	var archs []string
	var found v1.Image
	for _, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		if arch == "" || config.Architecture == arch {
			archs, found = append(archs, config.Architecture), image
		}
	}
	switch {
	case len(archs) == 0:
		return nil, errors.Errorf("it has no image for %s", arch)
	case len(archs) > 1:
		return nil, errors.Errorf("it has several images, for %s; choose one with --platform", strings.Join(archs, ", "))
	default:
		return found, nil
	}
}

// imagesOf returns all images of an index except attestations, which are for no platform.
func imagesOf(index v1.ImageIndex) ([]v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var all []v1.Image
	for _, m := range manifest.Manifests {
		switch {
		case m.MediaType.IsIndex():
			inner, err := index.ImageIndex(m.Digest)
			if err != nil {
				return nil, err
			}
			more, err := imagesOf(inner)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		case m.MediaType.IsImage() && (m.Platform == nil || m.Platform.OS != "unknown"):
			image, err := index.Image(m.Digest)
			if err != nil {
				return nil, err
			}
			all = append(all, image)
		}
	}
	return all, nil
}
