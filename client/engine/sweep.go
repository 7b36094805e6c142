//go:build linux

package engine

import (
	"context"
	stderrors "errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	runc "github.com/containerd/go-runc"
	"github.com/pkg/errors"
	"github.com/sirupsen/logrus"
)

// sweepTimeout limits the waits of the sweep: for runc, and for processes that are ending.
const sweepTimeout = 10 * time.Second

// sweeper removes what a killed engine has left: runc dies with its parent, but the processes of
// containers keep running. It only removes what belongs to this engine, and must only run while the
// state directory is locked and none of our containers is in use.
type sweeper struct {
	layout layout
	runc   string
}

// sweep removes what it can, and logs the rest. Leftovers use memory and disk space but do not
// affect a build, so they must not prevent one.
func (s *sweeper) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()

	// In this order: runc gives up on a container if its processes do not end at once, processes
	// keep mounts busy, and a directory can only be removed if nothing is mounted in it.
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"cgroups", s.sweepCgroups},
		{"containers", s.sweepContainers},
		{"mounts", s.sweepMounts},
		{"directories", s.sweepDirectories},
	} {
		if err := step.do(ctx); err != nil {
			logrus.WithError(err).Warnf("could not remove all %s that an earlier engine left behind", step.what)
		}
	}
}

// sweepContainers deletes our containers from runc. The executor uses runc's default state
// directory, which other programs on the host use too; ours are those with a bundle in our state
// directory.
func (s *sweeper) sweepContainers(ctx context.Context) error {
	r := &runc.Runc{Command: s.runc}
	all, err := r.List(ctx)
	if err != nil {
		return errors.Wrap(err, "list runc's containers")
	}
	var errs []error
	for _, c := range all {
		if within(s.layout.executor, c.Bundle) {
			err := r.Delete(ctx, c.ID, &runc.DeleteOpts{Force: true})
			errs = append(errs, errors.Wrapf(err, "delete container %s", c.ID))
		}
	}
	return stderrors.Join(errs...)
}

// sweepDirectories empties the directories of containers, shared mounts and temporary files. It
// checks again that nothing is mounted there: otherwise it would delete mounted layers of the
// cache.
func (s *sweeper) sweepDirectories(context.Context) error {
	mounts, err := ownMounts(s.layout)
	if err != nil {
		return err
	}
	if len(mounts) > 0 {
		return errors.Errorf("%s is still mounted", mounts[0])
	}
	for _, dir := range []string{s.layout.executor, s.layout.cacheMounts, s.layout.tmp, s.layout.probe} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return errors.Wrap(err, "read the remaining files")
		}
		for _, e := range entries {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return errors.Wrap(err, "remove the remaining files")
			}
		}
	}
	return nil
}

// within reports whether path is strictly below dir. Both are clean and absolute.
func within(dir, path string) bool { return strings.HasPrefix(path, dir+"/") }
