// Package distro has the package managers. Each installs a list of packages into an image in one
// cached step, and leaves nothing behind that differs from run to run. The catalog decides which
// packages.
package distro

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

//go:embed *.sh
var scripts embed.FS

// script returns the script of a package manager. It gets the packages as arguments, in the form of
// the manager, and the directory for downloads as FLAVORKIT_CACHE. For features that the manager
// has (catalog.Manager), it gets lists with one item per line: archive areas to enable as
// FLAVORKIT_AREAS, repositories to ignore as FLAVORKIT_SKIP_REPOSITORIES, paths not to install as
// FLAVORKIT_EXCLUDE, and accounts to remove as FLAVORKIT_REMOVE_USERS. Third-party repositories are
// files in FLAVORKIT_REPOSITORIES and FLAVORKIT_SECRETS; for mirrors and an authority see common.sh.
func script(manager string) (graph.Script, error) {
	common, err := scripts.ReadFile("common.sh")
	if err != nil {
		return graph.Script{}, err
	}
	text, err := scripts.ReadFile(manager + ".sh")
	return graph.Script{
		Name:   manager + ".sh",
		Text:   text,
		Beside: []graph.Script{{Name: "common.sh", Text: common}},
	}, errors.Wrapf(err, "no package manager is called %q", manager)
}

// cache is the directory for downloads. It is a mount, so it does not get into the result.
const cache = graph.ScriptDir + "/cache"

// Install installs packages into their base image. Steps with the same purpose share a cache for
// downloads.
func Install(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, in plan.Install, purpose string) (llb.State, error) {
	base, err := s.Image(ctx, in.Base)
	if err != nil {
		return llb.State{}, err
	}
	return installOn(ctx, g, s, p, in, base, environment(in), purpose)
}

// InstallOn is Install for a system that was made from the base image.
func InstallOn(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, in plan.Install, base llb.State, purpose string) (llb.State, error) {
	env := environment(in)
	env["FLAVORKIT_MADE"] = "yes"
	return installOn(ctx, g, s, p, in, base, env, purpose)
}

func installOn(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, in plan.Install, base llb.State, env map[string]string, purpose string) (llb.State, error) {
	if len(in.Packages) == 0 {
		return base, nil
	}
	text, err := script(in.Manager)
	if err != nil {
		return llb.State{}, err
	}
	base = prepare(s, base, in)
	list(env, "FLAVORKIT_EXCLUDE", in.Exclude)
	list(env, "FLAVORKIT_REMOVE_USERS", in.RemoveUsers)
	command := graph.Command{
		Title:   "install " + summary(in.Packages),
		Script:  text,
		Env:     env,
		Explain: func(code uint32) error { return cmp.Or(explain(p, in, code), error(&NotInstalled{in})) },
	}
	if locked, ok := g.Lock.Find(lock.RequestOf(in, s.Platform().Architecture, false)); ok {
		useArchives(g, s, in, locked, g.Lock.Archives[locked.Distro], &command)
		return s.Run(base, command).Root(), nil
	}
	access, mounts, err := reach(ctx, g, p, in)
	if err != nil {
		return llb.State{}, err
	}
	maps.Copy(env, access)
	command.Args = append(command.Args, arguments(in, false)...)
	command.Network = true
	command.Mounts = append([]llb.RunOption{downloads(s, in, s.Platform().Architecture, purpose)}, mounts...)
	return s.Run(base, command).Root(), nil
}

// NotInstalled is the failure of an installation that says nothing about its cause. A package may be
// missing.
type NotInstalled struct{ Install plan.Install }

func (e *NotInstalled) Error() string {
	return fmt.Sprintf("%s cannot install the packages", e.Install.Manager)
}

// prepare lays the files into a base that are there before the first package.
func prepare(s graph.Stage, base llb.State, in plan.Install) llb.State {
	if len(in.Prepare) == 0 {
		return base
	}
	var files []tree.Entry
	for path, text := range in.Prepare {
		files = append(files, tree.File(path, []byte(text)))
	}
	return s.Tree(base, "prepare the base for hooks of packages", files)
}

// environment of a package manager that chooses packages.
func environment(in plan.Install) map[string]string {
	env := map[string]string{"FLAVORKIT_CACHE": cache}
	list(env, "FLAVORKIT_AREAS", in.Areas)
	list(env, "FLAVORKIT_SKIP_REPOSITORIES", in.SkipRepositories)
	maps.Copy(env, in.Env)
	return env
}

// list sets a variable to values, one a line; without any it is not set.
func list(env map[string]string, name string, values []string) {
	if len(values) > 0 {
		env[name] = strings.Join(values, "\n")
	}
}

// downloads returns the cache mount for a distribution, architecture and purpose.
func downloads(s graph.Stage, in plan.Install, arch, purpose string) llb.RunOption {
	return s.Cache(cache, strings.Join([]string{in.Manager, in.Distro, arch, purpose}, "-"))
}

// Take extracts files from packages without installing them. The packages may be for another
// architecture than that of the stage.
func Take(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, in plan.Install, files []string, arch, purpose string) (llb.State, error) {
	take, err := script(in.Manager + "-take")
	if err != nil {
		return llb.State{}, err
	}
	base, err := s.Image(ctx, in.Base)
	if err != nil {
		return llb.State{}, err
	}
	env := map[string]string{
		"FLAVORKIT_CACHE": cache, "FLAVORKIT_ARCH": arch,
		"FLAVORKIT_AREAS": strings.Join(in.Areas, "\n"), "FLAVORKIT_FILES": strings.Join(files, "\n"),
	}
	command := graph.Command{
		Title:   "extract files from " + summary(in.Packages),
		Script:  take,
		Args:    []string{"/out"},
		Env:     env,
		Explain: func(code uint32) error { return explain(p, in, code) },
	}
	if locked, ok := g.Lock.Find(lock.RequestOf(in, arch, true)); ok {
		useArchives(g, s, in, locked, g.Lock.Archives[locked.Distro], &command)
		return s.Run(base, command).AddMount("/out", llb.Scratch()), nil
	}
	access, mounts, err := reach(ctx, g, p, in)
	if err != nil {
		return llb.State{}, err
	}
	maps.Copy(env, access)
	command.Args = append(command.Args, arguments(in, false)...)
	command.Network = true
	command.Mounts = append([]llb.RunOption{downloads(s, in, arch, purpose)}, mounts...)
	return s.Run(base, command).AddMount("/out", llb.Scratch()), nil
}

// arguments returns the packages in the form of the package manager. From the archives of a lock,
// only what stays in the image comes from a repository with a tag.
func arguments(in plan.Install, locked bool) []string {
	manager, _ := catalog.ManagerByName(in.Manager)
	var args []string
	for _, p := range in.Packages {
		name := p.Name
		for _, r := range in.Repositories {
			if slices.Contains(r.Packages, p.Name) && (r.Keep || !locked) {
				name = manager.Tagged(p.Name, r.Name)
			}
		}
		args = append(args, manager.Package(name, p.Version))
	}
	return args
}

// summary returns the first packages of a list, for the progress output.
func summary(packages []plan.Package) string {
	const most = 3
	var shown []string
	for _, p := range packages[:min(most, len(packages))] {
		shown = append(shown, p.String())
	}
	text := strings.Join(shown, " ")
	if more := len(packages) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
