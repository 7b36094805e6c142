// Package distro holds the package managers. Each is a mechanism: how to
// install a list of packages into an image in one cached step, leaving
// nothing behind that differs from run to run. Which packages is the
// catalog's matter.
package distro

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/llb/graph"
)

// manager is how a package manager is run: a script that gets the packages as
// arguments, and a folder for downloads that outlives builds.
type manager struct {
	script graph.Script
	// cache is where the script keeps downloads. It is a mount, so that none
	// of it gets into the result.
	cache string
}

//go:embed apt.sh
var aptScript []byte

func managerOf(name string) (manager, error) {
	const cache = graph.ScriptDir + "/cache"
	switch name {
	case "apt":
		return manager{graph.Script{Name: "apt.sh", Text: aptScript}, cache}, nil
	default:
		return manager{}, errors.Errorf("no package manager is called %q", name)
	}
}

// Install puts packages into their base image. The purpose names the cache of
// downloads: two steps with the same purpose wait for each other, steps with
// different ones run in parallel.
func Install(ctx context.Context, s graph.Stage, in plan.Install, purpose string) (llb.State, error) {
	m, err := managerOf(in.Manager)
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
	env := map[string]string{"FLAVORKIT_CACHE": m.cache, "FLAVORKIT_EXCLUDE": strings.Join(in.Exclude, "\n")}
	maps.Copy(env, in.Env)
	return s.Run(base, graph.Command{
		Title:   "install " + summary(in.Packages),
		Script:  m.script,
		Args:    in.Packages,
		Env:     env,
		Network: true,
		Mounts:  []llb.RunOption{s.Cache(m.cache, strings.Join([]string{in.Manager, in.Distro, s.Platform().Architecture, purpose}, "-"))},
	}).Root(), nil
}

// summary names the first packages of a list for the progress output.
func summary(packages []string) string {
	const shown = 3
	if len(packages) <= shown {
		return strings.Join(packages, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(packages[:shown], " "), len(packages)-shown)
}
