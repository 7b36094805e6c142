//go:build linux

package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	runc "github.com/containerd/go-runc"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/sys/mountinfo"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tonistiigi/fsutil"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// Environment variables for children: which of those below the test binary is to be instead of
// running tests, and where the guest is, as a child that is killed could not remove one of its own.
const (
	childEnv = "FLAVORKIT_ENGINE_TEST_CHILD"
	guestEnv = "FLAVORKIT_ENGINE_TEST_GUEST"
)

func TestMain(m *testing.M) {
	Main()
	if c, ok := children[os.Getenv(childEnv)]; ok {
		if err := c(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if guest.dir != "" {
		os.RemoveAll(guest.dir)
	}
	os.Exit(code)
}

// children are the programs that tests need as processes of their own.
var children = map[string]func(context.Context, []string) error{
	"sleep":       childSleep,
	"resolv.conf": childResolvConf,
	"new":         childNew,
	"nobody":      childNobody,
	"no runc":     childNoRunc,
}

// child prepares one of the children.
func child(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir, err := guestDir()
	require.NoError(t, err)
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+name, guestEnv+"="+dir)
	return cmd
}

// requireEngine skips where an engine cannot run at all, and returns a state directory for one:
// below .cache, where all other engines of the tests have theirs.
func requireEngine(t *testing.T) string {
	t.Helper()
	if err := checkPrivilege(); err != nil {
		testkit.Missing(t, "needs root: %v", err)
	}
	if _, err := findRunc(""); err != nil {
		testkit.Missing(t, "needs runc: %v", err)
	}
	require.NoError(t, os.MkdirAll(testkit.Cache(t), 0o755))
	dir, err := os.MkdirTemp(testkit.Cache(t), "engine-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	root, err := prepareRoot(filepath.Join(dir, "state"))
	require.NoError(t, err)
	l, err := newLayout(root)
	require.NoError(t, err)
	if err := checkOverlay(l); err != nil {
		testkit.Missing(t, "needs .cache on a file system that carries overlayfs: %v", err)
	}
	return root
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// open starts an engine that is closed with the test, and shows its log if the test fails.
func open(t *testing.T, o Options) *Engine {
	t.Helper()
	log := &syncBuffer{}
	if o.Log == nil {
		o.Log = log
	}
	e, err := New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log("the engine's log:\n" + log.String())
		}
	})
	return e
}

var guest struct {
	once sync.Once
	dir  string
	err  error
}

// guestDir builds the guest program once and returns its directory.
func guestDir() (string, error) {
	guest.once.Do(func() {
		if guest.dir = os.Getenv(guestEnv); guest.dir != "" {
			return
		}
		if guest.dir, guest.err = os.MkdirTemp("", "guest"); guest.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", filepath.Join(guest.dir, "guest"), "./testdata/guest")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			guest.err = errors.Wrapf(err, "building the guest: %s", out)
		}
	})
	return guest.dir, guest.err
}

// guestRoot is a root file system that holds the guest and nothing else.
func guestRoot() llb.State {
	return llb.Scratch().File(llb.Copy(llb.Local("guest"), "guest", "/guest"))
}

// step runs the guest in it.
func step(args []string, opts ...llb.RunOption) llb.ExecState {
	return guestRoot().Run(append([]llb.RunOption{llb.Args(append([]string{"/guest"}, args...))}, opts...)...)
}

// solve builds a state, exports it to dir unless that is empty, and returns the vertices that ran.
func solve(ctx context.Context, c *client.Client, st llb.State, dir string) (ran []string, err error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	opt := client.SolveOpt{}
	if opt.LocalMounts, err = guestMount(); err != nil {
		return nil, err
	}
	if dir != "" {
		opt.Exports = []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: dir}}
	}
	status, done := collect()
	_, err = c.Solve(ctx, def, opt, status)
	return <-done, err
}

// guestMount offers the guest as the local source of that name.
func guestMount() (map[string]fsutil.FS, error) {
	dir, err := guestDir()
	if err != nil {
		return nil, err
	}
	f, err := fsutil.NewFS(dir)
	return map[string]fsutil.FS{"guest": f}, err
}

// collect gathers the names of the vertices that completed without being cached.
func collect() (chan *client.SolveStatus, chan []string) {
	status, done := make(chan *client.SolveStatus), make(chan []string, 1)
	go func() {
		ran := map[digest.Digest]string{}
		for s := range status {
			for _, v := range s.Vertexes {
				if v.Completed == nil {
					continue
				}
				ran[v.Digest] = v.Name
				if v.Cached { // which a later message about the same vertex can say
					delete(ran, v.Digest)
				}
			}
		}
		done <- slices.Collect(maps.Values(ran))
	}()
	return status, done
}

func readFile(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	require.NoError(t, err)
	return string(b)
}

func readDir(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// marker is an argument that no other process has.
func marker(t *testing.T) string {
	t.Helper()
	b := make([]byte, 8)
	_, err := rand.Read(b)
	require.NoError(t, err)
	return "marker-" + hex.EncodeToString(b)
}

// processes returns the command lines of the guests that sleep with a marker.
func processes(t *testing.T, marker string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err == nil && strings.HasPrefix(string(b), "/guest\x00sleep\x00"+marker) {
			found = append(found, f)
		}
	}
	return found
}

// leftovers lists what an engine must not leave behind, whatever happens to it.
func leftovers(t *testing.T, root string) []string {
	t.Helper()
	l, err := newLayout(root)
	require.NoError(t, err)
	var left []string

	mounts, err := mountinfo.GetMounts(nil)
	require.NoError(t, err)
	for _, m := range mounts {
		if within(root, m.Mountpoint) || m.FSType == "overlay" && strings.Contains(m.VFSOptions, root+"/") {
			left = append(left, "mount "+m.Mountpoint)
		}
	}
	containers, err := (&runc.Runc{}).List(t.Context())
	require.NoError(t, err)
	for _, c := range containers {
		if within(root, c.Bundle) {
			left = append(left, "container "+c.ID)
		}
	}
	cgroups, err := filepath.Glob("/sys/fs/cgroup/*/" + l.cgroup + "/buildkit/*/cgroup.procs")
	require.NoError(t, err)
	for _, c := range cgroups {
		left = append(left, "cgroup "+c)
	}
	bundles, err := filepath.Glob(filepath.Join(l.executor, "*", "config.json"))
	require.NoError(t, err)
	for _, b := range bundles {
		left = append(left, "bundle "+b)
	}
	return left
}

// eventually waits for what happens soon, but not at once.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, 20*time.Millisecond, what)
}
