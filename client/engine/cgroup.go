//go:build linux

package engine

import (
	"context"
	stderrors "errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// sweepCgroups kills the processes in the engine's cgroup and removes it. It finds what runc no
// longer knows, such as a container that was being created. It works with cgroup v1, which has one
// hierarchy for each controller, with v2, and with both.
func (s *sweeper) sweepCgroups(ctx context.Context) error {
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	if err != nil {
		return errors.Wrap(err, "read the mount table")
	}
	var errs []error
	for _, m := range mounts {
		errs = append(errs, removeCgroup(ctx, filepath.Join(m.Mountpoint, s.layout.cgroup)))
	}
	return stderrors.Join(errs...)
}

// removeCgroup kills until no process is left, because a process may fork while the list is being
// read.
func removeCgroup(ctx context.Context, dir string) error {
	for {
		dirs, pids, err := readCgroup(dir)
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			err := removeCgroupDirs(dirs)
			if !errors.Is(err, unix.EBUSY) { // busy: a dead process is still being removed
				return err
			}
		}
		for _, pid := range pids {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return errors.Wrapf(err, "kill process %d", pid)
			}
		}
		select {
		case <-ctx.Done():
			return errors.Errorf("processes in %s do not end", dir)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// readCgroup returns a cgroup with its descendants, parents first, and the processes in all of
// them. The result is empty for a cgroup that does not exist.
func readCgroup(dir string) (dirs []string, pids []int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || !d.IsDir() {
			return err
		}
		dirs = append(dirs, path)
		b, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) { // removed in the meantime, before or after opening
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range strings.Fields(string(b)) {
			// Zero is a process outside of our pid namespace; kill(0) would signal our own process
			// group.
			if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return dirs, pids, errors.Wrapf(err, "reading %s", dir)
}

func removeCgroupDirs(dirs []string) error {
	for i := len(dirs) - 1; i >= 0; i-- {
		if err := unix.Rmdir(dirs[i]); err != nil && !errors.Is(err, unix.ENOENT) {
			return errors.Wrapf(err, "removing %s", dirs[i])
		}
	}
	return nil
}
