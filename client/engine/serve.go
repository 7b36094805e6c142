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

// shutdownTimeout limits each of the two waits of a shutdown: for running requests, and for running
// containers. Both normally end within a second after they are canceled; the sweep removes what
// does not.
const shutdownTimeout = 15 * time.Second

// newServer returns a server for the controller.
func newServer(ctrl *control.Controller) *grpc.Server {
	srv := grpc.NewServer(
		// Without these, a client gets gRPC status texts instead of BuildKit's typed errors and
		// source positions.
		grpc.UnaryInterceptor(grpcerrors.UnaryServerInterceptor),
		grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		// The client uses the same limits; gRPC's default of 4 MiB is too small for build
		// definitions and results.
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
		// Stop must wait for a canceled solve, which still uses the databases that are closed next.
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
		return errors.Errorf("requests were still running %s after they had been canceled", shutdownTimeout)
	}
}

// connListener is a connection, and a listener that accepts only this connection. Closing one
// closes the other.
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
