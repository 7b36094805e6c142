//go:build linux

package engine

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stretchr/testify/require"
)

func TestSolve(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t)})
	file := func(name string) llb.State { return llb.Scratch().File(llb.Mkfile(name, 0o644, []byte(name))) }
	out := t.TempDir()
	_, err := solve(t.Context(), e.Client(), llb.Merge([]llb.State{file("/a"), file("/b")}), out)
	require.NoError(t, err)
	require.Equal(t, "/a", readFile(t, out, "a"))
	require.Equal(t, "/b", readFile(t, out, "b"))
}

func TestRun(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t)})
	out := t.TempDir()
	_, err := solve(t.Context(), e.Client(), step([]string{"write", "/hello", "from a container"}).Root(), out)
	require.NoError(t, err)
	require.Equal(t, "from a container", readFile(t, out, "hello"))
}

func TestBuildFunc(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t)})
	var product string
	_, err := e.Client().Build(t.Context(), client.SolveOpt{}, "", func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		product = c.BuildOpts().Product
		def, err := llb.Scratch().File(llb.Mkdir("/a", 0o755)).Marshal(ctx)
		if err != nil {
			return nil, err
		}
		return c.Solve(ctx, gwclient.SolveRequest{Definition: def.ToPB(), Evaluate: true})
	}, nil)
	require.NoError(t, err)
	require.Equal(t, "flavorkit", product)
}

func TestWorkerInfo(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t), KeepBytes: 5e9})
	workers, err := e.Client().ListWorkers(t.Context())
	require.NoError(t, err)
	require.Len(t, workers, 1)
	w := workers[0]

	require.True(t, platforms.Only(platforms.DefaultSpec()).Match(w.Platforms[0]), "%v", w.Platforms)
	require.Regexp(t, `^v\d+\.\d+\.\d+`, w.BuildkitVersion.Version)
	require.Equal(t, int64(5e9), w.GCPolicy[len(w.GCPolicy)-1].MaxUsedSpace)
}

func TestNetwork(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t)})
	interfaces := func(opts ...llb.RunOption) []string {
		out := t.TempDir()
		_, err := solve(t.Context(), e.Client(), step([]string{"interfaces", "/interfaces"}, opts...).Root(), out)
		require.NoError(t, err)
		return strings.Fields(readFile(t, out, "interfaces"))
	}
	require.Equal(t, []string{"lo"}, interfaces(llb.Network(llb.NetModeNone)))

	host, err := net.Interfaces()
	require.NoError(t, err)
	require.Len(t, interfaces(), len(host))
}

// A build definition cannot get access to the host.
func TestEntitlements(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t)})
	for _, opt := range []llb.RunOption{llb.Security(pb.SecurityMode_INSECURE), llb.Network(llb.NetModeHost)} {
		_, err := solve(t.Context(), e.Client(), step([]string{"write", "/a", ""}, opt).Root(), "")
		require.ErrorContains(t, err, "is not allowed")
	}
}

func TestReopen(t *testing.T) {
	root := requireEngine(t)
	for i := range 4 {
		e := open(t, Options{Root: root})
		out := t.TempDir()
		ran, err := solve(t.Context(), e.Client(), step([]string{"write", "/a", "b"}).Root(), out)
		require.NoError(t, err)
		require.Equal(t, "b", readFile(t, out, "a"))
		if i > 0 {
			requireCached(t, ran)
		}
		require.NoError(t, e.Close())
		require.NoError(t, e.Close(), "closing twice")
		require.Empty(t, leftovers(t, root))
	}
	// BuildKit starts a collection one second after an engine was opened, whether it still is or
	// not.
	time.Sleep(1200 * time.Millisecond)
}

func TestCache(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t)})
	st := step([]string{"write", "/a", "b"}).Root()
	ran, err := solve(t.Context(), e.Client(), st, "")
	require.NoError(t, err)
	require.Contains(t, ran, "/guest write /a b")
	ran, err = solve(t.Context(), e.Client(), st, "")
	require.NoError(t, err)
	requireCached(t, ran)
}

// requireCached checks that nothing ran except the transfer of sources, which always looks for
// changes, and the export.
func requireCached(t *testing.T, ran []string) {
	t.Helper()
	for _, name := range ran {
		require.Regexp(t, "^(local://|exporting )", name)
	}
}

func TestTwoEngines(t *testing.T) {
	engines := []*Engine{
		open(t, Options{Root: requireEngine(t)}),
		open(t, Options{Root: requireEngine(t)}),
	}
	errs := make(chan error)
	for i, e := range engines {
		go func() {
			_, err := solve(t.Context(), e.Client(), step([]string{"write", "/a", fmt.Sprint(i)}).Root(), "")
			errs <- err
		}()
	}
	for range engines {
		require.NoError(t, <-errs)
	}
	// The end of one must not disturb the other.
	require.NoError(t, engines[0].Close())
	_, err := solve(t.Context(), engines[1].Client(), step([]string{"write", "/a", "again"}).Root(), "")
	require.NoError(t, err)
}

func TestLock(t *testing.T) {
	root := requireEngine(t)
	e := open(t, Options{Root: root})
	start := time.Now()
	_, err := New(t.Context(), Options{Root: root})
	require.ErrorContains(t, err, fmt.Sprintf("(pid %d)", os.Getpid()))
	require.Less(t, time.Since(start), closeTimeout, "only an engine that is ending is waited for")

	// The failure must not have taken anything from the holder.
	_, err = solve(t.Context(), e.Client(), llb.Scratch().File(llb.Mkdir("/a", 0o755)), "")
	require.NoError(t, err)
}

// A cancelled build leaves nothing behind even while the engine goes on.
func TestCancel(t *testing.T) {
	root := requireEngine(t)
	e := open(t, Options{Root: root})
	m := marker(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := solve(ctx, e.Client(), step([]string{"sleep", m}, cacheMount()).Root(), "")
		done <- err
	}()
	eventually(t, "the step runs", func() bool { return len(processes(t, m)) > 0 })
	cancel()
	require.ErrorContains(t, <-done, "context canceled")
	eventually(t, "everything is gone", func() bool { return len(processes(t, m)) == 0 && len(leftovers(t, root)) == 0 })

	_, err := solve(t.Context(), e.Client(), step([]string{"write", "/a", "b"}).Root(), "")
	require.NoError(t, err)
}

func TestCloseDuringSolve(t *testing.T) {
	root := requireEngine(t)
	e := open(t, Options{Root: root})
	m := marker(t)
	done := make(chan error, 1)
	go func() {
		_, err := solve(t.Context(), e.Client(), step([]string{"sleep", m}, cacheMount()).Root(), "")
		done <- err
	}()
	eventually(t, "the step runs", func() bool { return len(processes(t, m)) > 0 })
	require.NoError(t, e.Close())
	require.Empty(t, processes(t, m))
	require.Empty(t, leftovers(t, root))
	require.Error(t, <-done)
}

// cacheMount adds the mount that BuildKit keeps outside of the container's bundle.
func cacheMount() llb.RunOption {
	return llb.AddMount("/cache", llb.Scratch(), llb.AsPersistentCacheDir("test", llb.CacheMountShared))
}
