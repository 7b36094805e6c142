package frontend

import (
	"context"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan/bundle"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// given is the bundle that a build takes its inputs from.
type given struct {
	*bundle.Bundle
	files *graph.Bundle
}

// layout reads the value of a named context that is an OCI layout.
func (in *inputs) layout(value string) (graph.Layout, digest.Digest, error) {
	rest, ok := strings.CutPrefix(value, "oci-layout:")
	if !ok {
		return graph.Layout{}, "", errors.Errorf("%s is no OCI layout", value)
	}
	ref, err := reference.Parse(strings.TrimPrefix(rest, "//"))
	if err != nil {
		return graph.Layout{}, "", errors.Wrapf(err, "read %s", value)
	}
	digested, ok := ref.(reference.Canonical)
	if !ok {
		return graph.Layout{}, "", errors.Errorf("%s has no digest", value)
	}
	return graph.Layout{Session: in.ui.BuildOpts().SessionID, Store: digested.Name()}, digested.Digest(), nil
}

// readsBlobs returns an error for a builder without what is needed, such as bundles.
func (in *inputs) readsBlobs(needed string) error {
	caps := in.ui.BuildOpts().LLBCaps
	if caps.Supports(pb.CapSourceImageBlob) != nil {
		return errors.Errorf("the BuildKit of the builder is too old for %s: it has no sources for single blobs of images", needed)
	}
	return nil
}

// openBundle reads the bundle of a build, and adds its named contexts to those that the build has.
func (in *inputs) openBundle(ctx context.Context) error {
	opts := in.ui.BuildOpts().Opts
	value, ok := opts["context:"+bundle.ContextName]
	if !ok {
		return nil
	}
	if err := in.readsBlobs("bundles"); err != nil {
		return err
	}
	layout, root, err := in.layout(value)
	if err != nil {
		return errors.Wrap(err, "open the bundle")
	}
	read := func(d digest.Digest) ([]byte, error) {
		ref, err := in.solve(ctx, layout.Blob(d, llb.Filename("blob"), llb.WithCustomName("[bundle] read what it has")))
		if err != nil {
			return nil, errors.Wrap(err, "open the bundle")
		}
		return dir{ref}.ReadFile(ctx, "blob")
	}
	data, err := read(root)
	if err != nil {
		return err
	}
	manifest, err := bundle.ReadManifest(data)
	if err != nil {
		return err
	}
	if data, err = read(manifest.Config.Digest); err != nil {
		return err
	}
	b, err := bundle.Read(data)
	if err != nil {
		return err
	}
	in.bundle = &given{b, &graph.Bundle{Layout: layout, Files: map[digest.Digest]bool{}}}
	for _, d := range manifest.Layers {
		in.bundle.files.Files[d.Digest] = true
	}
	for _, c := range b.Contexts {
		name, _, _ := strings.Cut(c.Name, "::")
		if opts["context:"+name] == "" && opts["context:"+c.Name] == "" {
			opts["context:"+c.Name] = "oci-layout:" + layout.Store + "@" + c.Digest.String()
		}
	}
	return nil
}

// checkPlatform refuses a platform that the bundle is not for.
func (g *given) checkPlatform(p ocispecs.Platform) error {
	if name := platforms.Format(p); g != nil && !slices.Contains(g.Platforms, name) {
		return errors.Errorf("the bundle is for %s, and not for %s; choose with --platform", strings.Join(g.Platforms, " and "), name)
	}
	return nil
}

// downloads are what the graphs of a build take from the bundle; nil for none.
func (g *given) downloads() *graph.Bundle {
	if g == nil {
		return nil
	}
	return g.files
}

// notBundled are the downloads that the bundle of a build does not have.
func (s *system) notBundled(ctx context.Context) (specs.Diagnostics, error) {
	if s.graph.Bundle == nil {
		return nil, nil
	}
	all, err := s.downloads(ctx)
	if err != nil {
		return nil, err
	}
	var found specs.Diagnostics
	for _, d := range all {
		if !s.graph.Bundle.Has(d.Digest) {
			found = append(found, d.missing(rules.NotInBundle, "write it again with flavorkit bundle", "the bundle does not have %s", d.URL))
		}
	}
	return found, nil
}
