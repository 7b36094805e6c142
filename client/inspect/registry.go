package inspect

import (
	"context"
	"io"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// readRegistry reads an image in a registry.
func readRegistry(ctx context.Context, name string, opt Options) (*Report, error) {
	image, _, err := openRegistry(ctx, name, opt.Arch)
	if err != nil {
		return nil, err
	}
	return readManifestImage(ctx, image, opt)
}

// openRegistry opens an image in a registry, with the credentials of docker login.
func openRegistry(ctx context.Context, image, arch string) (v1.Image, io.Closer, error) {
	nothing := io.NopCloser(nil)
	ref, err := name.ParseReference(image)
	if err != nil {
		return nil, nil, err
	}
	found, err := remote.Get(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return nil, nil, err
	}
	if !found.MediaType.IsIndex() {
		only, err := found.Image()
		return only, nothing, err
	}
	index, err := found.ImageIndex()
	if err != nil {
		return nil, nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, nil, err
	}
	d, err := choose(manifest, arch)
	if err != nil {
		return nil, nil, err
	}
	chosen, err := index.Image(d.Digest)
	return chosen, nothing, err
}
