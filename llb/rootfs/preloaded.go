package rootfs

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	specsv1 "github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

//go:embed preloaded.sh
var preloadedScript []byte

// imageName is the annotation by which containerd names an image that it imports (images/archive,
// WithImageRefTranslator; github.com/containerd/containerd, core/images/annotations.go).
const imageName = "io.containerd.image.name"

// preloadedImages returns the layers with the container images of the spec, in its order.
func preloadedImages(ctx context.Context, g *graph.Graph, p *plan.Plan) ([]llb.State, error) {
	var layers []llb.State
	for i := range p.Preloaded {
		s := g.Stage(fmt.Sprintf("images/%d", i), p.At(key.Images.Item(i)))
		layer, err := preload(ctx, g, s, p, i)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	return layers, nil
}

// preload writes the archive of an image: its blobs as the registry has them, so nothing is unpacked or
// compressed.
func preload(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, i int) (llb.State, error) {
	image := p.Preloaded[i]
	blobs, err := s.Blobs(ctx, image.Image)
	if err != nil {
		return llb.State{}, err
	}
	layout, err := layoutFiles(image.Image, blobs.Root)
	if err != nil {
		return llb.State{}, err
	}
	var files []llb.State
	for _, d := range slices.Sorted(maps.Keys(blobs.Files)) {
		if d.Algorithm() != digest.SHA256 {
			return llb.State{}, p.Diagnose(rules.UnsupportedChoice, key.Images.Item(i), "push the image again with digests of sha256", "the image %s has the digest %s", image.Image, d)
		}
		files = append(files, blobs.Files[d])
	}
	pack := s.On(g.Build)
	tools, err := pack.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	const in, described = graph.ScriptDir + "/in", graph.ScriptDir + "/layout"
	return pack.Run(tools, graph.Command{
		Title:  "write the archive of " + image.Image,
		Script: graph.Script{Name: "preloaded.sh", Text: preloadedScript},
		Args:   []string{"/out", image.Path, in, described},
		Env:    g.EpochEnv(),
		Mounts: []llb.RunOption{
			llb.AddMount(in, g.Merge(pack, "collect the blobs of "+image.Image, append([]llb.State{llb.Scratch()}, files...)...), llb.Readonly),
			llb.AddMount(described, pack.Tree(llb.Scratch(), "describe the archive of "+image.Image, layout), llb.Readonly),
		},
	}).AddMount("/out", llb.Scratch()), nil
}

// layoutFiles are those of an OCI layout beside the blobs (image-spec, image-layout.md).
func layoutFiles(ref string, root ocispecs.Descriptor) ([]tree.Entry, error) {
	names, err := importNames(ref)
	if err != nil {
		return nil, err
	}
	index := ocispecs.Index{Versioned: specsv1.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageIndex}
	for _, name := range names {
		named := root
		named.Annotations = map[string]string{imageName: name}
		index.Manifests = append(index.Manifests, named)
	}
	text, err := json.Marshal(index)
	if err != nil {
		return nil, err
	}
	version, err := json.Marshal(ocispecs.ImageLayout{Version: ocispecs.ImageLayoutVersion})
	if err != nil {
		return nil, err
	}
	return []tree.Entry{tree.File("/"+ocispecs.ImageIndexFile, text), tree.File("/"+ocispecs.ImageLayoutFile, version)}, nil
}

// importNames are those under which a Kubernetes looks an image up: the whole name with a tag, and for
// one with a digest the name with the digest (containerd, reference/docker.ParseDockerRef).
func importNames(ref string) ([]string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, errors.Wrapf(err, "read the image name %s", ref)
	}
	var names []string
	if digested, ok := named.(reference.Digested); ok {
		names = append(names, reference.TrimNamed(named).Name()+"@"+digested.Digest().String())
	}
	if tagged, ok := reference.TagNameOnly(named).(reference.NamedTagged); ok {
		names = append(names, reference.TrimNamed(named).Name()+":"+tagged.Tag())
	}
	return names, nil
}
