// Package frontend answers BuildKit build requests: it reads kairos.spec through the gateway,
// plans, generates the graph, and returns the result with its image configuration. The frontend
// image, the CLI on any BuildKit and the CLI on its own engine all run Build.
package frontend

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/util/flightcontrol"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"golang.org/x/sync/errgroup"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Image is the published frontend image for the version of the language that this package reads.
func Image() string { return fmt.Sprintf("ghcr.io/flavorkit/frontend:%d", specs.LanguageVersion) }

// Options of a frontend.
type Options struct {
	// Catalog to build from; nil means the built-in one. The named context catalog is laid over it.
	Catalog *catalog.Catalog
	// Clock tells the time for warnings, unless the build says it with SOURCE_DATE_EPOCH. Nothing
	// that is built depends on it. Nil means time.Now.
	Clock func() time.Time
}

// Frontend answers build requests. It keeps no state between them.
type Frontend struct{ options Options }

// New returns a frontend.
func New(o Options) *Frontend { return &Frontend{o} }

// Build is a gwclient.BuildFunc. It builds the spec of a request, or answers its subrequest.
func (f *Frontend) Build(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
	in, err := f.inputs(ctx, c)
	if err != nil {
		return nil, err
	}
	entry, err := in.ui.ReadEntrypoint(ctx, language)
	if err != nil {
		return nil, errors.Wrap(err, "read the spec (name it with -f)")
	}
	src := &specs.Source{Name: entry.Filename, Data: entry.Data}
	r := in.request(entry.SourceMap, src, newSourceMaps(entry.SourceMap))
	r.warn = entry.Warn
	r.lockName = lock.Name(src.Name)
	return r.answer(ctx)
}

// inputs are shared by all requests of one build. Images and named contexts are resolved once, and
// local directories share one id, so equal parts of several graphs are equal vertices.
type inputs struct {
	client   gwclient.Client
	ui       *dockerui.Client
	options  Options
	localID  string
	images   flightcontrol.CachedGroup[resolved]
	contexts flightcontrol.CachedGroup[*resolved]
	catalogs flightcontrol.CachedGroup[*catalog.Catalog]
	locks    flightcontrol.CachedGroup[*lock.File]
	// bundle has what the network would; nil for none.
	bundle *given
}

func (f *Frontend) inputs(ctx context.Context, c gwclient.Client) (*inputs, error) {
	ui, err := dockerui.NewClient(c)
	if err != nil {
		return nil, errors.Wrap(err, "read the build options")
	}
	in := &inputs{client: c, ui: ui, options: f.options, localID: identity.NewID()}
	return in, in.openBundle(ctx)
}

// request is one build request.
type request struct {
	*inputs
	entry *llb.SourceMap
	spec  *specs.Source
	// sourceMaps has one source map per file of the spec, which vertices share.
	sourceMaps *sourceMaps
	// lockName is the name of the lock file; empty for none.
	lockName string
	// warn shows a warning about the spec; nil when the client cannot show it.
	warn func(context.Context, string, gwclient.WarnOpts)
	// shared is true when build arguments are for other specs, too.
	shared bool
	// names of the files that were read from the directory of the spec.
	names sync.Map
}

// opened are the files that were read from the directory of the spec, without the spec itself.
func (r *request) opened() (names []string) {
	r.names.Range(func(name, _ any) bool {
		names = append(names, name.(string))
		return true
	})
	return names
}

func (in *inputs) request(entry *llb.SourceMap, spec *specs.Source, maps *sourceMaps) *request {
	return &request{inputs: in, entry: entry, spec: spec, sourceMaps: maps}
}

// answer builds, or answers the subrequest.
func (r *request) answer(ctx context.Context) (*gwclient.Result, error) {
	do := (*request).build
	q, asked, err := r.subrequest()
	if err != nil {
		return nil, err
	}
	if asked {
		do = q.answer
	}
	res, err := do(r, ctx)
	return res, r.sourceMaps.locate(err)
}

