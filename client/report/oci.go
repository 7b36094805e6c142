package report

import (
	"archive/tar"
	"encoding/json"
	"io"
	"os"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"
)

// Image is an OCI image of a result.
type Image struct {
	// File is the archive that it was read from.
	File string
	// Platform such as linux/arm64.
	Platform string
	Layers   []Layer
}

// Layer is a layer of an image, the lowest first.
type Layer struct {
	Digest string
	// Size in bytes, compressed.
	Size int64
	// Made says what made it, from the history of the image.
	Made string
}

// jsonLimit is the size in bytes up to which a file of an archive may be a manifest or a
// configuration.
const jsonLimit = 4 << 20

// ReadImages reads the layers of the images in an OCI archive. It returns none for another file.
func ReadImages(file string) ([]Image, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, errors.Wrap(err, "open the image")
	}
	defer f.Close()
	blobs, err := readSmall(f)
	if err != nil {
		return nil, errors.Wrapf(err, "read the image %s", file)
	}
	var images []Image
	err = blobs.walk("index.json", func(m v1.Manifest) error {
		var config v1.ConfigFile
		if err := blobs.read(blob(m.Config.Digest), &config); err != nil {
			return err
		}
		image := Image{File: file}
		if p := config.Platform(); p != nil {
			image.Platform = p.String()
		}
		var made []string
		for _, h := range config.History {
			if !h.EmptyLayer {
				made = append(made, h.CreatedBy)
			}
		}
		for i, l := range m.Layers {
			layer := Layer{Digest: l.Digest.String(), Size: l.Size}
			if i < len(made) {
				layer.Made = made[i]
			}
			image.Layers = append(image.Layers, layer)
		}
		images = append(images, image)
		return nil
	})
	return images, errors.Wrapf(err, "read the image %s", file)
}

// archive has the small files of an archive, by path.
type archive map[string][]byte

func readSmall(r io.Reader) (archive, error) {
	files := archive{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg || h.Size > jsonLimit {
			continue
		}
		if files[path.Clean(h.Name)], err = io.ReadAll(tr); err != nil {
			return nil, err
		}
	}
}

func blob(d v1.Hash) string { return path.Join("blobs", d.Algorithm, d.Hex) }

func (a archive) read(name string, into any) error {
	data, ok := a[name]
	if !ok {
		return errors.Errorf("it has no file %s", name)
	}
	return errors.Wrapf(json.Unmarshal(data, into), "read %s", name)
}

// walk calls do for every image of an index. Attestations are none.
func (a archive) walk(index string, do func(v1.Manifest) error) error {
	var all v1.IndexManifest
	if err := a.read(index, &all); err != nil {
		return err
	}
	for _, d := range all.Manifests {
		if p := d.Platform; p != nil && p.OS == "unknown" {
			continue
		}
		if d.MediaType.IsIndex() {
			if err := a.walk(blob(d.Digest), do); err != nil {
				return err
			}
			continue
		}
		var m v1.Manifest
		if err := a.read(blob(d.Digest), &m); err != nil {
			return err
		}
		if err := do(m); err != nil {
			return err
		}
	}
	return nil
}
