package frontend

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// epochArg is the build argument for the time of all built files, in seconds since 1970
// (reproducible-builds.org).
const epochArg = "SOURCE_DATE_EPOCH"

// ConfigArg is the build argument with the specs.Site of the network that the build runs in, for
// clients that cannot change the spec.
const ConfigArg = "FLAVORKIT_CONFIG"

// site is that of the build; nil when it says nothing about its network.
func (r *request) site() *specs.Source {
	text := r.ui.BuildArgs[ConfigArg]
	if text == "" {
		return nil
	}
	return &specs.Source{Name: ConfigArg, Data: []byte(text)}
}

// buildArg is a build argument.
type buildArg struct{ name, description string }

// buildArgs are all build arguments except those for proxies, which every build has, and those
// that specs declare.
func buildArgs() []buildArg {
	return []buildArg{
		{epochArg, "time of all built files, in seconds since 1970 (default: that of the base image)"},
		{ConfigArg, "mirrors and the authority of your network, as in a spec: {mirrors: …, ca: …}"},
		{LockedArg, "1 refuses a build of anything that the lock file does not have"},
		{AttestLockArg, "1 chooses packages first, and attaches the lock of what is built as an attestation"},
		{debugArg, "1 leaves running the steps to the client, for its debugger; errors are not explained"},
		{withoutArg, "capabilities of BuildKit not to use: mergeop, diffop, passthroughop"},
	}
}

// platforms returns the target platform and the build platform. Neither follows from the platform
// of the frontend, which may be emulated.
func (in *inputs) platforms(requested *ocispecs.Platform) (target, builder ocispecs.Platform) {
	builder = platforms.DefaultSpec()
	if len(in.ui.BuildPlatforms) > 0 {
		builder = in.ui.BuildPlatforms[0]
	}
	if requested == nil {
		requested = &builder
	}
	return platforms.Normalize(*requested), platforms.Normalize(builder)
}

// graph returns the environment for the user's options, without the epoch.
func (r *request) graph(src graph.Sources, cat *catalog.Catalog, target, builder ocispecs.Platform) *graph.Graph {
	return &graph.Graph{
		Sources:        src,
		Overlays:       cat.Overlays(),
		Snapshots:      cat.Snapshots,
		Caps:           r.caps(),
		Bundle:         r.bundle.downloads(),
		Target:         target,
		Build:          builder,
		Several:        len(r.ui.TargetPlatforms) > 1,
		CacheNamespace: r.ui.CacheIDNamespace,
		NoCache:        r.ui.IsNoCache,
		Locate:         r.sourceMaps.location,
		Network:        r.ui.NetworkMode,
		RunOptions:     r.runOptions(),
	}
}

// debugArg is the build argument for debuggers, which stop at steps and in a step that fails.
const debugArg = "FLAVORKIT_DEBUG"

// withoutArg is the build argument that turns off capabilities, to see the graph for an older
// daemon: mergeop, diffop, passthroughop.
const withoutArg = "FLAVORKIT_WITHOUT"

func (r *request) caps() graph.Caps {
	caps := graph.CapsOf(r.ui.BuildOpts().LLBCaps)
	without := strings.Split(r.ui.BuildArgs[withoutArg], ",")
	caps.Merge = caps.Merge && !slices.Contains(without, string(pb.CapMergeOp))
	caps.Diff = caps.Diff && !slices.Contains(without, string(pb.CapDiffOp))
	caps.Passthrough = caps.Passthrough && !slices.Contains(without, string(pb.CapPassthroughOp))
	return caps
}

// BuildTime is the time that warnings count from: that of SOURCE_DATE_EPOCH, in seconds, or when it
// is empty that of the clock.
func BuildTime(sourceDate string, clock func() time.Time) (time.Time, error) {
	if sourceDate != "" {
		return epoch(sourceDate, nil)
	}
	return clock(), nil
}

func (r *request) now() (time.Time, error) {
	return BuildTime(r.ui.BuildArgs[epochArg], r.clock)
}

// clock returns the time, whatever that of the built files is.
func (r *request) clock() time.Time {
	if r.options.Clock == nil {
		return time.Now()
	}
	return r.options.Clock()
}

// epoch returns the time of all built files: SOURCE_DATE_EPOCH, or the newest time in the
// configuration of the base image. So builds are reproducible by default, and a newer base image
// has a newer time.
func epoch(arg string, base *dockerspec.DockerOCIImage) (time.Time, error) {
	if arg != "" {
		seconds, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return time.Time{}, errors.Errorf("build argument %s=%q is not a number of seconds", epochArg, arg)
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	newest := graph.DefaultEpoch()
	if base == nil {
		return newest, nil
	}
	for _, h := range base.History {
		if h.Created != nil && h.Created.After(newest) {
			newest = h.Created.UTC().Truncate(time.Second)
		}
	}
	return newest, nil
}

// runOptions applies the options of docker build to every step.
func (r *request) runOptions() []llb.RunOption {
	var opts []llb.RunOption
	if p := r.proxy(); p != (llb.ProxyEnv{}) {
		opts = append(opts, llb.WithProxy(p))
	}
	if r.ui.CgroupParent != "" {
		opts = append(opts, llb.WithCgroupParent(r.ui.CgroupParent))
	}
	for _, h := range r.ui.ExtraHosts {
		opts = append(opts, llb.AddExtraHost(h.Host, h.IP))
	}
	if size := r.ui.ShmSize; size > 0 {
		opts = append(opts, llb.AddMount("/dev/shm", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(size))))
	}
	for _, u := range r.ui.Ulimits {
		opts = append(opts, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
	}
	return opts
}

// proxy reads the proxy build arguments that every docker build has. They are not part of cache
// keys.
func (r *request) proxy() llb.ProxyEnv {
	var p llb.ProxyEnv
	for name, field := range proxyArgs(&p) {
		var ok bool
		if *field, ok = r.ui.BuildArgs[name]; !ok {
			*field = r.ui.BuildArgs[strings.ToLower(name)]
		}
	}
	return p
}

// proxyArgs are the build arguments for proxies. They may also be in lower case.
func proxyArgs(p *llb.ProxyEnv) map[string]*string {
	return map[string]*string{
		"HTTP_PROXY": &p.HTTPProxy, "HTTPS_PROXY": &p.HTTPSProxy, "FTP_PROXY": &p.FTPProxy,
		"NO_PROXY": &p.NoProxy, "ALL_PROXY": &p.AllProxy,
	}
}

func isProxy(arg string) bool {
	known := proxyArgs(&llb.ProxyEnv{})
	return known[arg] != nil || arg == strings.ToLower(arg) && known[strings.ToUpper(arg)] != nil
}

// requested returns the requested platforms; a single nil stands for the build platform.
func (r *request) requested() []*ocispecs.Platform {
	var all []*ocispecs.Platform
	for i := range r.ui.TargetPlatforms {
		all = append(all, &r.ui.TargetPlatforms[i])
	}
	if len(all) == 0 {
		all = append(all, nil)
	}
	return all
}
