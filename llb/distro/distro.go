// Package distro holds the package managers. Each is a mechanism: how to
// install a list of packages into an image in one cached step, leaving
// nothing behind that differs from run to run. Which packages is the
// catalog's matter.
package distro

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

//go:embed *.sh
var scripts embed.FS

// script is how a package manager is run: it gets the packages as arguments, in
// the manager's own form, and the directory for downloads as FLAVORKIT_CACHE. What
// catalog.Manager says that it can do, it is asked for by lists, one a line: areas
// of its archive as FLAVORKIT_AREAS, repositories to leave alone as
// FLAVORKIT_SKIP_REPOSITORIES, paths that no package may bring as
// FLAVORKIT_EXCLUDE, and accounts to take away as FLAVORKIT_REMOVE_USERS.
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

// cache is where scripts keep downloads. It is a mount, so that none of it gets
// into the result.
const cache = graph.ScriptDir + "/cache"

// Install puts packages into their base image. The purpose names the cache of
// downloads, in which steps with the same purpose find what others left.
func Install(ctx context.Context, s graph.Stage, in plan.Install, purpose string) (llb.State, error) {
	install, err := script(in.Manager)
	if err != nil {
		return llb.State{}, err
	}
	base, err := s.Image(ctx, in.Base)
	if err != nil {
		return llb.State{}, err
	}
	if len(in.Packages) == 0 {
		return base, nil
	}
	if len(in.Prepare) > 0 {
		var files []tree.Entry
		for path, text := range in.Prepare {
			files = append(files, tree.File(path, []byte(text)))
		}
		base = s.Tree(base, "prepare the base for hooks of packages", files)
	}
	env := map[string]string{"FLAVORKIT_CACHE": cache}
	for name, values := range map[string][]string{
		"FLAVORKIT_AREAS":             in.Areas,
		"FLAVORKIT_EXCLUDE":           in.Exclude,
		"FLAVORKIT_SKIP_REPOSITORIES": in.SkipRepositories,
		"FLAVORKIT_REMOVE_USERS":      in.RemoveUsers,
	} {
		if len(values) > 0 {
			env[name] = strings.Join(values, "\n")
		}
	}
	maps.Copy(env, in.Env)
	return s.Run(base, graph.Command{
		Title:   "install " + summary(in.Packages),
		Script:  install,
		Args:    arguments(in),
		Env:     env,
		Network: true,
		Mounts:  []llb.RunOption{downloads(s, in, s.Platform().Architecture, purpose)},
	}).Root(), nil
}

// downloads are kept for each distribution, architecture and purpose.
func downloads(s graph.Stage, in plan.Install, arch, purpose string) llb.RunOption {
	return s.Cache(cache, strings.Join([]string{in.Manager, in.Distro, arch, purpose}, "-"))
}

// Take takes files out of packages, and installs none: the stage may run on
// another architecture than that of the packages.
func Take(ctx context.Context, s graph.Stage, in plan.Install, files []string, arch, purpose string) (llb.State, error) {
	take, err := script(in.Manager + "-take")
	if err != nil {
		return llb.State{}, err
	}
	base, err := s.Image(ctx, in.Base)
	if err != nil {
		return llb.State{}, err
	}
	return s.Run(base, graph.Command{
		Title:  "take files out of " + summary(in.Packages),
		Script: take,
		Args:   append([]string{"/out"}, arguments(in)...),
		Env: map[string]string{
			"FLAVORKIT_CACHE": cache, "FLAVORKIT_ARCH": arch,
			"FLAVORKIT_AREAS": strings.Join(in.Areas, "\n"), "FLAVORKIT_FILES": strings.Join(files, "\n"),
		},
		Network: true,
		Mounts:  []llb.RunOption{downloads(s, in, arch, purpose)},
	}).AddMount("/out", llb.Scratch()), nil
}

// arguments are the packages as the package manager takes them.
func arguments(in plan.Install) []string {
	manager, _ := catalog.ManagerByName(in.Manager)
	var args []string
	for _, p := range in.Packages {
		args = append(args, manager.Package(p.Name, p.Version))
	}
	return args
}

// summary names the first packages of a list for the progress output.
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
