// Package frontend answers a BuildKit build request: it reads kairos.spec
// through the gateway, plans, generates the graph and returns the result with
// its image configuration. Build is the product; the frontend image, the CLI
// against any BuildKit, and the CLI's own engine are three ways to run it.
package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// Build is the gwclient.BuildFunc of flavorkit.
func Build(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
	ui, err := dockerui.NewClient(c)
	if err != nil {
		return nil, errors.Wrap(err, "read the build options")
	}
	r, err := newRequest(ctx, c, ui)
	if err != nil {
		return nil, err
	}
	if res, ok, err := r.subrequest(ctx); ok || err != nil {
		return res, r.sourceMaps.locate(err)
	}
	res, err := r.build(ctx)
	return res, r.sourceMaps.locate(err)
}

// request is one build request.
type request struct {
	client  gwclient.Client
	ui      *dockerui.Client
	entry   *dockerui.Source
	spec    *specs.Source
	catalog *catalog.Catalog
	// sourceMaps are made once for each file of the spec, so that vertices
	// share them.
	sourceMaps *sourceMaps
}

func newRequest(ctx context.Context, c gwclient.Client, ui *dockerui.Client) (*request, error) {
	entry, err := ui.ReadEntrypoint(ctx, language)
	if err != nil {
		return nil, errors.Wrap(err, "read the spec (name it with -f)")
	}
	cat, err := catalog.Builtin()
	if err != nil {
		return nil, err
	}
	return &request{
		client:     c,
		ui:         ui,
		entry:      entry,
		spec:       &specs.Source{Name: entry.Filename, Data: entry.Data},
		catalog:    cat,
		sourceMaps: newSourceMaps(entry.SourceMap),
	}, nil
}

// build makes the requested target for every requested platform.
func (r *request) build(ctx context.Context) (*gwclient.Result, error) {
	t, err := targetByName(r.ui.Target)
	if err != nil {
		return nil, err
	}
	doc, err := specs.Load(ctx, r.spec, &specReader{r})
	if err != nil {
		return nil, err
	}
	rb, err := r.ui.Build(ctx, func(ctx context.Context, platform *ocispecs.Platform, _ int) (*dockerui.BuildResult, error) {
		g, p, base, err := r.prepare(ctx, doc, platform)
		if err != nil {
			return nil, err
		}
		def, err := r.marshal(ctx, g, p, t)
		if err != nil {
			return nil, err
		}
		res, err := r.client.Solve(ctx, gwclient.SolveRequest{Definition: def.ToPB(), CacheImports: r.ui.CacheImports})
		if err != nil {
			return nil, err
		}
		ref, err := res.SingleRef()
		if err != nil {
			return nil, err
		}
		if t.carrier {
			base = nil // none of its layers is in the result
		}
		return &dockerui.BuildResult{
			Reference: ref,
			Image:     imageConfig(p, g.Target, base, r.ui.Labels, t),
			BaseImage: base,
			Epoch:     &g.Epoch,
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// prepare plans for a platform, opens the graph and finds the base image, whose
// configuration is nil when a folder stands for it.
func (r *request) prepare(ctx context.Context, doc *specs.Document, platform *ocispecs.Platform) (*graph.Graph, *plan.Plan, *dockerspec.DockerOCIImage, error) {
	target, builder := r.platforms(platform)
	p, src, err := r.resolve(ctx, doc, target)
	if err != nil {
		return nil, nil, nil, err
	}
	g := r.graph(src, target, builder)
	// The stage says what went wrong with the place in the spec.
	if _, err := g.Stage("base", p.At("distro")).Image(ctx, p.Userland.Base); err != nil {
		return nil, nil, nil, err
	}
	base, err := src.image(ctx, p.Userland.Base, target)
	if err != nil {
		return nil, nil, nil, err
	}
	g.Epoch, err = epoch(r.ui.BuildArgs[epochArg], base.config)
	return g, p, base.config, err
}

// resolve plans for a platform and looks for the files that the spec names.
func (r *request) resolve(ctx context.Context, doc *specs.Document, target ocispecs.Platform) (*plan.Plan, *sources, error) {
	p, err := plan.Resolve(doc, r.catalog, target.Architecture)
	if err != nil {
		return nil, nil, err
	}
	src := newSources(r, p)
	return p, src, src.checkFiles(ctx, p)
}

// marshal generates the graph of a target.
func (r *request) marshal(ctx context.Context, g *graph.Graph, p *plan.Plan, t target) (*llb.Definition, error) {
	state, err := t.state(ctx, g, p)
	if err != nil {
		return nil, err
	}
	def, err := state.Marshal(ctx, llb.Platform(g.Target), llb.WithCaps(r.ui.BuildOpts().LLBCaps))
	return def, errors.Wrap(err, "generate the graph")
}
