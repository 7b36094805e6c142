//go:build linux

package engine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/moby/buildkit/executor"
	resourcestypes "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

// stepExecutor is BuildKit's runc executor with two corrections:
//
// A step without a network mode uses the host's network here, but BuildKit gives it a resolv.conf
// for a separate network: without nameservers on loopback addresses, or with public ones if no
// other is left. This breaks every host with a local resolver (dnsmasq, unbound, systemd-resolved
// next to other servers). Steps with the network mode of the host get the host's nameservers, so we
// set that mode. Entitlements and cache keys are computed earlier and are not affected.
//
// A canceled solve returns before its containers have ended. We count them, so that Close can wait
// for the last one before it closes the databases.
type stepExecutor struct {
	executor.Executor
	running atomic.Int64
}

func (x *stepExecutor) Run(ctx context.Context, id string, root executor.Mount, mounts []executor.Mount,
	process executor.ProcessInfo, started chan<- struct{}) (resourcestypes.Recorder, error) {
	x.running.Add(1)
	defer x.running.Add(-1)
	if process.Meta.NetMode == pb.NetMode_UNSET {
		process.Meta.NetMode = pb.NetMode_HOST
	}
	return x.Executor.Run(ctx, id, root, mounts, process, started)
}

// wait waits until no container is running.
func (x *stepExecutor) wait(timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	for x.running.Load() > 0 {
		if time.Now().After(deadline) {
			return errors.Errorf("%d containers were still running after %s", x.running.Load(), timeout)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}
