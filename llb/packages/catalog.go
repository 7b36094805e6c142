package packages

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// Subject is a distribution of the catalog, on an architecture.
type Subject struct {
	Catalog *catalog.Catalog
	Distro  *catalog.Distro
	Arch    string
	// Plans are those of its usual system, for each init system that it has.
	Plans []*plan.Plan
}

// asked are the packages, each once and with all that it must bring.
func (s Subject) asked() []catalog.Asked { return s.Catalog.Asked(s.Distro.Name, s.Arch) }

// Install names the repositories.
func (s Subject) Install() plan.Install {
	usual := s.Plans[0].Userland.Install
	in := plan.Install{
		Distro: usual.Distro, Base: usual.Base, Manager: usual.Manager, SkipRepositories: usual.SkipRepositories,
		Mirrors: usual.Mirrors, Authorities: usual.Authorities,
	}
	for _, a := range s.asked() {
		in.Areas = append(in.Areas, a.Areas...)
	}
	slices.Sort(in.Areas)
	in.Areas = slices.Compact(in.Areas)
	return in
}

// Look asks the repositories for all that the catalog names, in one step.
func (s Subject) Look(ctx context.Context, g *graph.Graph) (llb.State, error) {
	return distro.Look(ctx, g, s.stage(g), s.Plans[0], s.Install(), s.wanted())
}

func (s Subject) stage(g *graph.Graph) graph.Stage {
	return g.Stage(s.Distro.Name+"/"+s.Arch, specs.Range{})
}

// wanted is all that the catalog names.
func (s Subject) wanted() distro.Wanted {
	var w distro.Wanted
	for _, a := range s.asked() {
		w.Names = append(w.Names, a.Name)
		for _, command := range a.Commands {
			w.Paths = append(w.Paths, path.Join("/usr/bin", command))
		}
		for _, pattern := range a.Firmware {
			w.Paths = append(w.Paths, distro.FirmwarePath(pattern))
		}
	}
	for _, p := range s.Catalog.AskedPaths(s.Distro.Name, s.Arch) {
		w.Paths = append(w.Paths, unit(p.Path))
	}
	return w
}

// Try installs the usual system with each init system, and a kernel, to see the files that no list
// has. The state has a directory for each, with distro.InstalledFiles.
func (s Subject) Try(ctx context.Context, g *graph.Graph, x *distro.Index) (dirs []string, all llb.State, err error) {
	var action *llb.FileAction
	try := func(p *plan.Plan, in plan.Install, purpose string) error {
		stage, dir := s.stage(g), strconv.Itoa(len(dirs))
		// What there is not would be all that a package manager says.
		in.Packages = slices.DeleteFunc(slices.Clone(in.Packages), func(p plan.Package) bool { return s.name(x, p.Name).State == catalog.Wrong })
		installed, err := distro.Install(ctx, g, stage, p, in, purpose)
		if err != nil {
			return err
		}
		files, err := distro.Installed(stage, installed, s.wanted())
		if err != nil {
			return err
		}
		dirs = append(dirs, dir)
		action = action.Copy(files, "/", "/"+dir, &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true})
		return nil
	}
	kernel := s.Plans[0].Kernel.Install
	for i, p := range s.Plans {
		in := p.Userland.Install
		if i == 0 {
			in.Packages = slices.Concat(in.Packages, s.others(x, in.Packages, kernel.Packages))
			in.Areas = s.Install().Areas
		}
		if err := try(p, in, "userland"); err != nil {
			return nil, llb.State{}, err
		}
	}
	if err := try(s.Plans[0], kernel, "kernel"); err != nil {
		return nil, llb.State{}, err
	}
	return dirs, s.stage(g).On(g.Build).File(llb.Scratch(), "gather what was installed", action), nil
}

// others are the packages with files that no list has, beside those of the usual system.
func (s Subject) others(x *distro.Index, usual ...[]plan.Package) []plan.Package {
	var all []plan.Package
	for _, a := range s.asked() {
		p := plan.Package{Name: a.Name}
		if !x.Has(a.Name) || slices.Contains(slices.Concat(append(usual, all)...), p) {
			continue
		}
		unlisted := func(f catalog.Finding) bool { return f.State == catalog.Unlisted }
		if slices.ContainsFunc(s.files(x, a), unlisted) {
			all = append(all, p)
		}
	}
	return all
}

