// Package local makes plans and graphs without BuildKit: it reads specs from the filesystem and
// does not resolve image references. Commands that inspect specs use it, and golden tests.
package local

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// Options of Plan and Check.
type Options struct {
	// File is the path of the spec.
	File string
	// Arch to plan for.
	Arch string
	// Context is the directory of the build context; only Check reads it.
	Context string
	// Contexts are named contexts: directories, and what Fetch gets.
	Contexts map[string]string
	// Fetch may be nil. Then named contexts that are read are directories.
	Fetch Fetch
	// Catalog to plan with; nil for the result of Catalog.
	Catalog *catalog.Catalog
	// Site is what the network asks of the build, as FLAVORKIT_CONFIG has it; nil for nothing.
	Site *specs.Source
	// Args are the values of build arguments, by name.
	Args map[string]string
	// Shared is true when Args are for other specs, too.
	Shared bool
	// Now is the time that Check warns about what gets no updates any more at.
	Now time.Time
	// Texts are what an editor holds of files that it has not saved, by absolute path. They count
	// instead of the files.
	Texts map[string][]byte
}

// Catalog returns the built-in catalog with the catalog of the named contexts on top. It reads nothing
// else of the options.
func Catalog(ctx context.Context, o Options) (*catalog.Catalog, error) {
	base, err := catalog.Builtin()
	if err != nil {
		return nil, err
	}
	dir, ok, err := o.named(ctx, catalog.ContextName)
	if err != nil || !ok {
		return base, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.Wrap(err, "open the catalog")
	}
	defer root.Close()
	return base.With(catalog.Layer{Name: catalog.ContextName, FS: root.FS(), Context: catalog.ContextName})
}

// catalog returns the catalog to plan with.
func (o Options) catalog(ctx context.Context) (*catalog.Catalog, error) {
	if o.Catalog != nil {
		return o.Catalog, nil
	}
	return Catalog(ctx, o)
}

// Plan loads a spec from the filesystem and resolves it.
func Plan(ctx context.Context, o Options) (*plan.Plan, error) {
	p, _, err := Resolve(ctx, o)
	return p, err
}

// Resolve loads a spec from the filesystem and resolves it. A spec with mistakes has no plan, but
// has a document.
func Resolve(ctx context.Context, o Options) (*plan.Plan, *specs.Document, error) {
	data, err := o.readFile(o.File)
	if err != nil {
		return nil, nil, errors.Wrap(err, "read the spec")
	}
	return o.resolve(ctx, &specs.Source{Name: filepath.Base(o.File), Data: data})
}

// Lock reads the lock file of a spec or a matrix; nil when there is none.
func Lock(spec string) (*lock.File, error) {
	name := filepath.Join(filepath.Dir(spec), lock.Name(filepath.Base(spec)))
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Wrap(err, "read the lock file")
	}
	return lock.Read(&specs.Source{Name: filepath.Base(name), Data: data})
}

// PlanSource resolves a spec in memory, as if it were File.
func PlanSource(ctx context.Context, src *specs.Source, o Options) (*plan.Plan, error) {
	p, _, err := o.resolve(ctx, src)
	return p, err
}

// Sketch plans a spec to look at its graphs.
func Sketch(ctx context.Context, o Options) (frontend.Sketch, error) {
	p, doc, err := Resolve(ctx, o)
	if err != nil {
		return frontend.Sketch{}, err
	}
	return o.sketch(ctx, p, doc)
}

func (o Options) sketch(ctx context.Context, p *plan.Plan, doc *specs.Document) (frontend.Sketch, error) {
	cat, err := o.catalog(ctx)
	if err != nil {
		return frontend.Sketch{}, err
	}
	return frontend.NewSketch(Graph(p, cat, o.Contexts), p, doc, cat), nil
}

// Explain says why everything is in the system of a spec.
func Explain(ctx context.Context, o Options) ([]plan.Reason, error) {
	s, err := Sketch(ctx, o)
	if err != nil {
		return nil, err
	}
	return s.Explain(ctx)
}

// Outline is the outline of a target of a spec. That of a spec with mistakes has no stages.
func Outline(ctx context.Context, o Options, t frontend.Target) (*frontend.Outline, error) {
	p, doc, err := Resolve(ctx, o)
	var mistakes specs.Diagnostics
	if doc == nil || err != nil && !errors.As(err, &mistakes) {
		return nil, err
	}
	if err := frontend.CheckArgs(o.Args, doc); err != nil {
		return nil, err
	}
	out := frontend.OutlineOf(doc, t, o.Args, slices.Sorted(maps.Keys(o.Contexts)))
	if err != nil {
		return out, nil
	}
	s, err := o.sketch(ctx, p, doc)
	if err != nil {
		return nil, err
	}
	return out, out.AddStages(ctx, s, t)
}

// resolve loads a spec and resolves it.
func (o Options) resolve(ctx context.Context, src *specs.Source) (*plan.Plan, *specs.Document, error) {
	cat, err := o.catalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	doc, err := specs.LoadWith(ctx, src, specs.Inputs{Site: o.Site, Args: o.Args}, specReader{cat, dirs{o}})
	if err != nil {
		return nil, nil, err
	}
	if !o.Shared {
		if err := frontend.CheckArgs(o.Args, doc); err != nil {
			return nil, doc, err
		}
	}
	p, err := plan.Resolve(doc, cat, o.Arch)
	return p, doc, err
}

// Base reads the spec that a source of a spec extends by name; ok is false when there is none.
func Base(ctx context.Context, src *specs.Source, name string, o Options) (base *specs.Source, ok bool) {
	cat, err := o.catalog(ctx)
	if err != nil {
		return nil, false
	}
	return specs.Base(ctx, src, name, specReader{cat, dirs{o}})
}

// Check reads the files that a plan uses from contexts, as a build does before its first step.
func Check(ctx context.Context, p *plan.Plan, o Options) (warnings specs.Diagnostics, err error) {
	cat, err := o.catalog(ctx)
	if err != nil {
		return nil, err
	}
	return frontend.Check(ctx, p, cat, dirs{o}, o.Now)
}

// MachineSteps lists the steps of the cloud-configs of a spec, in the order in which a machine runs
// them.
func MachineSteps(ctx context.Context, o Options) (frontend.MachineSteps, error) {
	p, _, err := Resolve(ctx, o)
	if err != nil {
		return frontend.MachineSteps{}, err
	}
	cat, err := o.catalog(ctx)
	if err != nil {
		return frontend.MachineSteps{}, err
	}
	return frontend.ReadMachineSteps(ctx, p, cat, dirs{o})
}

// Graph returns the environment to generate the graph of a plan, for a daemon with all features.
func Graph(p *plan.Plan, cat *catalog.Catalog, contexts map[string]string) *graph.Graph {
	platform := ocispecs.Platform{OS: "linux", Architecture: p.Arch}
	return &graph.Graph{
		Sources:   frontend.Unresolved(p, slices.Sorted(maps.Keys(contexts))),
		Overlays:  cat.Overlays(),
		Snapshots: cat.Snapshots,
		Caps:      graph.Caps{Merge: true, Diff: true, Passthrough: true},
		Target:    platform,
		Build:     ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		Epoch:     graph.DefaultEpoch(),
		Network:   pb.NetMode_UNSET,
	}
}
