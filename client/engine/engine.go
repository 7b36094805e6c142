//go:build linux

package engine

import (
	"context"
	stderrors "errors"
	"net"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"
	"google.golang.org/grpc/test/bufconn"
)

// shutdownTimeout bounds each of the two waits in Close: for running requests, and for running containers.
// Both end by themselves in well under a second after they are cancelled; what does not is swept away.
const shutdownTimeout = 15 * time.Second

// Engine is a running BuildKit.
//
// A process may run several on different state directories. BuildKit keeps a few things in variables of the process,
// which they share while they run at the same time: the mirrors of a repository are those of the engine that used
// it first, and steps in both that use a shared cache mount of the same name get the same one.
type Engine struct {
	client *client.Client

	// closers undo the steps of New, and run in reverse order.
	closers   []func() error
	closeOnce sync.Once
	closeErr  error
}

// New starts an engine on o.Root, after clearing what a killed predecessor left there. The context bounds the
// start only; an engine lives until Close.
func New(ctx context.Context, o Options) (*Engine, error) {
	e := &Engine{}
	if err := e.start(ctx, o); err != nil {
		_ = e.Close() // the start's error is the one to show
		return nil, err
	}
	return e, nil
}

// Client returns the engine's client. It belongs to the engine and ends with it: do not close it.
func (e *Engine) Client() *client.Client { return e.client }

// Close cancels what still runs, waits for it, and leaves no container and no mount behind. It may be called more
// than once. A later New on the same Root works, in this process too.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() {
		var errs []error
		for i := len(e.closers) - 1; i >= 0; i-- {
			errs = append(errs, e.closers[i]())
		}
		e.closeErr = errors.Wrap(stderrors.Join(errs...), "closing the built-in engine")
	})
	return e.closeErr
}

// onClose registers a step of Close.
func (e *Engine) onClose(f func() error) { e.closers = append(e.closers, f) }

func (e *Engine) start(ctx context.Context, o Options) error {
	if err := checkPrivilege(); err != nil {
		return err
	}
	runc, err := findRunc(o.Runc)
	if err != nil {
		return err
	}
	root, err := prepareRoot(o.Root)
	if err != nil {
		return err
	}
	lock, err := acquireLock(root)
	if err != nil {
		return err
	}
	e.onClose(lock.release)

	log, detach := attachLog(o.Log)
	e.onClose(detach)

	layout, err := newLayout(root)
	if err != nil {
		return err
	}
	sw := &sweeper{layout: layout, runc: runc, log: log, since: time.Now()}
	sw.sweep(ctx)
	// The last step of Close, when nothing of ours runs any more. It has nothing to do after an orderly end.
	e.onClose(func() error {
		sw.sweep(context.WithoutCancel(ctx))
		return nil
	})

	if err := checkOverlay(layout); err != nil {
		return err
	}

	w, err := newWorker(ctx, workerOptions{
		layout:         layout,
		runc:           runc,
		log:            log,
		registryHosts:  registryHosts(o.Mirrors),
		keepBytes:      o.KeepBytes,
		maxParallelism: o.MaxParallelism,
	})
	if err != nil {
		return err
	}
	e.onClose(w.snapshotter.Close)

	lifetime, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	ctrl, err := newController(lifetime, controllerOptions{
		root:          root,
		worker:        w.worker,
		registryHosts: registryHosts(o.Mirrors),
	})
	if err != nil {
		stop(err)
		return stderrors.Join(err, w.worker.Close())
	}
	e.onClose(ctrl.Close) // closes the worker too
	e.onClose(func() error { return forget(w.worker.MetadataStore) })
	e.onClose(func() error { return w.executor.wait(shutdownTimeout) })
	e.onClose(func() error {
		stop(errors.WithStack(context.Canceled))
		return nil
	})

	lis := bufconn.Listen(bufconnSize)
	e.onClose(serve(ctrl, lis))

	c, err := client.New(ctx, "passthrough:///flavorkit",
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		return errors.Wrap(err, "connecting to the built-in engine")
	}
	e.client = c
	e.onClose(c.Close)
	return nil
}
