//go:build linux

package engine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// rootLock makes sure that one engine at a time uses a state directory. BuildKit's databases have locks of their
// own, but wait for them in silence and for ever.
//
// It is a bare file descriptor. An os.File would be closed by the garbage collector, and the lock lost, as soon as
// the caller keeps nothing of its engine but the client.
type rootLock struct{ fd int }

// acquireLock takes the lock or fails at once, naming the process that holds it. The kernel drops the lock with
// its holder, so a killed engine blocks nobody; the file itself stays, because removing it would be a race.
func acquireLock(root string) (_ *rootLock, err error) {
	fd, err := unix.Open(filepath.Join(root, "engine.lock"), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, stateDirError(root, err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, errors.Errorf("another engine%s uses the state directory %s: "+
			"wait until it is done, or choose another directory", holder(fd), root)
	case err != nil:
		return nil, errors.Wrapf(err, "locking the engine's state directory %s", root)
	}
	if err := unix.Ftruncate(fd, 0); err != nil {
		return nil, stateDirError(root, err)
	}
	if _, err := unix.Pwrite(fd, []byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, stateDirError(root, err)
	}
	return &rootLock{fd: fd}, nil
}

// holder reads who has the lock. The file is empty for the instant between locking and writing.
func holder(fd int) string {
	b := make([]byte, 32)
	n, err := unix.Pread(fd, b, 0)
	if err != nil || n == 0 {
		return ""
	}
	return " (pid " + strings.TrimSpace(string(b[:n])) + ")"
}

// release unlocks explicitly: closing alone is not enough while a child is being forked with a copy of the file.
func (l *rootLock) release() error {
	if err := unix.Flock(l.fd, unix.LOCK_UN); err != nil {
		return errors.Wrap(err, "unlocking the engine's state directory")
	}
	return errors.Wrap(unix.Close(l.fd), "closing the engine's lock file")
}
