package testkit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second
)

// mirrored are the registries for which a Daemon asks its Registry first.
func mirrored() []string {
	return []string{"docker.io", "ghcr.io", "quay.io"}
}

// Daemon is a buildkitd for one test.
type Daemon struct {
	// Registry answers for docker.io, ghcr.io and quay.io: push there what a build shall find.
	Registry *RegistryServer

	socket string
	root   string
	log    *lockedBuffer
	exited chan error
	kill   func(syscall.Signal)
	pid    int
}

// DaemonOption changes how Buildkitd starts.
type DaemonOption func(*daemonConfig)

type daemonConfig struct {
	registry *RegistryServer
	state    string
}

// WithRegistry makes the daemon use a registry that other daemons use too.
func WithRegistry(registry *RegistryServer) DaemonOption {
	return func(config *daemonConfig) { config.registry = registry }
}

// WithState keeps the build cache under .cache/buildkitd/NAME from one run to the next. A second
// daemon with the same name fails to start while the first one runs.
func WithState(name string) DaemonOption {
	return func(config *daemonConfig) { config.state = name }
}

// Buildkitd starts buildkitd with runc and overlayfs and waits until it answers. Build steps use
// the network of the host, and may ask for it. The end of the test stops it and removes its files, unless WithState;
// after a failure its log is in the test's output.
func Buildkitd(t testing.TB, options ...DaemonOption) *Daemon {
	t.Helper()
	NeedRoot(t)
	Need(t, "runc", "run hack/deps.sh build")
	binary := Tool(t, "buildkitd")

	var config daemonConfig
	for _, option := range options {
		option(&config)
	}
	if config.registry == nil {
		config.registry = Registry(t)
	}
	// Not t.TempDir: the name of a long test does not fit into the path of a socket.
	dir, err := os.MkdirTemp("", "buildkitd-")
	if err != nil {
		t.Fatalf("creating a directory for buildkitd: %v", err)
	}
	daemon := &Daemon{
		Registry: config.registry,
		socket:   filepath.Join(dir, "buildkitd.sock"),
		root:     stateDir(t, config.state),
		log:      &lockedBuffer{},
	}
	t.Cleanup(func() {
		daemon.stop(t)
		if t.Failed() {
			t.Logf("log of buildkitd:\n%s", daemon.Log())
		}
		remove := []string{dir, daemon.tmp()}
		if config.state == "" {
			remove = append(remove, daemon.root)
		}
		for _, tree := range remove {
			if err := os.RemoveAll(tree); err != nil {
				t.Errorf("cleaning up after buildkitd: %v", err)
			}
		}
	})
	configFile := filepath.Join(dir, "buildkitd.toml")
	if err := os.WriteFile(configFile, []byte(daemonToml(config.registry.Addr())), 0o600); err != nil {
		t.Fatalf("writing the configuration of buildkitd: %v", err)
	}
	if err := os.MkdirAll(daemon.tmp(), 0o700); err != nil {
		t.Fatalf("creating a temporary directory for buildkitd: %v", err)
	}
	command := exec.Command(binary,
		"--config", configFile, "--root", daemon.root, "--addr", daemon.Addr(),
		"--containerd-worker=false", "--oci-worker=true",
		"--oci-worker-snapshotter=overlayfs", "--oci-worker-net=host",
		"--allow-insecure-entitlement=network.host",
		"--otel-socket-path", filepath.Join(dir, "otel.sock"),
	)
	command.Env = append(os.Environ(), "TMPDIR="+daemon.tmp(), "XDG_RUNTIME_DIR=") // containerd prefers the second
	daemon.start(t, command)
	daemon.waitReady(t)
	return daemon
}

// Addr returns the daemon's address, as for BUILDKIT_HOST.
func (d *Daemon) Addr() string { return "unix://" + d.socket }

// Root is the directory with the daemon's cache and records.
func (d *Daemon) Root() string { return d.root }

// tmp is for temporary files: BuildKit does not remove all of them.
func (d *Daemon) tmp() string { return filepath.Join(d.root, "tmp") }

// Log returns the daemon's output so far.
func (d *Daemon) Log() string { return d.log.String() }

