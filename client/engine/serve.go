//go:build linux

package engine

import (
	"net"
	"time"

	"github.com/containerd/containerd/v2/defaults"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/pkg/errors"
	"google.golang.org/grpc"
)

// bufconnSize is the buffer of the in-memory connection in each direction. Local sources and exports pass through
// it, so it is larger than one of gRPC's 16 KiB frames.
const bufconnSize = 1 << 20

// serve offers the controller on lis, and returns what stops it: all requests are cancelled and waited for.
func serve(ctrl *control.Controller, lis net.Listener) (stop func() error) {
	srv := grpc.NewServer(
		// Without these a client sees gRPC status texts instead of BuildKit's typed errors and source positions.
		grpc.UnaryInterceptor(grpcerrors.UnaryServerInterceptor),
		grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		// The client uses the same limits; gRPC's default of 4 MiB is too small for build definitions and results.
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
		// Stop has to wait for a cancelled solve, which still uses the databases that are closed next.
		grpc.WaitForHandlers(true),
	)
	ctrl.Register(srv)

	served := make(chan error, 1)
	go func() {
		err := srv.Serve(lis)
		if errors.Is(err, grpc.ErrServerStopped) { // stopped before it had begun
			err = nil
		}
		served <- err
	}()

	return func() error {
		stopped := make(chan struct{})
		go func() {
			srv.Stop()
			close(stopped)
		}()
		select {
		case <-stopped:
			return errors.Wrap(<-served, "serving the engine's API")
		case <-time.After(shutdownTimeout):
			return errors.Errorf("requests were still running %s after they had been cancelled", shutdownTimeout)
		}
	}
}
