//go:build linux

package engine

import (
	"context"
	stderrors "errors"

	"github.com/moby/sys/mountinfo"
	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// sweepMounts unmounts our mounts, the youngest and therefore deepest first. The mounts of a killed
// engine disappear with its mount namespace; what is left are mounts that BuildKit has not
// unmounted in this one. It detaches them, because nothing uses them any more.
func (s *sweeper) sweepMounts(context.Context) error {
	mounts, err := ownMounts(s.layout)
	if err != nil {
		return err
	}
	var errs []error
	for i := len(mounts) - 1; i >= 0; i-- {
		// EINVAL: already unmounted, together with its parent mount.
		if err := unix.Unmount(mounts[i], unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			errs = append(errs, errors.Wrapf(err, "unmounting %s", mounts[i]))
		}
	}
	return stderrors.Join(errs...)
}

// ownMounts lists the mount points in the directories of the state directory in which only the
// engine mounts. Other mounts are the user's, such as a separate disk for the layers.
func ownMounts(l layout) ([]string, error) {
	all, err := mountinfo.GetMounts(mountinfo.PrefixFilter(l.root))
	if err != nil {
		return nil, errors.Wrap(err, "read the mount table")
	}
	var own []string
	for _, m := range all {
		for _, dir := range []string{l.executor, l.cacheMounts, l.netns, l.tmp, l.probe} {
			if within(dir, m.Mountpoint) {
				own = append(own, m.Mountpoint)
			}
		}
	}
	return own, nil
}
