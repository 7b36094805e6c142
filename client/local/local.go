// Package local plans and generates without a BuildKit: specs are read from
// the file system, and images stand in the graph by the names they are asked
// for. It serves the commands that only look, and golden tests.
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

// Options of looking at a spec.
type Options struct {
	// File is the path of the spec.
	File string
	// Arch to plan for.
	Arch string
	// Context is the directory of the build context; only Check looks into it.
	Context string
	// Contexts are directories that stand for named contexts.
	Contexts map[string]string
	// Catalog to plan with; nil is that of Catalog.
	Catalog *catalog.Catalog
}

// Catalog is the built-in catalog, with the one of the named contexts on top.
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

// catalog is the catalog to plan with.
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

// PlanSource is Plan for a spec that is at hand, as if it were File.
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

// Check looks at the files that a plan takes from directories, as a build does before
// its first step.
func Check(ctx context.Context, p *plan.Plan, o Options) (warnings specs.Diagnostics, err error) {
	return frontend.Check(ctx, p, dirs{o})
}

// Graph opens a graph for a plan of a catalog as a daemon with all capabilities
// would.
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