// build builds the requested target for every requested platform.
func (r *request) build(ctx context.Context) (*gwclient.Result, error) {
	t, doc, err := r.asked(ctx)
	if err != nil {
		return nil, err
	}
	systems, err := each(ctx, r.requested(), func(ctx context.Context, platform *ocispecs.Platform) (*system, error) {
		return r.generate(ctx, doc, platform, t)
	})
	if err != nil {
		return nil, err
	}
	// Warn before the long steps: clients may drop warnings about a step that ended long ago.
	if r.warn != nil {
		r.sourceMaps.warn(ctx, r.warn, warningsOf(systems))
	}
	rb, err := r.ui.Build(ctx, func(ctx context.Context, _ *ocispecs.Platform, i int) (*dockerui.BuildResult, error) {
		s := systems[i]
		ref, err := r.result(ctx, s)
		if err != nil {
			return nil, err
		}
		return &dockerui.BuildResult{
			Reference: ref,
			Image:     imageConfig(s.plan, s.graph.Target, s.base, r.ui.Labels, t),
			BaseImage: s.base,
			Epoch:     &s.graph.Epoch,
		}, nil
	})
	if err != nil {
		return nil, err
	}
	all, err := r.attestations(t)
	if err != nil {
		return nil, err
	}
	if err := r.attest(ctx, rb, systems, all); err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// result builds a system and, for a report, the files that its target makes of it.
func (in *inputs) result(ctx context.Context, s *system) (gwclient.Reference, error) {
	ref, err := in.solveSystem(ctx, s, s.target.generate)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	if s.target.report == nil {
		return ref, nil
	}
	files, err := s.target.report(ctx, s, ref)
	if err != nil {
		return nil, err
	}
	return in.write(ctx, s, files)
}

// solveSystem builds the definition of a system. When a server has lost a file that is also elsewhere, the
// definition is generated anew, with the file from there.
func (in *inputs) solveSystem(ctx context.Context, s *system, generate generator) (gwclient.Reference, error) {
	ref, err := in.solveDefinition(ctx, s.definition)
	for err != nil && s.lookElsewhere(ctx, err) {
		if err := in.define(ctx, s, generate); err != nil {
			return nil, err
		}
		ref, err = in.solveDefinition(ctx, s.definition)
	}
	return ref, err
}

// define generates the definition of a system.
func (in *inputs) define(ctx context.Context, s *system, generate generator) error {
	state, err := generate(ctx, s.graph, s.plan)
	if err != nil {
		return err
	}
	s.definition, err = in.marshalState(ctx, s.graph, state)
	return err
}

// write makes a result of small files, by name.
func (in *inputs) write(ctx context.Context, s *system, files map[string][]byte) (gwclient.Reference, error) {
	var entries []tree.Entry
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entries = append(entries, tree.File("/"+name, files[name]))
	}
	return in.solve(ctx, s.graph.Stage("report", s.plan.At(key.Extends)).Tree(llb.Scratch(), "write down what was found", entries))
}

