package frontend

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
)

// Blobs implements graph.Sources.
func (s *sources) Blobs(ctx context.Context, stage graph.Stage, ref string) (graph.Blobs, error) {
	found := graph.Blobs{Files: map[digest.Digest]llb.State{}}
	if err := s.request.readsBlobs("container images in a system"); err != nil {
		return found, err
	}
	from, ok, err := s.blobsOf(ctx, ref, stage.Platform())
	switch {
	case err != nil:
		return found, err
	case !ok:
		return found, errors.Errorf("a directory replaces the image %s; pass an image", ref)
	}
	found.Root, err = from.walk(ctx, s.request.inputs, ref, stage.Platform(), func(d digest.Digest) llb.State {
		if _, ok := found.Files[d]; !ok {
			found.Files[d] = stage.Blob(from.state, "download the image "+ref, d)
		}
		return found.Files[d]
	})
	return found, errors.Wrapf(err, "read the image %s", ref)
}

// errNoPlatform is that an image is for other platforms. A named context may be for one of several.
var errNoPlatform = errors.New("is not among its platforms")

// blobs are those of an image in a registry or in an OCI layout of the client.
type blobs struct {
	root  digest.Digest
	state func(d digest.Digest, opts ...llb.ImageBlobOption) llb.State
}

// blobsOf finds an image, or the named context that replaces it. ok is false for one that is no image.
func (s *sources) blobsOf(ctx context.Context, name string, platform ocispecs.Platform) (from blobs, ok bool, err error) {
	opts := s.request.ui.BuildOpts().Opts
	id := ContextKey(name)
	value := cmp.Or(opts["context:"+id+"::"+platforms.FormatAll(platforms.Normalize(platform))], opts["context:"+id])
	kind, rest, _ := strings.Cut(value, ":")
	ref := s.plan.MirroredImage(name)
	switch kind {
	case "oci-layout":
		layout, root, err := s.request.layout(value)
		return blobs{root, layout.Blob}, err == nil, err
	case "":
		img, err := s.image(ctx, name, platform)
		if err != nil {
			return blobs{}, false, err
		}
		from.root = img.digest
	case "docker-image":
		ref = strings.TrimPrefix(rest, "//")
		img, err := s.resolve(ctx, ref, platform)
		if err != nil {
			return blobs{}, false, err
		}
		from.root = img.digest
	default:
		return blobs{}, false, nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return blobs{}, false, err
	}
	repository := reference.TrimNamed(named).Name()
	from.state = func(d digest.Digest, opts ...llb.ImageBlobOption) llb.State {
		return llb.ImageBlob(repository+"@"+d.String(), opts...)
	}
	return from, true, nil
}

// walk adds all blobs of an image for a platform. Those of other platforms stay out, also if an index
// names them.
func (b blobs) walk(ctx context.Context, in *inputs, name string, platform ocispecs.Platform, add func(digest.Digest) llb.State) (ocispecs.Descriptor, error) {
	read := func(d digest.Digest, into any) (int64, error) {
		ref, err := in.solve(ctx, add(d))
		if err != nil {
			return 0, err
		}
		data, err := dir{ref}.ReadFile(ctx, d.Encoded())
		if err != nil {
			return 0, err
		}
		return int64(len(data)), errors.Wrapf(json.Unmarshal(data, into), "read %s", d)
	}
	var root ocispecs.Descriptor
	for d := b.root; ; {
		var m struct {
			MediaType string                `json:"mediaType"`
			Manifests []ocispecs.Descriptor `json:"manifests"`
			ocispecs.Manifest
		}
		size, err := read(d, &m)
		if err != nil {
			return root, err
		}
		if root.Digest == "" {
			kind := ocispecs.MediaTypeImageManifest
			if len(m.Manifests) > 0 {
				kind = ocispecs.MediaTypeImageIndex
			}
			root = ocispecs.Descriptor{MediaType: cmp.Or(m.MediaType, kind), Digest: d, Size: size}
		}
		if len(m.Manifests) == 0 {
			add(m.Config.Digest)
			for _, layer := range m.Layers {
				add(layer.Digest)
			}
			return root, nil
		}
		matching := platforms.Only(platform)
		fits := slices.DeleteFunc(m.Manifests, func(d ocispecs.Descriptor) bool { return d.Platform != nil && !matching.Match(*d.Platform) })
		if len(fits) == 0 {
			return root, errors.Wrapf(errNoPlatform, "%s: %s", name, platforms.Format(platform))
		}
		slices.SortStableFunc(fits, func(a, b ocispecs.Descriptor) int {
			switch {
			case a.Platform == nil || b.Platform == nil:
				return 0
			case matching.Less(*a.Platform, *b.Platform):
				return -1
			case matching.Less(*b.Platform, *a.Platform):
				return 1
			}
			return 0
		})
		d = fits[0].Digest
	}
}
