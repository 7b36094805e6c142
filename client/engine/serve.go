//go:build linux

package engine

import (
	"net"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/defaults"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/pkg/errors"
	"google.golang.org/grpc"
)

// shutdownTimeout bounds each of the two waits at the engine's end: for running
// requests, and for running containers. Both end by themselves in well under a
// second after they are cancelled; what does not is swept away.
const shutdownTimeout = 15 * time.Second

// newServer offers the controller.
func newServer(ctrl *control.Controller) *grpc.Server {
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
	return srv
}

// stop cancels all requests and waits for them.
func stop(srv *grpc.Server) error {
	stopped := make(chan struct{})
	go func() {
		srv.Stop()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-time.After(shutdownTimeout):
		return errors.Errorf("requests were still running %s after they had been cancelled", shutdownTimeout)
	}
}

// connListener is a connection, and a listener that accepts it and no other.
// When one is closed, so is the other.
type connListener struct {
	net.Conn
	waiting chan struct{}
	end     func()
}

func listen(conn net.Conn) *connListener {
	waiting := make(chan struct{}, 1)
	waiting <- struct{}{}
	return &connListener{Conn: conn, waiting: waiting, end: sync.OnceFunc(func() { close(waiting) })}
}

func (l *connListener) Accept() (net.Conn, error) {
	if _, ok := <-l.waiting; ok {
		return l, nil
	}
	return nil, net.ErrClosed
}

func (l *connListener) Addr() net.Addr { return l.LocalAddr() }

func (l *connListener) Close() error {
	l.end()
	return l.Conn.Close()
}
