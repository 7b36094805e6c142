//go:build linux

package engine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/moby/sys/mountinfo"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// childSleep builds a step that does not end. Its arguments are the state directory and the step's marker. It keeps
// nothing but the client, to see that the engine does not depend on more.
func childSleep(ctx context.Context, args []string) error {
	e, err := New(ctx, Options{Root: args[0]})
	if err != nil {
		return err
	}
	c := e.Client()
	e = nil
	runtime.GC()
	runtime.GC() // the first one only finds what can be finalized
	_, err = solve(ctx, c, step([]string{"sleep", args[1]}, cacheMount()).Root(), "")
	return err
}

func TestSweepAfterKill(t *testing.T) {
	root := requireEngine(t)
	m := marker(t)
	c := child(t, "sleep", root, m)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	eventually(t, "the step runs", func() bool { return len(processes(t, m)) > 0 })

	_, err := New(t.Context(), Options{Root: root})
	require.ErrorContains(t, err, "(pid "+strconv.Itoa(c.Process.Pid)+")", "it is locked by the other process")

	require.NoError(t, c.Process.Kill())
	_ = c.Wait()
	require.NotEmpty(t, processes(t, m), "the step outlives its engine, or this test tests nothing")
	require.NotEmpty(t, leftovers(t, root))

	log := &syncBuffer{}
	e := open(t, Options{Root: root, Log: log})
	require.Empty(t, processes(t, m))
	require.Empty(t, leftovers(t, root))
	require.NotContains(t, log.String(), "could not clear")

	out := t.TempDir()
	_, err = solve(t.Context(), e.Client(), step([]string{"write", "/a", "b"}, cacheMount()).Root(), out)
	require.NoError(t, err)
	require.Equal(t, "b", readFile(t, out, "a"))
}

// BuildKit mounts layers below the system's temporary directory too. Other people's mounts there stay.
func TestSweepTemporaryMounts(t *testing.T) {
	root := requireEngine(t)
	l, err := newLayout(root)
	require.NoError(t, err)
	layer, lower, work := filepath.Join(l.snapshots, "1/fs"), filepath.Join(l.snapshots, "2/fs"), filepath.Join(l.snapshots, "1/work")
	tmp := t.TempDir()
	foreign := filepath.Join(tmp, "foreign")
	targets := map[string]bool{ // whether it is to stay
		filepath.Join(tmp, "buildkit-mount1"): false,
		filepath.Join(tmp, "buildkit-mount2"): false,
		filepath.Join(tmp, "buildkit-mount3"): true,
		filepath.Join(tmp, "other"):           true,
	}
	for _, d := range []string{layer, lower, work, foreign} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	for d := range targets {
		require.NoError(t, os.Mkdir(d, 0o755))
		t.Cleanup(func() { _ = unix.Unmount(d, unix.MNT_DETACH) })
	}
	bind := func(from, to string) {
		require.NoError(t, unix.Mount(from, filepath.Join(tmp, to), "", unix.MS_BIND, ""))
	}
	bind(layer, "buildkit-mount1")
	require.NoError(t, unix.Mount("overlay", filepath.Join(tmp, "buildkit-mount2"), "overlay", 0,
		"lowerdir="+lower+",upperdir="+layer+",workdir="+work))
	bind(foreign, "buildkit-mount3")
	bind(layer, "other")

	s := &sweeper{layout: l}
	require.NoError(t, s.sweepMounts(t.Context()))
	for d, stays := range targets {
		mounted, _ := mountinfo.Mounted(d)
		require.Equal(t, stays, mounted, d)
	}
	require.DirExists(t, layer)
}

// What is mounted below a directory must not be deleted with it, even if it could not be unmounted.
func TestSweepSparesMounted(t *testing.T) {
	root := requireEngine(t)
	l, err := newLayout(root)
	require.NoError(t, err)
	rootfs, data := filepath.Join(l.executor, "id/rootfs"), t.TempDir()
	require.NoError(t, os.MkdirAll(rootfs, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(data, "precious"), nil, 0o644))
	require.NoError(t, unix.Mount(data, rootfs, "", unix.MS_BIND, ""))
	t.Cleanup(func() { _ = unix.Unmount(rootfs, unix.MNT_DETACH) })

	s := &sweeper{layout: l}
	require.ErrorContains(t, s.sweepDirectories(t.Context()), "still mounted")
	require.FileExists(t, filepath.Join(data, "precious"))
	require.NoError(t, s.sweepMounts(t.Context()))
	require.NoError(t, s.sweepDirectories(t.Context()))
	require.NoDirExists(t, filepath.Dir(rootfs))
	require.FileExists(t, filepath.Join(data, "precious"))
}

func TestRemoveCgroup(t *testing.T) {
	requireEngine(t)
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	require.NoError(t, err)
	tested := map[string]bool{}
	for _, m := range mounts {
		if tested[m.FSType] || m.Mountpoint == "/sys/fs/cgroup/cpuset" { // a new cpuset group has no CPUs to run on
			continue
		}
		tested[m.FSType] = true
		t.Run(m.FSType, func(t *testing.T) {
			dir := filepath.Join(m.Mountpoint, "flavorkit-test-"+strconv.Itoa(os.Getpid()))
			sub := filepath.Join(dir, "a", "b")
			require.NoError(t, os.MkdirAll(sub, 0o755))
			dying := exec.Command("sleep", "1000")
			dying.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			require.NoError(t, dying.Start())
			go func() { _ = dying.Wait() }()
			require.NoError(t, os.WriteFile(filepath.Join(sub, "cgroup.procs"), []byte(strconv.Itoa(dying.Process.Pid)), 0o644))

			require.NoError(t, removeCgroup(t.Context(), dir))
			require.NoDirExists(t, dir)
			require.NoError(t, removeCgroup(t.Context(), dir), "it is gone already")
		})
	}
}

func TestLocate(t *testing.T) {
	mounts := []*mountinfo.Info{
		{Mountpoint: "/", Root: "/", Major: 8, Minor: 1},
		{Mountpoint: "/var/lib", Root: "/@lib", Major: 8, Minor: 2},
		{Mountpoint: "/var/library", Root: "/", Major: 8, Minor: 3},
		{Mountpoint: "/var/lib/x", Root: "/old", Major: 8, Minor: 4},
		{Mountpoint: "/var/lib/x", Root: "/new", Major: 8, Minor: 5},
	}
	require.Equal(t, location{"/var/lib/a", 8, 2, "/@lib/a"}, locate(mounts, "/var/lib/a"))
	require.Equal(t, location{"/var/lib/x/a", 8, 5, "/new/a"}, locate(mounts, "/var/lib/x/a"))
	require.Equal(t, location{"/srv", 8, 1, "/srv"}, locate(mounts, "/srv"))
}
