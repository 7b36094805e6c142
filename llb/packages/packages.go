// Package packages asks the package managers of a plan what its stages would install.
package packages

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Resolve holds the answers for all stages, in a directory for each. Nothing is installed.
func Resolve(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
	return ResolveStages(ctx, g, p, p.Stages())
}

// ResolveStages is Resolve for some of the stages.
func ResolveStages(ctx context.Context, g *graph.Graph, p *plan.Plan, stages []plan.Stage) (llb.State, error) {
	return resolve(ctx, g, p, stages, false)
}

// Lock is Resolve for some of the stages, with the addresses and checksums of all packages.
func Lock(ctx context.Context, g *graph.Graph, p *plan.Plan, stages []plan.Stage) (llb.State, error) {
	return resolve(ctx, g, p, stages, true)
}

// Fits asks whether archives of packages are all that a stage needs (distro.Fits).
func Fits(ctx context.Context, g *graph.Graph, p *plan.Plan, stage plan.Stage, locked lock.Stage, archives map[string]lock.Archive) (llb.State, error) {
	return distro.Fits(ctx, g, stageOf(g, p, stage), stage.Install, locked, archives)
}

// stageOf is a stage on the platform that its packages are installed on.
func stageOf(g *graph.Graph, p *plan.Plan, stage plan.Stage) graph.Stage {
	s := g.Stage(stage.Install.Distro+"/"+stage.Name, p.At(stage.At))
	if stage.Native {
		return s.On(g.Build)
	}
	return s
}

func resolve(ctx context.Context, g *graph.Graph, p *plan.Plan, stages []plan.Stage, locks bool) (llb.State, error) {
	var action *llb.FileAction
	for _, stage := range stages {
		q := distro.Question{Purpose: purpose(stage), Lock: locks}
		if stage.Extract {
			q.Extract = p.Arch
		}
		answer, err := distro.Resolve(ctx, g, stageOf(g, p, stage), p, stage.Install, q)
		if err != nil {
			return llb.State{}, err
		}
		action = action.Copy(answer, "/", "/"+stage.Name, &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true})
	}
	return g.Stage("packages", p.At(key.Packages)).On(g.Build).File(llb.Scratch(), "gather what would be installed", action), nil
}

// purpose names the cache that the stage shares with the installation.
func purpose(s plan.Stage) string {
	name, _, _ := strings.Cut(s.Name, "-")
	return name
}

// Stage is what a stage would install.
type Stage struct {
	// Stage is its name, such as userland.
	Stage  string `json:"stage"`
	Distro string `json:"distro"`
	// Size is that of all archives in bytes; -1 when the package manager does not tell.
	Size     int64            `json:"size"`
	Packages []distro.Package `json:"packages"`
}

// System is what a build of a system would install.
type System struct {
	// Name of the system, as of its files.
	Name   string  `json:"name"`
	Arch   string  `json:"arch"`
	Stages []Stage `json:"stages"`
}

// Absence is a package of a stage that there is not.
type Absence struct {
	Stage plan.Stage
	distro.Missing
	// Names are all that the repositories have.
	Names []string
}

// Read reads the answers for stages from the state of Resolve. open returns a file of it.
func Read(p *plan.Plan, stages []plan.Stage, open func(name string) ([]byte, error)) (System, []Absence, error) {
	all := System{Name: p.File, Arch: p.Arch}
	var absent []Absence
	for _, stage := range stages {
		r, err := distro.Read(stage.Install, func(name string) ([]byte, error) {
			data, err := open(path.Join(stage.Name, name))
			// Scripts write only what there is to say.
			if errors.Is(err, fs.ErrNotExist) && name != distro.Answer {
				return nil, nil
			}
			return data, err
		})
		if err != nil {
			return System{}, nil, errors.Wrap(err, stage.Install.Distro+"/"+stage.Name)
		}
		for _, m := range r.Missing {
			absent = append(absent, Absence{stage, m, r.Names})
		}
		all.Stages = append(all.Stages, Stage{Stage: stage.Name, Distro: stage.Install.Distro, Size: r.Size, Packages: r.Packages})
	}
	return all, absent, nil
}

// String is a table for each stage.
func (s System) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n", s.Name)
	for _, stage := range s.Stages {
		fmt.Fprintf(&text, "\n%s, %s: %d packages, %s\n", stage.Stage, stage.Distro, len(stage.Packages), size(stage.Size))
		w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "  NAME\tVERSION\tARCH\tSIZE\tREPOSITORY")
		for _, p := range stage.Packages {
			bytes := "-"
			if p.Size >= 0 {
				bytes = strconv.FormatInt(p.Size, 10)
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", p.Name, p.Version, p.Arch, bytes, p.Repository)
		}
		_ = w.Flush() // into memory
	}
	return text.String()
}

// size is for people.
func size(bytes int64) string {
	if bytes < 0 {
		return "size unknown"
	}
	return fmt.Sprintf("%.1f MB to fetch", float64(bytes)/1e6)
}
