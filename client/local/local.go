// Package local plans and generates without BuildKit: it reads specs from the file system and does
// not resolve image references. Commands that inspect specs and golden tests use it.
package local

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
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
	// Contexts are directories that stand for named contexts.
	Contexts map[string]string
	// Catalog to plan with; nil is that of Catalog.
	Catalog *catalog.Catalog
}

// Catalog returns the built-in catalog with the catalog of the named contexts on top.
func Catalog(contexts map[string]string) (*catalog.Catalog, error) {
	base, err := catalog.Builtin()
	if err != nil {
		return nil, err
	}
	dir, ok, err := named(contexts, catalog.ContextName)
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
func (o Options) catalog() (*catalog.Catalog, error) {
	if o.Catalog != nil {
		return o.Catalog, nil
	}
	return Catalog(o.Contexts)
}

// Plan loads a spec from the file system and resolves it.
func Plan(ctx context.Context, o Options) (*plan.Plan, error) {
	data, err := os.ReadFile(o.File)
	if err != nil {
		return nil, errors.Wrap(err, "read the spec")
	}
	return PlanSource(ctx, &specs.Source{Name: filepath.Base(o.File), Data: data}, o)
}

// PlanSource resolves a spec in memory, as if it were File.
func PlanSource(ctx context.Context, src *specs.Source, o Options) (*plan.Plan, error) {
	cat, err := o.catalog()
	if err != nil {
		return nil, err
	}
	doc, err := specs.Load(ctx, src, specReader{cat, dirs{o}})
	if err != nil {
		return nil, err
	}
	return plan.Resolve(doc, cat, o.Arch)
}

// Check reads the files that a plan takes from contexts, as a build does before its first step.
func Check(ctx context.Context, p *plan.Plan, o Options) (warnings specs.Diagnostics, err error) {
	return frontend.Check(ctx, p, dirs{o})
}

// Graph returns the environment to generate the graph of a plan, as a daemon with all capabilities
// has it.
func Graph(p *plan.Plan, cat *catalog.Catalog, contexts map[string]string) *graph.Graph {
	platform := ocispecs.Platform{OS: "linux", Architecture: p.Arch}
	return &graph.Graph{
		Sources:  sources(contexts),
		Overlays: cat.Overlays(),
		Caps:     graph.Caps{Merge: true, Passthrough: true},
		Target:   platform,
		Build:    ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		Epoch:    graph.DefaultEpoch,
		Network:  pb.NetMode_UNSET,
	}
}

// sources are images by name and local directories.
type sources map[string]string

func (sources) Image(_ context.Context, ref string, platform ocispecs.Platform) (llb.State, error) {
	return llb.Image(ref, llb.Platform(platform), llb.WithCustomName("[base] "+ref)), nil
}

func (s sources) Context(_ context.Context, name string, _ ocispecs.Platform) (llb.State, bool, error) {
	_, ok := s[name]
	return llb.Local(name, llb.WithCustomName("[context "+name+"]")), ok, nil
}

func (sources) Files(_ context.Context, name string) (llb.State, error) {
	name = cmp.Or(name, "context")
	return llb.Local(name, llb.WithCustomName("[internal] load "+name)), nil
}
