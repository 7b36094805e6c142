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

// stepExecutor runs containers as BuildKit's runc executor does, and corrects two things about it:
//
// A step that does not choose a network shares the host's here, but BuildKit still writes it a resolv.conf for a
// network of its own: without nameservers on loopback addresses, or with public ones when no other is left. That
// breaks every host with a local resolver (dnsmasq, unbound, systemd-resolved next to other servers). Steps that
// say they are on the host network get the host's nameservers, so we say it. Entitlements and cache keys have been
// settled before this point and do not see it.
//
// A cancelled solve returns before its containers have gone. Counting them lets Close wait for the end of the last
// one before it takes the databases away.
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

// wait returns when no container runs any more.
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
