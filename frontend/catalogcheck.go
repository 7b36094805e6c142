package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"golang.org/x/sync/errgroup"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/packages"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// CatalogCheck is what to check of the catalog.
type CatalogCheck struct {
	// Distros by name; none for all.
	Distros []string
	// Archs by name; none for all that a distribution has.
	Archs []string
	// Install tries what the repositories do not list in an installation that is thrown away.
	Install bool
}

// CheckCatalog holds all that the catalog names in distributions to their repositories: packages,
// and files as far as the repositories list them. The result.json of the answer is a list of
// catalog.Finding.
func (f *Frontend) CheckCatalog(o CatalogCheck) gwclient.BuildFunc {
	return func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		in, err := f.inputs(ctx, c)
		if err != nil {
			return nil, err
		}
		cat, err := in.catalog(ctx)
		if err != nil {
			return nil, Locate(err)
		}
		subjects, err := subjectsOf(cat, o.Distros, o.Archs)
		if err != nil {
			return nil, err
		}
		found := make([][]catalog.Finding, len(subjects))
		eg, ctx := errgroup.WithContext(ctx)
		for i, s := range subjects {
			eg.Go(func() (err error) {
				found[i], err = in.checkSubject(ctx, s, o.Install)
				return err
			})
		}
		if err := eg.Wait(); err != nil {
			return nil, err
		}
		data, err := json.Marshal(slices.Concat(found...))
		if err != nil {
			return nil, err
		}
		return textResult(data, data), nil
	}
}

// subjectsOf are the distributions and architectures that names stand for.
func subjectsOf(cat *catalog.Catalog, distros, archs []string) ([]packages.Subject, error) {
	if len(distros) == 0 {
		distros = catalog.Names(cat.Distros)
	}
	for _, arch := range archs {
		if cat.Archs[arch] == nil {
			return nil, errors.Errorf("unknown architecture %q; %s", arch, cat.ArchHint(arch))
		}
	}
	var all []packages.Subject
	for _, name := range distros {
		d, ok := cat.Distros[name]
		if !ok {
			return nil, errors.Errorf("unknown distribution %q; %s", name, specs.Suggest(name, catalog.Names(cat.Distros)))
		}
		for _, arch := range d.Architectures {
			if len(archs) == 0 || slices.Contains(archs, arch) {
				all = append(all, packages.Subject{Catalog: cat, Distro: d, Arch: arch})
			}
		}
	}
	return all, nil
}

// checkSubject looks at one distribution. What cannot be reached is a finding, not an error.
func (in *inputs) checkSubject(ctx context.Context, s packages.Subject, install bool) ([]catalog.Finding, error) {
	unreachable := func(what, note string) ([]catalog.Finding, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return []catalog.Finding{{Distro: s.Distro.Name, Arch: s.Arch, State: catalog.Unreachable, Kind: what, Name: s.Distro.Base, Note: note}}, nil
	}
	target := ocispecs.Platform{OS: "linux", Architecture: s.Arch}
	if !in.runs(s.Arch) {
		return unreachable("architecture", "the builder runs no "+s.Arch)
	}
	r, err := in.usual(ctx, &s, target)
	if err != nil {
		return unreachable("plan", reason(err))
	}
	_, builder := in.platforms(nil)
	g := r.graph(newSources(r, s.Plans[0]), s.Catalog, target, builder)
	g.Several = true // one solve for all of them: steps say what they are for
	state, err := s.Look(ctx, g)
	if err != nil {
		return unreachable("base image", reason(err))
	}
	files, err := in.solveFiles(ctx, g, state)
	if err != nil {
		return unreachable("repositories", reason(err))
	}
	index, err := distro.ReadIndex(s.Install(), func(name string) ([]byte, error) {
		data, err := files.ReadFile(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return data, err
	})
	if err != nil {
		return unreachable("repositories", reason(err))
	}
	found := s.Compare(index)
	if install && slices.ContainsFunc(found, func(f catalog.Finding) bool { return f.State == catalog.Unlisted }) {
		if err := in.try(ctx, g, s, index); err != nil {
			failed, err := unreachable("installation", reason(err))
			return append(found, failed...), err
		}
		found = s.Compare(index)
	}
	return found, nil
}

// usual plans the usual system of a distribution, for each of its init systems, as a build in this
// network does.
func (in *inputs) usual(ctx context.Context, s *packages.Subject, target ocispecs.Platform) (r *request, err error) {
	for _, init := range s.Distro.Inits {
		text := fmt.Sprintf("distro: %s\ninit: %s\nversion: v0.0.0\n", s.Distro.Name, init.Name)
		r = in.request(nil, &specs.Source{Name: s.Distro.Name, Data: []byte(text)}, newSourceMaps(nil))
		r.shared = true
		doc, err := r.load(ctx)
		if err != nil {
			return nil, err
		}
		p, _, err := r.resolve(ctx, doc, target)
		if err != nil {
			return nil, err
		}
		s.Plans = append(s.Plans, p)
	}
	return r, nil
}

// try adds the files of installations to an index.
func (in *inputs) try(ctx context.Context, g *graph.Graph, s packages.Subject, index *distro.Index) error {
	dirs, state, err := s.Try(ctx, g, index)
	if err != nil {
		return err
	}
	files, err := in.solveFiles(ctx, g, state)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		text, err := files.ReadFile(ctx, path.Join(dir, distro.InstalledFiles))
		if err != nil {
			return err
		}
		index.AddInstalled(string(text))
	}
	return nil
}

// solveFiles solves a state of the graph, for its files.
func (in *inputs) solveFiles(ctx context.Context, g *graph.Graph, state llb.State) (dir, error) {
	def, err := in.marshalState(ctx, g, state)
	if err != nil {
		return dir{}, err
	}
	ref, err := in.solveDefinition(ctx, def)
	return dir{ref}, err
}

// runs reports whether a worker runs an architecture, itself or by an emulator.
func (in *inputs) runs(arch string) bool {
	return slices.ContainsFunc(in.client.BuildOpts().Workers, func(w gwclient.WorkerInfo) bool {
		return slices.ContainsFunc(w.Platforms, func(p ocispecs.Platform) bool { return p.OS == "linux" && p.Architecture == arch })
	})
}

// reason is an error without the place in a spec that there is none of.
func reason(err error) string {
	var found specs.Diagnostics
	if errors.As(err, &found) && len(found) > 0 {
		return found[0].Message
	}
	return err.Error()
}
