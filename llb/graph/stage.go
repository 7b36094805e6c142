package graph

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/specs"
)

// ScriptDir is where scripts are mounted in a step, and the only path that steps
// may use besides their inputs.
const ScriptDir = "/run/flavorkit"

// Stage is a part of the graph. Its vertices share the name in brackets, the
// progress group and the position in the spec that caused them.
type Stage struct {
	graph    *Graph
	name     string
	origin   specs.Range
	platform ocispecs.Platform
}

// Stage returns a stage that runs on the target platform.
func (g *Graph) Stage(name string, origin specs.Range) Stage {
	return Stage{graph: g, name: name, origin: origin, platform: g.Target}
}

// On moves the stage to another platform.
func (s Stage) On(p ocispecs.Platform) Stage {
	s.platform = p
	return s
}

// Platform that the stage runs on.
func (s Stage) Platform() ocispecs.Platform { return s.platform }

// options gives a vertex its name, group, place, platform and cache rule. A
// progress group is one line of the progress output.
func (s Stage) options(title string) []llb.ConstraintsOpt {
	name := s.title(title)
	opts := []llb.ConstraintsOpt{
		llb.WithCustomName(name),
		llb.ProgressGroup(name, name, false),
		llb.Platform(s.platform),
	}
	if s.graph.Locate != nil {
		opts = append(opts, s.graph.Locate(s.origin))
	}
	if s.graph.NoCache != nil && s.graph.NoCache(s.name) {
		opts = append(opts, llb.IgnoreCache)
	}
	return opts
}

// title is the name of a vertex. Steps for one of several platforms have the
// platform in it.
func (s Stage) title(title string) string {
	if g := s.graph; g.Several && platforms.OnlyStrict(g.Target).Match(s.platform) {
		return fmt.Sprintf("[%s %s] %s", platforms.Format(s.platform), s.name, title)
	}
	return fmt.Sprintf("[%s] %s", s.name, title)
}

// Image is a container image for the platform of the stage. When it cannot be
// found, the error has the position in the spec that asks for it.
func (s Stage) Image(ctx context.Context, ref string) (llb.State, error) {
	state, err := s.graph.Sources.Image(ctx, ref, s.platform)
	if err == nil || ctx.Err() != nil {
		return state, err
	}
	return llb.State{}, specs.Diagnostics{{
		Range:   s.origin,
		Message: err.Error(),
		Hint:    "is its registry reachable? The image can be handed in with --build-context " + ref + "=oci-layout://…",
	}}
}

// File runs file operations on a state.
func (s Stage) File(on llb.State, title string, action *llb.FileAction) llb.State {
	return on.File(action, s.options(title)...)
}

// Tree adds small files to a state.
func (s Stage) Tree(on llb.State, title string, entries []tree.Entry) llb.State {
	return s.File(on, title, s.graph.Tree(entries))
}

// Fetch downloads a file.
func (s Stage) Fetch(title, url string, opts ...llb.HTTPOption) llb.State {
	for _, o := range s.options(title) {
		opts = append(opts, o)
	}
	return llb.HTTP(url, opts...)
}

// Script is a shell script that is part of flavorkit. Values reach it as
// arguments, environment or files, never as part of its text.
type Script struct {
	// Name is the file name.
	Name string
	// Text of the script, with its #! line.
	Text []byte
	// Beside are scripts that it sources from its own directory.
	Beside []Script
}

// mounts mounts the script, and those that it sources, in ScriptDir.
func (g *Graph) mounts(script Script) []llb.RunOption {
	state := llb.Scratch().File(
		llb.Mkfile("/"+script.Name, 0o755, script.Text, llb.WithCreatedTime(DefaultEpoch)),
		llb.WithCustomName("[internal] script "+script.Name), llb.Platform(g.Build),
		// A group apart: BuildKit never reports vertices without inputs as cached,
		// so in the group of a step they would make it look as if it ran.
		llb.ProgressGroup("scripts", "[internal] load the scripts of flavorkit", false),
	)
	mounts := []llb.RunOption{llb.AddMount(script.path(), state, llb.SourcePath("/"+script.Name), llb.Readonly)}
	for _, beside := range script.Beside {
		mounts = append(mounts, g.mounts(beside)...)
	}
	return mounts
}

func (s Script) path() string { return path.Join(ScriptDir, s.Name) }

// Command is a step that runs a script.
type Command struct {
	Title  string
	Script Script
	Args   []string
	Env    map[string]string
	// Network is true for steps that fetch packages.
	Network bool
	// Mounts of inputs and caches.
	Mounts []llb.RunOption
	// Explain tells what an exit code of the step says about the spec; nil for a
	// step whose exit codes say nothing. A failure that is not explained is
	// shown with the place of the stage.
	Explain Explain
}

// Run runs a script on a state.
func (s Stage) Run(on llb.State, c Command) llb.ExecState {
	opts := []llb.RunOption{
		llb.Args(append([]string{c.Script.path()}, c.Args...)),
		llb.AddEnv("LC_ALL", "C.UTF-8"),
	}
	opts = append(opts, s.graph.mounts(c.Script)...)
	for _, key := range slices.Sorted(maps.Keys(c.Env)) {
		opts = append(opts, llb.AddEnv(key, c.Env[key]))
	}
	network := pb.NetMode_NONE
	if c.Network {
		network = s.graph.Network
	}
	opts = append(opts, llb.Network(network))
	opts = append(opts, s.graph.RunOptions...)
	for _, o := range s.options(c.Title) {
		opts = append(opts, o)
	}
	if c.Explain != nil {
		opts = append(opts, s.graph.explanations.add(c.Explain))
	}
	return on.Run(append(opts, c.Mounts...)...)
}

// EpochEnv is the environment that makes tools write the epoch instead of the
// time of the build (reproducible-builds.org, SOURCE_DATE_EPOCH).
func (g *Graph) EpochEnv() map[string]string {
	return map[string]string{"SOURCE_DATE_EPOCH": strconv.FormatInt(g.Epoch.Unix(), 10)}
}

// Cache mounts a directory that outlives builds. Steps that use it at the same
// time get one each: a step that waits would occupy the slot of one that could
// run.
func (s Stage) Cache(target, id string) llb.RunOption {
	return llb.AddMount(target, llb.Scratch(), llb.AsPersistentCacheDir(s.graph.CacheNamespace+id, llb.CacheMountPrivate))
}
