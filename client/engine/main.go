//go:build linux

package engine

import (
	"context"
	"encoding/json"
	stderrors "errors"
	"net"
	"os"
	"os/signal"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// processName is the name of the engine's process, by which Main knows it.
const processName = "flavorkit-engine"

// ready is what it writes to its client before it serves it.
const ready = "\n"

// mainCalled keeps New from starting a process that would not become an engine
// but the program once more.
var mainCalled bool

// Main turns the process that New starts into the engine, and does not return
// there. A program that opens engines calls it first in its main function, and a
// test in TestMain.
func Main() {
	mainCalled = true
	nameProduct()
	if os.Args[0] != processName {
		return
	}
	// The parent decides when we end. Signals are caught, as ignored ones would
	// be ignored in containers too. SIGPIPE comes when nobody reads the log any
	// more.
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGPIPE)
	// Only a failure goes to standard output, and that is read.
	stdout := os.Stdout
	os.Stdout = os.Stderr
	if err := run(os.Args[1]); err != nil {
		_, _ = stdout.WriteString(err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

// run runs an engine for the client on standard input until it is gone. Nothing
// is closed after a failure, as the process ends.
func run(options string) error {
	var o Options
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		return errors.Wrap(err, "reading the engine's options")
	}
	conn, err := net.FileConn(os.Stdin)
	if err != nil {
		return errors.Wrap(err, "opening the connection to the engine's client")
	}
	// Our mounts must not show outside of our mount namespace, but what is
	// unmounted outside must not stay in use here.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return errors.Wrap(err, "separating the engine's mounts")
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
	layout, err := newLayout(root)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sw := &sweeper{layout: layout, runc: runc}
	sw.sweep(ctx)
	if err := checkOverlay(layout); err != nil {
		return err
	}
	if err := useTempDir(layout.tmp); err != nil {
		return err
	}

	hosts := registryHosts(o.Mirrors)
	w, err := newWorker(ctx, workerOptions{
		layout:         layout,
		runc:           runc,
		registryHosts:  hosts,
		keepBytes:      o.KeepBytes,
		maxParallelism: o.MaxParallelism,
	})
	if err != nil {
		return err
	}
	ctrl, err := newController(ctx, controllerOptions{root: root, worker: w.worker, registryHosts: hosts})
	if err != nil {
		return err
	}

	srv := newServer(ctrl)
	if _, err := conn.Write([]byte(ready)); err == nil { // otherwise the client is gone already
		_ = srv.Serve(listen(conn))
	}
	lock.ending()
	cancel()
	err = stderrors.Join(stop(srv), w.executor.wait(shutdownTimeout), ctrl.Close())
	sw.sweep(context.Background())
	return err
}

// useTempDir has BuildKit and containerd make their temporary files in dir.
func useTempDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errors.Wrap(err, "creating the engine's temporary directory")
	}
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return errors.Wrap(err, "setting the engine's temporary directory")
	}
	// Its own variable was set before this function ran.
	return errors.Wrap(mount.SetTempMountLocation(dir), "setting containerd's temporary directory")
}
