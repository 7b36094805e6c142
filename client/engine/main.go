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

// processName is the name of the engine's process, which Main recognizes.
const processName = "flavorkit-engine"

// ready is what the engine sends to its client before it serves requests.
const ready = "\n"

// mainCalled lets New check that a child process would become an engine, and not the program again.
var mainCalled bool //nolint:gochecknoglobals // the program, not a value of it, calls Main

// Main becomes the engine in a process that New has started, and does not return there. A program
// that opens engines must call it first in its main function, and a test in TestMain.
func Main() {
	mainCalled = true
	nameProduct()
	if os.Args[0] != processName {
		return
	}
	// The parent decides when we end. Signals are caught, because ignored ones would be ignored in
	// containers too. SIGPIPE comes if nobody reads the log.
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGPIPE)
	// Only an error goes to standard output, which the parent reads.
	stdout := os.Stdout
	os.Stdout = os.Stderr
	if err := run(os.Args[1]); err != nil {
		_, _ = stdout.WriteString(err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

// run runs an engine for the client on standard input until the client disconnects. After an error,
// it closes nothing, because the process ends.
func run(options string) error {
	var o Options
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		return errors.Wrap(err, "read the engine's options")
	}
	conn, err := net.FileConn(os.Stdin)
	if err != nil {
		return errors.Wrap(err, "open the connection to the engine's client")
	}
	// Our mounts must not be visible outside of our mount namespace, but filesystems that are
	// unmounted outside must not stay in use here.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return errors.Wrap(err, "separate the engine's mounts")
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
	defer lock.release()
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
	if _, err := conn.Write([]byte(ready)); err == nil { // otherwise the client has disconnected
		_ = srv.Serve(listen(conn))
	}
	lock.ending()
	cancel()
	err = stderrors.Join(stop(srv), w.executor.wait(shutdownTimeout), ctrl.Close())
	sw.sweep(context.Background())
	return err
}

// useTempDir makes BuildKit and containerd write temporary files to dir.
func useTempDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errors.Wrap(err, "create the engine's temporary directory")
	}
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return errors.Wrap(err, "set the engine's temporary directory")
	}
	// containerd reads the environment before this function runs.
	return errors.Wrap(mount.SetTempMountLocation(dir), "set containerd's temporary directory")
}
