package inspect

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/pkg/errors"
)

// Image is an OCI image.
type Image struct {
	// Digest of the manifest; empty if the archive has none.
	Digest string `json:"digest,omitempty"`
	// Platform, such as linux/arm64.
	Platform string            `json:"platform"`
	Created  time.Time         `json:"created"`
	Labels   map[string]string `json:"labels"`
	// Layers are in the order of the image, the lowest first.
	Layers []Layer `json:"layers"`
}

// Layer is a layer of an image.
type Layer struct {
	// DiffID is the digest of the unpacked layer.
	DiffID string `json:"diffID"`
	// Digest of the layer as it is stored; empty if the archive has none.
	Digest string `json:"digest,omitempty"`
	// Size in bytes, as it is stored: in a registry, what a machine pulls.
	Size int64 `json:"size"`
	// CreatedBy is the step of the build.
	CreatedBy string `json:"createdBy,omitempty"`
}

// Size is that of all layers, as they are stored.
func (i *Image) Size() (bytes int64) {
	for _, l := range i.Layers {
		bytes += l.Size
	}
	return bytes
}

// readImage reads an image. Its layers are only known by their configuration.
func readImage(ctx context.Context, image v1.Image, layers []Layer, opt Options) (*Report, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, errors.Wrap(err, "read the configuration of the image")
	}
	if len(config.RootFS.DiffIDs) != len(layers) {
		return nil, errors.Errorf("the image has %d layers, and its configuration %d", len(layers), len(config.RootFS.DiffIDs))
	}
	history := slices.DeleteFunc(slices.Clone(config.History), func(h v1.History) bool { return h.EmptyLayer })
	for i, id := range config.RootFS.DiffIDs {
		layers[i].DiffID = id.String()
		if len(history) == len(layers) {
			layers[i].CreatedBy = history[i].CreatedBy
		}
	}
	platform := v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}
	labels := map[string]string{}
	maps.Copy(labels, config.Config.Labels)
	found := &Image{Platform: platform.String(), Created: config.Created.Time, Labels: labels, Layers: layers}
	system, err := readSystem(ctx, imageTree(image), opt)
	return &Report{Image: found, System: system}, err
}

// imageTree are the files of an image.
func imageTree(image v1.Image) tree {
	return tarTree(func() (io.ReadCloser, error) { return mutate.Extract(image), nil })
}

// readManifestImage reads an image that has a manifest.
func readManifestImage(ctx context.Context, image v1.Image, opt Options) (*Report, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return nil, errors.Wrap(err, "read the manifest of the image")
	}
	var layers []Layer
	for _, l := range manifest.Layers {
		layers = append(layers, Layer{Digest: l.Digest.String(), Size: l.Size})
	}
	r, err := readImage(ctx, image, layers, opt)
	if err != nil {
		return nil, err
	}
	digest, err := image.Digest()
	r.Image.Digest = digest.String()
	return r, err
}

// choose chooses one of the images of an index: that for the architecture, or else the only one.
func choose(index *v1.IndexManifest, arch string) (v1.Descriptor, error) {
	var images []v1.Descriptor
	var archs []string
	for _, d := range index.Manifests {
		// BuildKit adds provenance for each image, as an image for an unknown platform.
		if d.Annotations[referenceType] != "" || IsSignature(d) || d.Platform != nil && d.Platform.OS == "unknown" {
			continue
		}
		images = append(images, d)
		if d.Platform == nil {
			continue
		}
		if d.Platform.Architecture == arch {
			return d, nil
		}
		archs = append(archs, d.Platform.Architecture)
	}
	switch len(images) {
	case 0:
		return v1.Descriptor{}, errors.New("there is no image")
	case 1:
		return images[0], nil
	}
	none := ""
	if arch != "" {
		none = " and none for " + arch
	}
	return v1.Descriptor{}, errors.Errorf("there are %d images%s; choose one by its architecture: %s", len(images), none, strings.Join(archs, ", "))
}
