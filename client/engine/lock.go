//go:build linux

package engine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// lockGrace is how long a lock is waited for. When the program of an engine is
// killed, the engine notices, and is about to end.
const lockGrace = 500 * time.Millisecond

// rootLock makes sure that one engine at a time uses a state directory.
// BuildKit's databases have locks of their own, but wait for them in silence and
// for ever.
//
// It is a file with the pid of the program that opened the engine, which is
// empty while the engine ends. The kernel drops the lock with the engine's
// process, so a killed one blocks nobody; the file itself stays, because
// removing it would be a race.
type rootLock struct{ file *os.File }

// acquireLock takes the lock, waiting for an engine that is ending, or fails and
// names the program that uses the directory.
func acquireLock(root string) (*rootLock, error) {
	file, err := os.OpenFile(filepath.Join(root, "engine.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, stateDirError(root, err)
	}
	l := &rootLock{file: file}
	if err := l.wait(root); err != nil {
		return nil, err
	}
	l.ending() // of the predecessor, which may have been killed
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getppid())), 0); err != nil {
		return nil, stateDirError(root, err)
	}
	return l, nil
}

func (l *rootLock) wait(root string) error {
	for start := time.Now(); ; {
		err := unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return errors.Wrapf(err, "locking the engine's state directory %s", root)
		}
		pid := l.holder()
		if waited := time.Since(start); waited > closeTimeout || pid != "" && waited > lockGrace {
			return errors.Errorf("another engine%s uses the state directory %s: "+
				"wait until it is done, or choose another directory", pid, root)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// holder says who has the lock, or nothing about an engine that is ending.
func (l *rootLock) holder() string {
	b := make([]byte, 32)
	n, _ := l.file.ReadAt(b, 0)
	if n == 0 {
		return ""
	}
	return " (pid " + strings.TrimSpace(string(b[:n])) + ")"
}

// ending tells those who wait for the lock that it is free soon.
func (l *rootLock) ending() { _ = l.file.Truncate(0) }
