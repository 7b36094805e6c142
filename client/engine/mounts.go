//go:build linux

package engine

import (
	"context"
	stderrors "errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// tempMountPrefix is how BuildKit calls the directories it mounts layers on while it copies and exports files.
// They are below the system's temporary directory, not below the state directory.
const tempMountPrefix = "buildkit-mount"

// sweepMounts unmounts what is ours, the youngest and so the deepest first. It detaches instead of waiting for the
// last user, as nobody is left who could be asked to go.
func (s *sweeper) sweepMounts(context.Context) error {
	mounts, err := ownMounts(s.layout)
	if err != nil {
		return err
	}
	var errs []error
	for i := len(mounts) - 1; i >= 0; i-- {
		// EINVAL: it has gone already, together with the mount it was on.
		if err := unix.Unmount(mounts[i], unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			errs = append(errs, errors.Wrapf(err, "unmounting %s", mounts[i]))
			continue
		}
		if !within(s.layout.root, mounts[i]) {
			_ = os.Remove(mounts[i]) // only if empty
		}
	}
	return stderrors.Join(errs...)
}

// ownMounts lists the mount points of containers, shared layers and network namespaces below the state directory,
// and temporary ones elsewhere that show a layer from it. Anything else mounted there is the user's, such as a
// separate disk for the layers.
func ownMounts(l layout) ([]string, error) {
	all, err := mountinfo.GetMounts(nil)
	if err != nil {
		return nil, errors.Wrap(err, "reading the mount table")
	}
	layers := locate(all, l.snapshots)
	var own []string
	for _, m := range all {
		if within(l.executor, m.Mountpoint) || within(l.cacheMounts, m.Mountpoint) ||
			within(l.netns, m.Mountpoint) || within(l.probe, m.Mountpoint) ||
			strings.HasPrefix(filepath.Base(m.Mountpoint), tempMountPrefix) && layers.shownBy(m) {
			own = append(own, m.Mountpoint)
		}
	}
	return own, nil
}

// location is a directory as the mount table sees it: by its path now, and by device and path in its file system.
type location struct {
	path         string
	major, minor int
	inner        string
}

// locate finds the mount that a directory is on: the longest mount point above it, the last one if several are
// stacked.
func locate(all []*mountinfo.Info, path string) location {
	loc, longest := location{path: path}, -1
	for _, m := range all {
		rel, err := filepath.Rel(m.Mountpoint, path)
		if err != nil || rel == ".." || strings.HasPrefix(rel, "../") || len(m.Mountpoint) < longest {
			continue
		}
		longest = len(m.Mountpoint)
		loc.major, loc.minor, loc.inner = m.Major, m.Minor, filepath.Join(m.Root, rel)
	}
	return loc
}

// shownBy reports whether a mount is an overlay of directories below the location, or a bind mount of one.
func (l location) shownBy(m *mountinfo.Info) bool {
	if m.FSType == "overlay" {
		return strings.Contains(m.VFSOptions, l.path+"/")
	}
	return m.Major == l.major && m.Minor == l.minor && within(l.inner, m.Root)
}