// unit is the file of a service: an instance has that of its template (systemd.unit(5)).
func unit(p string) string {
	dir, name := path.Split(p)
	before, instance, ok := strings.Cut(name, "@")
	if !ok {
		return p
	}
	return dir + before + "@" + path.Ext(instance)
}

// Compare holds all that the catalog names to an index.
func (s Subject) Compare(x *distro.Index) []catalog.Finding {
	var all []catalog.Finding
	seen := map[catalog.Finding]bool{}
	add := func(f catalog.Finding, at specs.Range) {
		f.Distro, f.Arch = s.Distro.Name, s.Arch
		if again := f; !seen[again] {
			seen[again] = true
			f.Place = at.String()
			all = append(all, f)
		}
	}
	for _, a := range s.asked() {
		add(s.name(x, a.Name), a.Range)
		for _, f := range s.files(x, a) {
			add(f, a.Range)
		}
	}
	for _, p := range s.Catalog.AskedPaths(s.Distro.Name, s.Arch) {
		add(unread(x, s.path(x, p)), p.Range)
	}
	return all
}

// files looks up what a package must bring.
func (s Subject) files(x *distro.Index, a catalog.Asked) []catalog.Finding {
	var all []catalog.Finding
	for _, command := range a.Commands {
		f := catalog.Finding{Kind: "command", Name: command}
		files, listed := x.Command(command)
		f.State = file(x, len(files) > 0, listed)
		if f.State == catalog.Wrong && !x.Tried {
			// Scripts of packages make links, such as those of alternatives.
			f.State, f.Note = catalog.Unlisted, "no package lists it; the script of one may make it"
		}
		all = append(all, unread(x, f))
	}
	for _, pattern := range a.Firmware {
		found, listed := x.Firmware(pattern)
		all = append(all, unread(x, catalog.Finding{Kind: "firmware", Name: pattern, State: file(x, found, listed)}))
	}
	return all
}

// name looks a package up.
func (s Subject) name(x *distro.Index, name string) catalog.Finding {
	f := catalog.Finding{Kind: "package", Name: name, State: catalog.Right}
	providers := x.Provides[name]
	manager, _ := catalog.ManagerByName(s.Distro.Manager)
	switch {
	case x.Has(name):
	case len(providers) == 1 || len(providers) > 1 && !manager.OneProvider:
		f.Note = "provided by " + strings.Join(providers, ", ")
	case len(providers) > 1:
		f.State, f.Note = catalog.Wrong, manager.Name+" chooses none of the packages that provide it: "+strings.Join(providers, ", ")
	default:
		f.State = catalog.Wrong
		if near, ok := specs.Nearest(name, x.Names); ok {
			f.Note = fmt.Sprintf("did you mean %q?", near)
		}
	}
	return f
}

// path looks a file up.
func (s Subject) path(x *distro.Index, p catalog.AskedPath) catalog.Finding {
	f := catalog.Finding{Kind: p.What, Name: p.Path}
	files, listed := x.Match(unit(p.Path))
	f.State = file(x, len(files) > 0, listed)
	if p.Apart && !listed && f.State == catalog.Wrong {
		f.State, f.Note = catalog.Unlisted, "nothing that was installed has to have it"
	}
	switch {
	case p.One && len(files) > 1:
		f.State, f.Note = catalog.Wrong, "it has to be one file: "+strings.Join(files, ", ")
	case f.State == catalog.Wrong:
		if elsewhere := x.Elsewhere(unit(p.Path)); len(elsewhere) > 0 {
			f.State, f.Note = catalog.Moved, "is "+strings.Join(elsewhere[:min(len(elsewhere), 3)], ", ")
		}
	}
	return f
}

// file is the state of a file.
func file(x *distro.Index, found, listed bool) catalog.State {
	switch {
	case found:
		return catalog.Right
	case x.Unread != "":
		return catalog.Unreachable
	case !listed && !x.Tried:
		return catalog.Unlisted
	default:
		return catalog.Wrong
	}
}

// unread says why nothing is known about a file.
func unread(x *distro.Index, f catalog.Finding) catalog.Finding {
	switch f.State {
	case catalog.Unreachable:
		f.Note = cmp.Or(f.Note, x.Unread)
	case catalog.Unlisted:
		f.Note = cmp.Or(f.Note, "the index lists "+string(x.Coverage))
	}
	return f
}