// each calls f for all items in parallel and returns the mistakes of all specs together.
func each[S, T any](ctx context.Context, items []S, f func(context.Context, S) (T, error)) ([]T, error) {
	results, mistakes := make([]T, len(items)), make([]specs.Diagnostics, len(items))
	eg, ctx := errgroup.WithContext(ctx)
	for i, item := range items {
		eg.Go(func() (err error) {
			if results[i], err = f(ctx, item); errors.As(err, &mistakes[i]) {
				return nil
			}
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	return results, slices.Concat(mistakes...).Err()
}

// warningsOf returns the warnings of several systems without duplicates.
func warningsOf(systems []*system) specs.Diagnostics {
	var all specs.Diagnostics
	for _, s := range systems {
		all = append(all, s.warnings...)
	}
	return all.Sorted()
}

// load reads the spec and the specs that it extends.
func (r *request) load(ctx context.Context) (*specs.Document, error) {
	cat, err := r.catalog(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := specs.LoadWith(ctx, r.spec, specs.Inputs{Site: r.site(), Args: r.ui.BuildArgs}, &specReader{cat, r})
	if err == nil && !r.shared {
		err = CheckArgs(r.ui.BuildArgs, doc)
	}
	return doc, err
}

// asked returns the requested target and the spec.
func (r *request) asked(ctx context.Context) (Target, *specs.Document, error) {
	t, err := TargetByName(r.ui.Target)
	if err != nil {
		return Target{}, nil, err
	}
	doc, err := r.load(ctx)
	return t, doc, err
}

// system is a spec, planned for a platform and a target.
type system struct {
	target Target
	// doc is the spec, with its conditions evaluated.
	doc  *specs.Document
	plan *plan.Plan
	// catalog that the system is planned with.
	catalog *catalog.Catalog
	graph   *graph.Graph
	sources *sources
	// base is the configuration of the base image. It is nil when a directory replaces the image,
	// and when the result contains none of its layers.
	base       *dockerspec.DockerOCIImage
	definition *llb.Definition
	// warnings about the spec.
	warnings specs.Diagnostics
}

// generate plans for a platform and generates the graph of a target.
func (r *request) generate(ctx context.Context, doc *specs.Document, platform *ocispecs.Platform, t Target) (*system, error) {
	s, err := r.prepare(ctx, doc, platform, t)
	if err != nil {
		return nil, err
	}
	if err := r.lockNow(ctx, doc, platform, s); err != nil {
		return nil, err
	}
	if t.Output == DataImage || t.Output == Report {
		s.base = nil // none of its layers is in the result
	}
	return s, r.define(ctx, s, t.generate)
}

// prepare plans for a platform, opens the graph and finds the base image.
func (r *request) prepare(ctx context.Context, doc *specs.Document, platform *ocispecs.Platform, t Target) (*system, error) {
	target, builder := r.platforms(platform)
	p, src, err := r.resolve(ctx, doc, target)
	if err != nil {
		return nil, err
	}
	cat, err := r.catalog(ctx)
	if err != nil {
		return nil, err
	}
	g := r.graph(src, cat, target, builder)
	if g.Lock, err = r.inUse(ctx); err != nil {
		return nil, err
	}
	src.lock = g.Lock
	// The stage reports failures at their place in the spec.
	if _, err := g.Stage("base", p.At(p.BaseKey())).Image(ctx, p.Userland.Base); err != nil {
		return nil, err
	}
	base, err := src.image(ctx, p.Userland.Base, target)
	if err != nil {
		return nil, err
	}
	if g.Epoch, err = epoch(r.ui.BuildArgs[epochArg], base.config); err != nil {
		return nil, err
	}
	now, err := r.now()
	if err != nil {
		return nil, err
	}
	if doc, err = plan.Evaluate(doc, cat, target.Architecture); err != nil {
		return nil, err
	}
	s := &system{target: t, doc: doc, plan: p, catalog: cat, graph: g, sources: src, base: base.config}
	s.warnings = subject{p, src.configs, cat, t, now}.warnings()
	outdated, err := r.checkLock(ctx, s)
	s.warnings = append(s.warnings, outdated...)
	return s, err
}

// resolve plans for a platform and checks the files that the spec names.
func (r *request) resolve(ctx context.Context, doc *specs.Document, target ocispecs.Platform) (*plan.Plan, *sources, error) {
	if err := r.bundle.checkPlatform(target); err != nil {
		return nil, nil, err
	}
	cat, err := r.catalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.Resolve(doc, cat, target.Architecture)
	if err != nil {
		return nil, nil, err
	}
	src := newSources(r, p)
	src.configs, err = checkFiles(ctx, p, src)
	return p, src, err
}

// marshalState makes a definition of a state of the graph.
func (in *inputs) marshalState(ctx context.Context, g *graph.Graph, state llb.State) (*llb.Definition, error) {
	def, err := state.Marshal(ctx, llb.Platform(g.Target), llb.WithCaps(in.ui.BuildOpts().LLBCaps), llb.LocalUniqueID(in.localID))
	return def, errors.Wrap(err, "generate the graph")
}
