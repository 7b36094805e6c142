// Package registry is a small container registry for development and tests. It replaces a registry,
// or a mirror of one, that the machine cannot reach.
package registry

import (
	"context"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/pkg/errors"
)

// Handler serves a registry with blobs in dir. Manifests are in memory: after a restart, images
// must be pushed again, which is fast because the blobs are there.
func Handler(dir string) http.Handler {
	return registry.New(
		registry.WithBlobHandler(registry.NewDiskBlobHandler(dir)),
		registry.Logger(log.New(io.Discard, "", 0)),
	)
}

// PushLayout pushes the image in an OCI layout to the registry at addr, under the path and tag of
// ref. The host in ref does not matter: docker.io/library/debian:12-slim becomes
// addr/library/debian:12-slim, where a mirror of docker.io is asked for it. It returns that name
// with the digest.
func PushLayout(ctx context.Context, addr, dir, ref string) (string, error) {
	target, err := Mirrored(addr, ref)
	if err != nil {
		return "", err
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return "", errors.Wrapf(err, "reading the OCI layout %s", dir)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", errors.Wrapf(err, "reading the index of %s", dir)
	}
	if len(manifest.Manifests) != 1 {
		return push(ctx, target, index)
	}
	only := manifest.Manifests[0]
	if only.MediaType.IsIndex() {
		nested, err := index.ImageIndex(only.Digest)
		if err != nil {
			return "", errors.Wrapf(err, "reading %s from %s", only.Digest, dir)
		}
		return push(ctx, target, nested)
	}
	image, err := index.Image(only.Digest)
	if err != nil {
		return "", errors.Wrapf(err, "reading %s from %s", only.Digest, dir)
	}
	return push(ctx, target, image)
}

// Mirrored is the name that ref has on a mirror at addr.
func Mirrored(addr, ref string) (name.Tag, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return name.Tag{}, errors.Wrapf(err, "image name %q", ref)
	}
	if _, ok := named.(reference.Digested); ok {
		return name.Tag{}, errors.Errorf("image name %q: push to a tag, not to a digest", ref)
	}
	path := strings.TrimPrefix(reference.TagNameOnly(named).String(), reference.Domain(named)+"/")
	return name.NewTag(addr+"/"+path, name.Insecure)
}

func push(ctx context.Context, target name.Tag, content remote.Taggable) (string, error) {
	options := remote.WithContext(ctx)
	var err error
	var digest v1.Hash
	switch content := content.(type) {
	case v1.ImageIndex:
		if digest, err = content.Digest(); err == nil {
			err = remote.WriteIndex(target, content, options)
		}
	case v1.Image:
		if digest, err = content.Digest(); err == nil {
			err = remote.Write(target, content, options)
		}
	}
	if err != nil {
		return "", errors.Wrapf(err, "pushing %s", target)
	}
	return target.Digest(digest.String()).String(), nil
}
