package inspect

import (
	"bytes"
	"context"
	"io"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

const layoutIndex = "index.json"

// readLayout reads an image in an OCI layout: PATH, PATH:TAG or PATH@DIGEST.
func readLayout(ctx context.Context, name string, opt Options) (*Report, error) {
	p, closer, err := openLayout(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return readManifestImage(ctx, p.Image, opt)
}

// openLayout opens an image in an OCI layout.
func openLayout(_ context.Context, name string, opt Options) (*Published, io.Closer, error) {
	dir, reference := splitLayout(name)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	p, err := blobs(func(name string) (*io.SectionReader, io.Closer, error) {
		f, err := root.Open(name)
		if err != nil {
			return nil, nil, err
		}
		info, err := f.Stat()
		if err != nil {
			return nil, nil, err
		}
		return io.NewSectionReader(f, 0, info.Size()), f, nil
	}).find(reference, opt.Arch)
	if err != nil {
		root.Close()
		return nil, nil, err
	}
	p.Put = func(tag string, image v1.Image) error {
		return layout.Path(dir).ReplaceImage(image, match.Name(tag), layout.WithAnnotations(map[string]string{ocispecs.AnnotationRefName: tag}))
	}
	return p, root, nil
}

// splitLayout splits the tag or digest off. A path may have colons too.
func splitLayout(name string) (dir, reference string) {
	if dir, digest, ok := strings.Cut(name, "@"); ok {
		return dir, digest
	}
	if i := strings.LastIndex(name, ":"); i >= 0 && !strings.Contains(name[i:], "/") {
		if _, err := os.Stat(name); err != nil {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// blobs opens a file of an OCI layout.
type blobs func(name string) (*io.SectionReader, io.Closer, error)

// find opens an image of an OCI layout, by tag or digest, or the one for the architecture.
func (open blobs) find(reference, arch string) (*Published, error) {
	data, err := open.readAll(layoutIndex)
	if err != nil {
		return nil, err
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(data))
	if err != nil {
		return nil, errors.Wrap(err, "read index.json")
	}
	all := index.Manifests
	p := &Published{Tagged: func(tag string) (v1.Image, error) {
		found := named(all, tag)
		if len(found) == 0 {
			return nil, nil
		}
		return open.image(found[0].Digest)
	}}
	if reference != "" {
		if index.Manifests = named(all, reference); len(index.Manifests) == 0 {
			return nil, errors.Errorf("the layout has no image %q", reference)
		}
	}
	for {
		d, err := choose(index, arch)
		if err != nil {
			return nil, err
		}
		if p.Digest == (v1.Hash{}) {
			p.Digest, p.Name = d.Digest, nameOf(d)
		}
		if !d.MediaType.IsIndex() {
			if p.Image, err = open.image(d.Digest); err != nil {
				return nil, err
			}
			p.Attestations, err = attestations(index, d.Digest, open.image)
			return p, err
		}
		if data, err = open.readBlob(d.Digest); err != nil {
			return nil, err
		}
		if index, err = v1.ParseIndexManifest(bytes.NewReader(data)); err != nil {
			return nil, errors.Wrapf(err, "read the index %s", d.Digest)
		}
	}
}

// image opens an image by the digest of its manifest.
func (open blobs) image(digest v1.Hash) (v1.Image, error) {
	manifest, err := open.readBlob(digest)
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(&layoutImage{open, manifest})
}

// named are the images with a tag or a digest.
func named(manifests []v1.Descriptor, reference string) []v1.Descriptor {
	var all []v1.Descriptor
	for _, d := range manifests {
		if d.Annotations[ocispecs.AnnotationRefName] == reference || d.Digest.String() == reference {
			all = append(all, d)
		}
	}
	return all
}

func blobPath(digest v1.Hash) string { return path.Join("blobs", digest.Algorithm, digest.Hex) }

func (open blobs) readAll(name string) ([]byte, error) {
	r, closer, err := open(name)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return io.ReadAll(r)
}

// readBlob reads a manifest.
func (open blobs) readBlob(digest v1.Hash) ([]byte, error) {
	data, err := open.readAll(blobPath(digest))
	if err != nil {
		return nil, err
	}
	if is, _, err := v1.SHA256(bytes.NewReader(data)); err != nil || is != digest && digest.Algorithm == is.Algorithm {
		return nil, errors.Errorf("the manifest %s is damaged: its content has the digest %s", digest, is)
	}
	return data, nil
}

// layoutImage is a partial.CompressedImageCore.
type layoutImage struct {
	open     blobs
	manifest []byte
}

func (i *layoutImage) RawManifest() ([]byte, error) { return i.manifest, nil }

func (i *layoutImage) parsed() (*v1.Manifest, error) {
	return v1.ParseManifest(bytes.NewReader(i.manifest))
}

func (i *layoutImage) MediaType() (types.MediaType, error) {
	manifest, err := i.parsed()
	if err != nil {
		return "", err
	}
	return manifest.MediaType, nil
}

func (i *layoutImage) RawConfigFile() ([]byte, error) {
	manifest, err := i.parsed()
	if err != nil {
		return nil, err
	}
	return i.open.readAll(blobPath(manifest.Config.Digest))
}

func (i *layoutImage) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	manifest, err := i.parsed()
	if err != nil {
		return nil, err
	}
	for _, d := range manifest.Layers {
		if d.Digest == digest {
			return layoutLayer{i.open, d}, nil
		}
	}
	return nil, errors.Errorf("there is no layer %s", digest)
}

// layoutLayer is a partial.CompressedLayer.
type layoutLayer struct {
	open       blobs
	descriptor v1.Descriptor
}

func (l layoutLayer) Digest() (v1.Hash, error)            { return l.descriptor.Digest, nil }
func (l layoutLayer) Size() (int64, error)                { return l.descriptor.Size, nil }
func (l layoutLayer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }
func (l layoutLayer) Compressed() (io.ReadCloser, error) {
	r, closer, err := l.open(blobPath(l.descriptor.Digest))
	if err != nil {
		return nil, err
	}
	if r.Size() != l.descriptor.Size {
		closer.Close()
		return nil, errors.Errorf("the layer %s is truncated: it has %d bytes of %d", l.descriptor.Digest, r.Size(), l.descriptor.Size)
	}
	return struct {
		io.Reader
		io.Closer
	}{r, closer}, nil
}
