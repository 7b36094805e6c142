package distro

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// archivesDir is where a step finds the archives of a lock.
const archivesDir = graph.ScriptDir + "/archives"

// Fits asks a package manager whether it can install packages from archives alone: the step fails if
// it cannot. The archives are those of a stage of the lock, or newer ones.
func Fits(ctx context.Context, g *graph.Graph, s graph.Stage, in plan.Install, locked lock.Stage, archives map[string]lock.Archive) (llb.State, error) {
	resolve, err := script(in.Manager + "-resolve")
	if err != nil {
		return llb.State{}, err
	}
	base, err := s.Image(ctx, in.Base)
	if err != nil {
		return llb.State{}, err
	}
	command := graph.Command{
		Title:  "look whether the packages of the lock go together",
		Script: resolve,
		Args:   []string{"/out"},
		Env:    environment(in),
	}
	useArchives(g, s, in, locked, archives, &command)
	return s.Run(prepare(s, base, in), command).AddMount("/out", llb.Scratch()), nil
}

// useArchives has a step take its packages from the archives of a lock. They are downloaded beside
// each other, each with its checksum, and the step has no network. The names of their files are
// their checksums, unless the package manager looks for others.
func useArchives(g *graph.Graph, s graph.Stage, in plan.Install, locked lock.Stage, archives map[string]lock.Archive, c *graph.Command) {
	c.Args = append(c.Args, arguments(in, true)...)
	c.Env["FLAVORKIT_ARCHIVES"] = archivesDir
	c.Mounts = []llb.RunOption{llb.AddMount(cache, llb.Scratch(), llb.Tmpfs())}
	if in.KeepMirrors {
		mirrors(in, c.Env)
		c.Env["FLAVORKIT_PRIVATE"] = privateDir
		c.Mounts = append(c.Mounts, llb.AddMount(privateDir, llb.Scratch(), llb.Tmpfs()))
	}
	for _, id := range locked.Archives {
		a := archives[id]
		file := a.SHA256 + path.Ext(a.URL)
		if name := managers()[in.Manager].archive; name != nil {
			packageName, version, _ := lock.SplitID(id)
			file = name(packageName, version)
		}
		from := FetchArchive(g, s, in, id, a, file)
		c.Mounts = append(c.Mounts, llb.AddMount(path.Join(archivesDir, file), from, llb.SourcePath("/"+file), llb.Readonly))
	}
	// Without a network, the package manager cannot add this one for repositories with https.
	certificates := managers()[in.Manager].certificates
	asked := slices.ContainsFunc(in.Packages, func(p plan.Package) bool { return p.Name == certificates })
	brought := slices.ContainsFunc(locked.Archives, func(id string) bool {
		name, _, _ := lock.SplitID(id)
		return name == certificates
	})
	secure := slices.ContainsFunc(in.Repositories, func(r plan.Repository) bool { return strings.HasPrefix(r.URL, "https:") })
	if certificates != "" && secure && brought && !asked {
		c.Args = append(c.Args, certificates)
	}
}

// FetchArchive downloads an archive of a lock as a file of a name.
func FetchArchive(g *graph.Graph, s graph.Stage, in plan.Install, id string, a lock.Archive, file string) llb.State {
	return s.Fetch(graph.Download{
		Group: "download the packages of the lock", Title: "download " + id, URL: in.Mirrored(a.URL), File: file,
		Sum:       digest.NewDigestFromEncoded(digest.SHA256, a.SHA256),
		Elsewhere: g.Snapshots(in.Distro, in.Canonical(a.URL), a.Seen),
		Explain:   func(cause error) error { return goneArchive(g.Lock, in.Distro, id, cause) },
	})
}

// goneArchive is the mistake that an archive of the lock cannot be had.
func goneArchive(l *lock.File, distro, id string, cause error) error {
	return specs.Diagnostics{l.Diagnose(rules.LockedFileGone, "archives."+distro+"."+id, "choose what the repositories have now with flavorkit lock --update", "%s", cause)}
}
