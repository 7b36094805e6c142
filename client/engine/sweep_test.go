//go:build linux

package engine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/sys/mountinfo"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// childSleep builds a step that does not end. Its arguments are the state directory and the step's
// marker. It keeps nothing but the client, to see that the engine does not depend on more.
func childSleep(ctx context.Context, args []string) error {
	e, err := New(ctx, Options{Root: args[0]})
	if err != nil {
		return err
	}
	c := e.Client()
	e = nil //nolint:wastedassign // for the garbage collector
	runtime.GC()
	runtime.GC() // the first one only finds what can be finalized
	_, err = solve(ctx, c, step([]string{"sleep", args[1]}, cacheMount(), fileMount()).Root(), "")
	return err
}

// fileMount adds the mount of a single file, which BuildKit first mounts in its temporary
// directory.
func fileMount() llb.RunOption {
	file := llb.Scratch().File(llb.Mkfile("/a", 0o644, []byte("a")))
	return llb.AddMount("/file", file, llb.SourcePath("/a"), llb.Readonly)
}

// sleeper is a child that is at its step.
type sleeper struct {
	*exec.Cmd
	engine *os.Process
	tmp    string // its temporary directory
}

func startSleeper(t *testing.T, root, marker string) *sleeper {
	t.Helper()
	s := &sleeper{Cmd: child(t, "sleep", root, marker), tmp: t.TempDir()}
	s.Env = append(s.Env, "TMPDIR="+s.tmp)
	s.Stderr = os.Stderr
	require.NoError(t, s.Start())
	t.Cleanup(func() { s.kill() })
	eventually(t, "the step runs", func() bool { return len(processes(t, marker)) > 0 })
	s.engine = engineOf(t, s.Process.Pid)
	return s
}

func (s *sleeper) kill() {
	_ = s.Process.Kill()
	_ = s.Wait()
}

// engineOf returns the process of the engine that a program has opened.
func engineOf(t *testing.T, pid int) *os.Process {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, f := range files {
		line, _ := os.ReadFile(f)
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(f), "status"))
		if strings.HasPrefix(string(line), processName+"\x00") && strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", pid)) {
			found, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			require.NoError(t, err)
			p, err := os.FindProcess(found)
			require.NoError(t, err)
			return p
		}
	}
	t.Fatalf("process %d has no engine", pid)
	return nil
}

// temporary lists the temporary files in a state directory, and the mount points of containers.
func temporary(t *testing.T, root string) []string {
	t.Helper()
	l, err := newLayout(root)
	require.NoError(t, err)
	var found []string
	for _, dir := range []string{l.tmp, l.executor, l.cacheMounts} {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		for _, f := range files {
			// These two are the executor's own, for all containers.
			if f != filepath.Join(l.executor, "hosts") && f != filepath.Join(l.executor, "resolv.conf") {
				found = append(found, f)
			}
		}
	}
	return found
}

