package frontend

import (
	"cmp"
	"context"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/plan/sbom"
)

// reportSBOM writes down what a system is made of.
func reportSBOM(ctx context.Context, s *system, _ gwclient.Reference) (map[string][]byte, error) {
	bill, err := s.bill(ctx)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, format := range sbom.Formats() {
		if files[sbom.File(s.plan.File, format)], err = bill.Write(format); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// bill reads what a system is made of from its root filesystem, which it builds.
func (s *system) bill(ctx context.Context) (sbom.System, error) {
	all := sbom.System{Name: s.plan.File, Version: s.plan.Version, Created: s.graph.Epoch}
	root, err := rootfs.Build(ctx, s.graph, s.plan)
	if err != nil {
		return sbom.System{}, err
	}
	for i, from := range root.Origins(s.plan) {
		fsys, err := s.solve(ctx, from.State)
		if err != nil {
			return sbom.System{}, err
		}
		found, err := pkgdb.Read(fsys, from.Owns)
		if err != nil {
			return sbom.System{}, errors.Wrapf(err, "list the packages of %s/%s", from.Distro, from.Name)
		}
		all.Stages = append(all.Stages, sbom.Stage{Name: from.Name, Found: found, Archives: s.archives(from.Distro)})
		if i == 0 { // has the components
			if all.Programs, err = s.programs(ctx, fsys); err != nil {
				return sbom.System{}, err
			}
		}
	}
	return all, nil
}

// solve builds a state of the graph of a system.
func (s *system) solve(ctx context.Context, state llb.State) (fs.FS, error) {
	in := s.sources.request
	def, err := in.marshalState(ctx, s.graph, state)
	if err != nil {
		return nil, err
	}
	ref, err := in.solveDefinition(ctx, def)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	return solved{ctx, ref}, nil
}

// archives are those of the lock file, if there is one.
func (s *system) archives(distro string) map[string]lock.Archive {
	if s.graph.Lock == nil {
		return nil
	}
	return s.graph.Lock.Archives[distro]
}

// programs are the components of a system.
func (s *system) programs(ctx context.Context, fsys fs.FS) (all []sbom.Program, err error) {
	for _, c := range s.plan.Components {
		program, err := s.program(ctx, fsys, c)
		if err != nil {
			return nil, errors.Wrapf(err, "look at the component %s", c.Name)
		}
		all = append(all, program)
	}
	return all, nil
}

func (s *system) program(ctx context.Context, fsys fs.FS, c plan.Component) (sbom.Program, error) {
	p := sbom.Program{Name: c.Name, Path: c.Install}
	file, err := fsys.Open(strings.TrimPrefix(path.Clean(c.Install), "/"))
	if err != nil {
		return sbom.Program{}, err
	}
	defer file.Close()
	if r, ok := file.(io.ReaderAt); ok {
		p.Go, p.Modules, _ = sbom.ReadModules(r)
	}
	_, replaced, err := s.graph.Sources.Context(ctx, c.Name, s.graph.Target)
	if err != nil {
		return sbom.Program{}, err
	}
	if replaced || c.Context != "" {
		p.Version = p.Go.Version // which the plan does not know
		return p, nil
	}
	p.Version = c.Version
	if d := c.Download; d != nil {
		p.Archive = lock.Archive{URL: d.URL, SHA256: cmp.Or(d.SHA256, s.graph.Lock.Download(d.URL))}
	}
	return p, nil
}
