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
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// epochArg is the build argument for the time of all built files, in seconds since 1970
// (reproducible-builds.org).
const epochArg = "SOURCE_DATE_EPOCH"

// buildArg is a build argument.
type buildArg struct{ name, description string }

// buildArgs are all build arguments except those for proxies, which every build has.
func buildArgs() []buildArg {
	return []buildArg{
		{epochArg, "time of all built files, in seconds since 1970 (default: that of the base image)"},
		{withoutArg, "capabilities of BuildKit not to use: mergeop, passthroughop"},
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
func (r *request) graph(src graph.Sources, overlays catalog.Overlays, target, builder ocispecs.Platform) *graph.Graph {
	return &graph.Graph{
		Sources:        src,
		Overlays:       overlays,
		Caps:           r.caps(),
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

// withoutArg is the build argument that turns off capabilities, to see the graph for an older
// daemon: mergeop, passthroughop.
const withoutArg = "FLAVORKIT_WITHOUT"

func (r *request) caps() graph.Caps {
	caps := graph.CapsOf(r.ui.BuildOpts().LLBCaps)
	without := strings.Split(r.ui.BuildArgs[withoutArg], ",")
	caps.Merge = caps.Merge && !slices.Contains(without, string(pb.CapMergeOp))
	caps.Passthrough = caps.Passthrough && !slices.Contains(without, string(pb.CapPassthroughOp))
	return caps
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
	newest := graph.DefaultEpoch
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
	for _, u := range r.ui.Ulimits {
		opts = append(opts, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
	}
	return opts
}

// proxy reads the proxy build arguments that every docker build has. They are not part of cache
// keys.
func (r *request) proxy() llb.ProxyEnv {
	arg := func(name string) string {
		if v, ok := r.ui.BuildArgs[name]; ok {
			return v
		}
		return r.ui.BuildArgs[strings.ToLower(name)]
	}
	return llb.ProxyEnv{
		HTTPProxy:  arg("HTTP_PROXY"),
		HTTPSProxy: arg("HTTPS_PROXY"),
		FTPProxy:   arg("FTP_PROXY"),
		NoProxy:    arg("NO_PROXY"),
		AllProxy:   arg("ALL_PROXY"),
	}
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