// mountTable is the mount table of a process.
func mountTable(t *testing.T, pid string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", pid, "mountinfo"))
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// A killed program takes its engine with it, and the engine clears up as after any other end.
func TestKill(t *testing.T) {
	root := requireEngine(t)
	before := mountTable(t, "self")
	for range 3 {
		m := marker(t)
		s := startSleeper(t, root, m)
		require.Equal(t, before, mountTable(t, "self"), "the engine's mounts do not show outside")
		require.Contains(t, strings.Join(mountTable(t, strconv.Itoa(s.engine.Pid)), "\n"), root+"/tmp/buildkit-mount",
			"there is a temporary mount, or this test tests nothing")

		_, err := New(t.Context(), Options{Root: root})
		require.ErrorContains(t, err, "(pid "+strconv.Itoa(s.Process.Pid)+")", "it is locked by the other process")

		s.kill()
		e := open(t, Options{Root: root}) // waits for the other engine's end
		require.Empty(t, processes(t, m))
		require.NoError(t, e.Close())
		require.Empty(t, leftovers(t, root))
		require.Empty(t, temporary(t, root))
		require.Empty(t, readDir(t, s.tmp))
		require.Equal(t, before, mountTable(t, "self"))
	}
}

// The next engine sweeps away what one that was itself killed has left.
func TestSweepAfterKill(t *testing.T) {
	root := requireEngine(t)
	before := mountTable(t, "self")
	for range 3 {
		m := marker(t)
		s := startSleeper(t, root, m)
		require.NoError(t, s.engine.Kill())
		s.kill()
		require.NotEmpty(t, processes(t, m), "the step outlives its engine, or this test tests nothing")
		require.NotEmpty(t, leftovers(t, root))
		require.NotEmpty(t, temporary(t, root))
		require.Equal(t, before, mountTable(t, "self"))

		log := &syncBuffer{}
		e := open(t, Options{Root: root, Log: log})
		require.Empty(t, processes(t, m))
		require.Empty(t, leftovers(t, root))
		require.Empty(t, temporary(t, root))
		require.NotContains(t, log.String(), "could not remove")

		out := t.TempDir()
		_, err := solve(t.Context(), e.Client(), step([]string{"write", "/a", m}, cacheMount(), fileMount()).Root(), out)
		require.NoError(t, err)
		require.Equal(t, m, readFile(t, out, "a"))
		require.NoError(t, e.Close())
		require.Empty(t, temporary(t, root))
		require.Empty(t, readDir(t, s.tmp))
		require.Equal(t, before, mountTable(t, "self"))
	}
}

// An engine that dies under its program says so, and the next one works.
func TestCrash(t *testing.T) {
	root := requireEngine(t)
	e, err := New(t.Context(), Options{Root: root})
	require.NoError(t, err)
	done := make(chan error, 1)
	m := marker(t)
	go func() {
		_, err := solve(t.Context(), e.Client(), step([]string{"sleep", m}).Root(), "")
		done <- err
	}()
	eventually(t, "the step runs", func() bool { return len(processes(t, m)) > 0 })
	require.NoError(t, engineOf(t, os.Getpid()).Kill())
	require.Error(t, <-done)
	require.EqualError(t, e.Close(), "close the built-in engine: its process failed: signal: killed")

	open(t, Options{Root: root})
	require.Empty(t, processes(t, m))
}

// Signals that a whole process group or service gets, the program handles, and not the engine.
func TestSignals(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t)})
	p := engineOf(t, os.Getpid())
	group, err := unix.Getpgid(p.Pid)
	require.NoError(t, err)
	require.NotEqual(t, unix.Getpgrp(), group)
	for _, sig := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP} {
		require.NoError(t, p.Signal(sig))
	}
	_, err = solve(t.Context(), e.Client(), llb.Scratch().File(llb.Mkdir("/a", 0o755)), "")
	require.NoError(t, err)
}

// What the user mounts in the state directory stays.
func TestSweepMounts(t *testing.T) {
	root := requireEngine(t)
	l, err := newLayout(root)
	require.NoError(t, err)
	source := t.TempDir()
	targets := map[string]bool{ // whether it is to stay
		filepath.Join(l.tmp, "buildkit-mount1"):         false,
		filepath.Join(l.executor, "id/rootfs"):          false,
		filepath.Join(l.cacheMounts, "buildkit-mount2"): false,
		l.snapshots:                     true,
		filepath.Join(root, "net-else"): true,
	}
	for d := range targets {
		require.NoError(t, os.MkdirAll(d, 0o755))
		require.NoError(t, unix.Mount(source, d, "", unix.MS_BIND, ""))
		t.Cleanup(func() { _ = unix.Unmount(d, unix.MNT_DETACH) })
	}
	s := &sweeper{layout: l}
	require.NoError(t, s.sweepMounts(t.Context()))
	for d, stays := range targets {
		mounted, err := mountinfo.Mounted(d)
		require.NoError(t, err)
		require.Equal(t, stays, mounted, d)
	}
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
