//go:build linux

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
)

// closeTimeout limits Close. The steps of the engine's shutdown have shorter timeouts, so only a
// process that hangs is killed.
const closeTimeout = 2*shutdownTimeout + 2*sweepTimeout

// Engine is a running BuildKit in a child process. The process lives as long as the connection: it
// ends when Close closes it, or when the kernel does because this process was killed.
type Engine struct {
	process *exec.Cmd
	failure bytes.Buffer // the standard output of the process
	conn    net.Conn
	client  *client.Client

	closeOnce sync.Once
	closeErr  error
}

// New starts an engine on o.Root, after cleaning up what a killed one left there. The context only
// limits the start; an engine lives until Close.
func New(ctx context.Context, o Options) (*Engine, error) {
	if !mainCalled {
		return nil, errors.New("main must call engine.Main before it opens an engine")
	}
	// Without privileges, the process would not even start.
	if err := checkPrivilege(); err != nil {
		return nil, err
	}
	e := &Engine{}
	if err := e.start(o); err != nil {
		return nil, errors.Wrap(err, "start the built-in engine")
	}
	stop := context.AfterFunc(ctx, func() { _ = e.process.Process.Kill() })
	err := e.connect(ctx)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = e.Close()
		// If the process has failed, it has written why.
		if e.failure.Len() > 0 {
			err = errors.New(e.failure.String())
		}
		return nil, err
	}
	return e, nil
}

// Client returns the engine's client. It belongs to the engine: do not close it.
func (e *Engine) Client() *client.Client { return e.client }

// Close cancels running builds, waits for them, and leaves no containers or mounts behind. It can
// be called more than once. A later New on the same Root works.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() {
		if e.client != nil {
			_ = e.client.Close()
		}
		_ = e.conn.Close() // already closed if the client had it
		kill := time.AfterFunc(closeTimeout, func() { _ = e.process.Process.Kill() })
		defer kill.Stop()
		err := errors.Wrap(e.process.Wait(), "its process failed")
		if e.failure.Len() > 0 {
			err = errors.New(e.failure.String())
		}
		e.closeErr = errors.Wrap(err, "close the built-in engine")
	})
	return e.closeErr
}

// start runs this program again, as the engine.
func (e *Engine) start(o Options) error {
	options, err := json.Marshal(o)
	if err != nil {
		return err
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "client"), os.NewFile(uintptr(fds[1]), "server")
	defer ours.Close() // conn is a copy
	defer theirs.Close()
	if e.conn, err = net.FileConn(ours); err != nil {
		return err
	}
	e.process = &exec.Cmd{
		Path:   "/proc/self/exe",
		Args:   []string{processName, string(options)},
		Stdin:  theirs,
		Stdout: &e.failure,
		Stderr: o.Log,
		SysProcAttr: &syscall.SysProcAttr{
			// All mounts of the engine disappear with it, however it ends.
			Cloneflags: syscall.CLONE_NEWNS,
			// Only this process gets Ctrl-C from a terminal, and then closes the engine.
			Setpgid: true,
		},
		WaitDelay: time.Second,
	}
	if err := e.process.Start(); err != nil {
		_ = e.conn.Close()
		return err
	}
	return nil
}

// connect waits until the engine is ready.
func (e *Engine) connect(ctx context.Context) (err error) {
	if _, err = e.conn.Read(make([]byte, len(ready))); err != nil {
		return errors.Wrap(err, "wait for the built-in engine")
	}
	e.client, err = client.New(ctx, "passthrough:///flavorkit",
		client.WithContextDialer(e.dial),
		// An idle client would close the only connection.
		client.WithGRPCDialOption(grpc.WithIdleTimeout(0)))
	if err != nil {
		return errors.Wrap(err, "connect to the built-in engine")
	}
	// The client connects at its first request, and the server does not wait long for it.
	_, err = e.client.Info(ctx)
	return errors.Wrap(err, "connect to the built-in engine")
}

// dial returns the connection. The client calls it once.
func (e *Engine) dial(context.Context, string) (net.Conn, error) { return e.conn, nil }
