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

// sweepTimeout bounds what the sweep waits for: runc, and processes on their way out.
const sweepTimeout = 10 * time.Second

// sweeper removes what an engine that was killed has left: runc dies with its parent, but the container's own
// processes live on without one. It touches nothing that is not this engine's, and must only run while the state
// directory is locked and no container of ours is wanted.
type sweeper struct {
	layout layout
	runc   string
}

// sweep does what it can; the rest goes to the log. Leftovers cost memory and disk space, but do not disturb a
// build, so they must not prevent one either.
func (s *sweeper) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()

	// In this order: runc gives up on a container whose processes do not end at once, processes hold mounts, and a
	// directory may only go when nothing is mounted on it.
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
			logrus.WithError(err).Warnf("could not clear all %s that an earlier engine left behind", step.what)
		}
	}
}

// sweepContainers makes runc forget our containers. The executor uses runc's default state directory, which is
// shared by everything on the host that does the same; ours are those whose bundle is in our state directory.
func (s *sweeper) sweepContainers(ctx context.Context) error {
	r := &runc.Runc{Command: s.runc}
	all, err := r.List(ctx)
	if err != nil {
		return errors.Wrap(err, "listing runc's containers")
	}
	var errs []error
	for _, c := range all {
		if within(s.layout.executor, c.Bundle) {
			err := r.Delete(ctx, c.ID, &runc.DeleteOpts{Force: true})
			errs = append(errs, errors.Wrapf(err, "deleting container %s", c.ID))
		}
	}
	return stderrors.Join(errs...)
}

// sweepDirectories empties the directories of containers, shared mounts and temporary files. It checks again that nothing is
// mounted there: otherwise it would delete what is mounted, the layers of the cache.
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
			return errors.Wrap(err, "reading what is left")
		}
		for _, e := range entries {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return errors.Wrap(err, "removing what is left")
			}
		}
	}
	return nil
}

// within reports whether path is strictly below dir. Both are clean and absolute.
func within(dir, path string) bool { return strings.HasPrefix(path, dir+"/") }
