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
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/specs"
)

// ScriptDir is the directory for scripts in a step, and the only path that steps may use in
// addition to their inputs.
const ScriptDir = "/run/flavorkit"

// Stage is a part of the graph. Its vertices share the name in brackets, the progress group and the
// position in the spec.
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

// On returns the stage on another platform.
func (s Stage) On(p ocispecs.Platform) Stage {
	s.platform = p
	return s
}

// Platform that the stage runs on.
func (s Stage) Platform() ocispecs.Platform { return s.platform }

// options returns the name, group, place, platform and cache rule of a vertex. A progress group is
// one line of the progress output.
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

// layerKey is the key in a vertex's description that it makes layers.
const layerKey = "flavorkit.layer"

// layerOptions are options for a vertex whose name gets into the history of an image: file operations, a
// merge or a difference (BuildKit, solver/llbsolver/ops). Its name does not depend on what else is built, or
// the digest of the image would. The group has the name that people see.
func (s Stage) layerOptions(title string) []llb.ConstraintsOpt {
	return append(s.options(title), llb.WithCustomName(s.alone(title)), llb.WithDescription(map[string]string{layerKey: ""}))
}

// IsLayer reports whether the name of a vertex gets into the history of an image.
func IsLayer(vertex llb.OpMetadata) bool {
	_, ok := vertex.Description[layerKey]
	return ok
}

// title returns the name of a vertex. It contains the platform if there are several.
func (s Stage) title(title string) string {
	if g := s.graph; g.Several && platforms.OnlyStrict(g.Target).Match(s.platform) {
		return fmt.Sprintf("[%s %s] %s", platforms.Format(s.platform), s.name, title)
	}
	return s.alone(title)
}

// alone is the name of a vertex in a build of one system.
func (s Stage) alone(title string) string { return fmt.Sprintf("[%s] %s", s.name, title) }

// Image returns a container image for the platform of the stage. If it cannot be found, the error
// points at the spec.
func (s Stage) Image(ctx context.Context, ref string) (llb.State, error) {
	state, err := s.graph.Sources.Image(ctx, ref, s.platform)
	return state, s.noImage(ctx, ref, err)
}

// Blobs returns the blobs of a container image for the platform of the stage. If it cannot be found, the
// error points at the spec.
func (s Stage) Blobs(ctx context.Context, ref string) (Blobs, error) {
	found, err := s.graph.Sources.Blobs(ctx, s, ref)
	return found, s.noImage(ctx, ref, err)
}

// noImage points at the spec for an image that cannot be found.
func (s Stage) noImage(ctx context.Context, ref string, err error) error {
	var mistakes specs.Diagnostics
	if err == nil || ctx.Err() != nil || errors.As(err, &mistakes) {
		return err
	}
	return specs.Diagnostics{{
		Range:   s.origin,
		Message: err.Error(),
		Hint:    "is its registry reachable? Or pass the image with --build-context " + ref + "=oci-layout://…",
	}}
}

// File runs file operations on a state.
func (s Stage) File(on llb.State, title string, action *llb.FileAction) llb.State {
	return on.File(action, s.layerOptions(title)...)
}

// Take is File for a copy whose source may lack the path; missing is the error then.
func (s Stage) Take(on llb.State, title string, action *llb.FileAction, missing error) llb.State {
	explain := func(code uint32) error {
		if code == NotFound {
			return missing
		}
		return nil
	}
	return on.File(action, append(s.layerOptions(title), s.graph.explanations.add(explain))...)
}

// Tree adds small files to a state.
func (s Stage) Tree(on llb.State, title string, entries []tree.Entry) llb.State {
	return s.File(on, title, s.graph.Tree(entries))
}

// Script is a shell script of flavorkit. It gets values as arguments, environment variables or
// files, never as part of its text.
type Script struct {
	// Name is the file name.
	Name string
	// Text of the script, with its #! line.
	Text []byte
	// Beside are scripts that it sources from its directory.
	Beside []Script
}

// mounts mounts the script and the scripts that it sources in ScriptDir.
func (g *Graph) mounts(script Script) []llb.RunOption {
	state := llb.Scratch().File(
		llb.Mkfile("/"+script.Name, 0o755, script.Text, llb.WithCreatedTime(DefaultEpoch())),
		llb.WithCustomName("[internal] script "+script.Name), llb.Platform(g.Build),
		// A separate group: BuildKit never reports vertices without inputs as cached, so they would
		// make a cached step look as if it ran.
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
	// Network is true for steps that download packages.
	Network bool
	// Fresh steps run in every build, because they ask for the current state.
	Fresh bool
	// Mounts for inputs and caches.
	Mounts []llb.RunOption
	// Explain explains exit codes of the step as errors in the spec; nil if there is nothing to
	// explain. Other failures are shown with the place of the stage.
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
	if c.Fresh {
		opts = append(opts, llb.IgnoreCache)
	}
	if c.Explain != nil {
		opts = append(opts, s.graph.explanations.add(c.Explain))
	}
	return on.Run(append(opts, c.Mounts...)...)
}

// EpochEnv returns the environment that makes tools write the epoch instead of the time of the
// build (reproducible-builds.org, SOURCE_DATE_EPOCH).
func (g *Graph) EpochEnv() map[string]string {
	return map[string]string{"SOURCE_DATE_EPOCH": strconv.FormatInt(g.Epoch.Unix(), 10)}
}

// Cache mounts a directory that is kept between builds. Steps that use it at the same time get
// separate ones: a waiting step would occupy a slot of the scheduler.
func (s Stage) Cache(target, id string) llb.RunOption {
	return llb.AddMount(target, llb.Scratch(), llb.AsPersistentCacheDir(s.graph.CacheNamespace+id, llb.CacheMountPrivate))
}
