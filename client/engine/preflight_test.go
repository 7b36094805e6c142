//go:build linux

package engine

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// New's errors have to say what to do about it.
func TestNewErrors(t *testing.T) {
	root := requireEngine(t)
	mount := func(fstype string, flags uintptr, data string) string {
		dir := t.TempDir()
		require.NoError(t, unix.Mount(fstype, dir, fstype, flags, data))
		t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
		return dir
	}
	lower, upper, work := t.TempDir(), t.TempDir(), t.TempDir()
	overlaid := mount("overlay", 0, "lowerdir="+lower+",upperdir="+upper+",workdir="+work)

	for _, tc := range []struct {
		name string
		o    Options
		want string
	}{
		{"relative", Options{Root: "state"}, `must be an absolute path, not "state"`},
		{"no such runc", Options{Root: root, Runc: "/no/such/runc"}, "no runc at /no/such/runc: correct the path"},
		{"colon", Options{Root: filepath.Join(root, "a:b")}, "which overlayfs cannot mount"},
		{"read-only", Options{Root: mount("tmpfs", unix.MS_RDONLY, "")}, "is on a read-only file system: choose one that can be written"},
		{"overlay", Options{Root: overlaid}, "is itself on overlayfs, as in a container: put it on a volume"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := New(t.Context(), tc.o)
			require.Nil(t, e)
			require.ErrorContains(t, err, tc.want)
		})
	}
	for _, tc := range []struct {
		name, child string
		attr        syscall.SysProcAttr
		want        string
	}{
		{"not root", "nobody", syscall.SysProcAttr{},
			"needs root: run with sudo, or point --builder / BUILDKIT_HOST at a running BuildKit"},
		{"user namespace", "new", syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
		}, "does not work as root of a user namespace"},
		{"no runc", "no runc", syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}, "apt-get install runc (Debian, Ubuntu)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := child(t, tc.child, root)
			c.SysProcAttr = &tc.attr
			out, err := c.Output()
			require.NoError(t, err)
			require.Contains(t, string(out), tc.want)
		})
	}
	// None of them may have left a lock behind.
	open(t, Options{Root: root})
}

// childNew prints what New says about its argument, a state directory.
func childNew(ctx context.Context, args []string) error {
	_, err := New(ctx, Options{Root: args[0]})
	if err == nil {
		return errors.New("the engine started")
	}
	_, err = os.Stdout.WriteString(err.Error())
	return err
}

// childNobody is childNew without privileges.
func childNobody(ctx context.Context, args []string) error {
	if err := unix.Setuid(65534); err != nil {
		return err
	}
	return childNew(ctx, args)
}

// childNoRunc is childNew where there is no runc. It needs a mount namespace of its own.
func childNoRunc(ctx context.Context, args []string) error {
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
			return err
		}
	}
	if err := os.Setenv("PATH", "/nonexistent"); err != nil {
		return err
	}
	return childNew(ctx, args)
}
