package inspect

import (
	"context"
	"io"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
)

// Published is an image with what is stored beside it.
type Published struct {
	// Name of the image without tag and digest, as a registry or an index calls it; empty if neither does.
	Name  string
	Image v1.Image
	// Digest is that of what the name leads to: of the image, or of the index that it is in. It is zero
	// for an archive of docker save.
	Digest v1.Hash
	// Attestations have an in-toto statement in each of their layers.
	Attestations []v1.Image
	// Tagged finds another image by its tag, such as the signatures of this one; nil if there is none.
	Tagged func(tag string) (v1.Image, error)
	// Put stores another image with a tag. It is nil where nothing can be added.
	Put func(tag string, image v1.Image) error
}

// alone is an image with nothing beside it.
func alone(image v1.Image) *Published {
	return &Published{Image: image, Tagged: func(string) (v1.Image, error) { return nil, nil }}
}

// Open opens an image, which is named as for Read, with what is stored beside it. The closer ends what
// it is read from.
func Open(ctx context.Context, name string, opt Options) (*Published, io.Closer, error) {
	s, err := find(name)
	if err != nil {
		return nil, nil, err
	}
	if s.open == nil {
		return nil, nil, errors.Errorf("%s is no image: its format is %s", name, s.format)
	}
	p, closer, err := s.open(ctx, s.path, opt)
	return p, closer, errors.Wrapf(err, "read %s as %s", s.path, s.format)
}

// ErrNoImage is the cause that an archive has no image in it.
var ErrNoImage = errors.New("there is no image in it")

// IsImage reports whether a name leads to an image.
func IsImage(name string) bool {
	s, err := find(name)
	return err == nil && s.open != nil
}

// InRegistry reports whether a name leads to an image in a registry.
func InRegistry(name string) bool {
	s, err := find(name)
	return err == nil && s.format == registryFormat
}

// ImagePackages reads the packages of an image from the database in it.
func ImagePackages(ctx context.Context, image v1.Image) (pkgdb.System, error) {
	system, err := readSystem(ctx, imageTree(image), Options{})
	if err != nil {
		return pkgdb.System{}, err
	}
	return system.found, system.notFound
}

// Annotations of what BuildKit adds to an image (docs/attestations/attestation-storage.md).
const (
	referenceType   = "vnd.docker.reference.type"
	referenceDigest = "vnd.docker.reference.digest"
	attestationType = "attestation-manifest"
)

// attestations are those of an image in an index.
func attestations(index *v1.IndexManifest, digest v1.Hash, open func(v1.Hash) (v1.Image, error)) ([]v1.Image, error) {
	var all []v1.Image
	for _, d := range index.Manifests {
		if d.Annotations[referenceType] != attestationType || d.Annotations[referenceDigest] != digest.String() {
			continue
		}
		image, err := open(d.Digest)
		if err != nil {
			return nil, errors.Wrap(err, "read the attestations")
		}
		all = append(all, image)
	}
	return all, nil
}

// IsSignature reports whether an entry of an index has the signatures of another one.
func IsSignature(d v1.Descriptor) bool {
	tag := d.Annotations[ocispecs.AnnotationRefName]
	return strings.HasPrefix(tag, "sha256-") && strings.HasSuffix(tag, ".sig")
}

// nameOf is the name of an image in an index, if it has one (containerd writes it).
func nameOf(d v1.Descriptor) string {
	ref, err := name.ParseReference(d.Annotations["io.containerd.image.name"])
	if err != nil {
		return ""
	}
	return ref.Context().Name()
}
