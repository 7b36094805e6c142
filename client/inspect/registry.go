package inspect

import (
	"context"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// readRegistry reads an image in a registry, with the credentials of docker login.
func readRegistry(ctx context.Context, image string, opt Options) (*Report, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return nil, err
	}
	found, err := remote.Get(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return nil, err
	}
	if !found.MediaType.IsIndex() {
		only, err := found.Image()
		if err != nil {
			return nil, err
		}
		return readManifestImage(ctx, only, opt)
	}
	index, err := found.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	d, err := choose(manifest, opt.Arch)
	if err != nil {
		return nil, err
	}
	chosen, err := index.Image(d.Digest)
	if err != nil {
		return nil, err
	}
	return readManifestImage(ctx, chosen, opt)
}