// Client connects to the daemon until the end of the test.
func (d *Daemon) Client(t testing.TB) *client.Client {
	t.Helper()
	connection, err := client.New(t.Context(), d.Addr())
	if err != nil {
		t.Fatalf("connecting to buildkitd: %v", err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// Usage returns the disk space of the daemon's state and the most memory that it held itself, without
// the programs of build steps: both in bytes.
func (d *Daemon) Usage(t testing.TB) (disk, memory int64) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "du", "--summarize", "--block-size=1", d.root).Output()
	if err != nil {
		t.Fatalf("measuring the state of buildkitd: %v", err)
	}
	if _, err := fmt.Sscan(string(out), &disk); err != nil {
		t.Fatalf("reading what du says: %v", err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.pid))
	if err != nil {
		t.Fatalf("measuring the memory of buildkitd: %v", err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:") // proc_pid_status(5): in kB
	if _, err := fmt.Sscan(peak, &memory); err != nil {
		t.Fatalf("reading the memory of buildkitd: %v", err)
	}
	return disk, memory * 1024
}

func stateDir(t testing.TB, name string) string {
	t.Helper()
	parent := filepath.Join(Cache(t), "buildkitd")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		t.Fatalf("creating %s: %v", parent, err)
	}
	if name != "" {
		return filepath.Join(parent, name)
	}
	if err := removeAbandoned(parent); err != nil {
		t.Logf("cleaning up after an earlier run: %v", err)
	}
	root, err := os.MkdirTemp(parent, fmt.Sprintf("once-%d-", os.Getpid()))
	if err != nil {
		t.Fatalf("creating a root for buildkitd: %v", err)
	}
	return root
}

// removeAbandoned removes what a killed test run left in parent.
func removeAbandoned(parent string) error {
	roots, _ := filepath.Glob(filepath.Join(parent, "once-*"))
	for _, root := range roots {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(root), "once-%d-", &pid); err != nil {
			continue
		}
		if syscall.Kill(pid, 0) != syscall.ESRCH {
			continue
		}
		removeContainers(root)
		if err := os.RemoveAll(root); err != nil {
			return err
		}
	}
	return nil
}

func daemonToml(mirror string) string {
	var config strings.Builder
	for _, host := range mirrored() {
		fmt.Fprintf(&config, "[registry.%q]\n  mirrors = [%q]\n", host, mirror)
	}
	fmt.Fprintf(&config, "[registry.%q]\n  http = true\n  insecure = true\n", mirror)
	return config.String()
}

// start runs the command on a thread of its own: the kernel kills the daemon when that thread ends,
// so a test that dies leaves no daemon behind.
func (d *Daemon) start(t testing.TB, command *exec.Cmd) {
	t.Helper()
	command.Stdout, command.Stderr = d.log, d.log
	command.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,
		Pdeathsig: syscall.SIGTERM,
		// All mounts of the daemon disappear with it, however it ends.
		Unshareflags: syscall.CLONE_NEWNS,
	}
	started := make(chan error, 1)
	exited := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			exited <- command.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("starting buildkitd: %v", err)
	}
	d.exited, d.pid = exited, command.Process.Pid
	d.kill = func(signal syscall.Signal) { _ = syscall.Kill(command.Process.Pid, signal) }
}

func (d *Daemon) waitReady(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	connection, err := client.New(ctx, d.Addr())
	if err != nil {
		t.Fatalf("connecting to buildkitd: %v", err)
	}
	defer connection.Close()
	for {
		if workers, err := connection.ListWorkers(ctx); err == nil && len(workers) > 0 {
			return
		}
		select {
		case err := <-d.exited:
			d.exited <- err
			t.Fatalf("buildkitd ended: %v", err)
		case <-ctx.Done():
			t.Fatalf("buildkitd did not answer within %s", startTimeout)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *Daemon) stop(t testing.TB) {
	t.Helper()
	if d.exited == nil {
		return
	}
	d.kill(syscall.SIGTERM)
	select {
	case <-d.exited: //nolint:errcheck // it was told to end
	case <-time.After(stopTimeout):
		t.Errorf("buildkitd did not stop within %s", stopTimeout)
		d.kill(syscall.SIGKILL)
		<-d.exited //nolint:errcheck // it was killed
	}
	removeContainers(d.root)
}

// removeContainers ends build steps that a killed daemon has left.
func removeContainers(root string) {
	bundles, _ := filepath.Glob(filepath.Join(root, "runc-overlayfs", "executor", "*", "config.json"))
	for _, bundle := range bundles {
		_ = exec.Command("runc", "delete", "--force", filepath.Base(filepath.Dir(bundle))).Run()
	}
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
