//go:build linux

package engine

import (
	"context"
	"runtime"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/executor/oci"
	dockerfileversion "github.com/moby/buildkit/frontend/dockerfile/version"
	"github.com/moby/buildkit/util/archutil"
	"github.com/moby/buildkit/util/network/cniprovider"
	"github.com/moby/buildkit/util/network/netproviders"
	"github.com/moby/buildkit/version"
	"github.com/moby/buildkit/worker/base"
	"github.com/moby/buildkit/worker/runc"
	"github.com/pkg/errors"
	"golang.org/x/sync/semaphore"
)

type workerOptions struct {
	layout         layout
	runc           string
	registryHosts  docker.RegistryHosts
	keepBytes      int64
	maxParallelism int
}

// engineWorker is BuildKit's runc worker, with the executor that a shutdown waits for.
type engineWorker struct {
	worker   *base.Worker
	executor *stepExecutor
}

func newWorker(ctx context.Context, o workerOptions) (*engineWorker, error) {
	policy, err := gcPolicy(o.layout.root, o.keepBytes)
	if err != nil {
		return nil, err
	}
	parallel := o.maxParallelism
	if parallel <= 0 {
		parallel = runtime.NumCPU()
	}
	opt, err := runc.NewWorkerOpt(
		o.layout.root,
		runc.SnapshotterFactory{Name: snapshotterName, New: func(root string) (snapshots.Snapshotter, error) {
			return overlay.NewSnapshotter(root, overlay.AsynchronousRemove)
		}},
		false, // rootless
		oci.ProcessSandbox,
		nil, // labels
		nil, // identity mapping
		netproviders.Opt{
			Mode: "host",
			CNI:  cniprovider.Opt{Root: o.layout.root}, // also for proxy namespaces; empty means the working directory
		},
		nil, // dns: see stepExecutor
		o.runc,
		"",    // apparmor profile
		false, // selinux
		semaphore.NewWeighted(int64(parallel)),
		"", // trace socket: no listener
		o.layout.cgroup,
		nil, // cdi manager: one without a registry panics when workers are listed
	)
	if err != nil {
		return nil, errors.Wrap(err, "create the engine's worker")
	}
	executor := &stepExecutor{Executor: opt.Executor}
	opt.Executor = executor
	opt.GCPolicy = policy
	opt.RegistryHosts = o.registryHosts
	opt.Platforms = archutil.SupportedPlatforms(true) // native ones, and those that binfmt_misc emulates
	opt.BuildkitVersion = client.BuildkitVersion{
		Package:           version.Package,
		Version:           version.Version,
		Revision:          version.Revision,
		DockerfileVersion: dockerfileversion.Version(),
	}
	w, err := base.NewWorker(ctx, opt)
	if err != nil {
		return nil, errors.Wrap(err, "create the engine's worker")
	}
	return &engineWorker{worker: w, executor: executor}, nil
}
