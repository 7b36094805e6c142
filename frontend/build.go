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
		g, p, err := r.prepare(ctx, doc, platform)
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
		epoch, err := r.epoch()
		if err != nil {
			return nil, err
		}
		return &dockerui.BuildResult{Reference: ref, Image: imageConfig(p, g.Target, r.ui.Labels, t), Epoch: epoch}, nil
	})
	if err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// prepare plans for a platform and opens the graph.
func (r *request) prepare(ctx context.Context, doc *specs.Document, platform *ocispecs.Platform) (*graph.Graph, *plan.Plan, error) {
	target, builder := r.platforms(platform)
	p, err := plan.Resolve(doc, r.catalog, target.Architecture)
	if err != nil {
		return nil, nil, err
	}
	src := newSources(r, p)
	if err := src.checkFiles(ctx, p); err != nil {
		return nil, nil, err
	}
	g, err := r.graph(src, target, builder)
	return g, p, err
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
