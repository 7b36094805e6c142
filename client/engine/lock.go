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

// lockGrace is the time to wait for a lock. An engine whose program was killed ends soon.
const lockGrace = 500 * time.Millisecond

// rootLock makes sure that only one engine at a time uses a state directory. BuildKit's databases
// have their own locks, but wait for them silently and forever.
//
// The lock is a file with the pid of the program that opened the engine; it is empty while the
// engine is stopping. The kernel releases the lock with the engine's process, so a killed engine
// does not block others. The file stays, because removing it would be a race.
type rootLock struct{ file *os.File }

// acquireLock takes the lock. It waits for an engine that is stopping; otherwise, the error names
// the program that uses the directory.
func acquireLock(root string) (*rootLock, error) {
	file, err := os.OpenFile(filepath.Join(root, "engine.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, stateDirError(root, err)
	}
	l := &rootLock{file: file}
	if err := l.wait(root); err != nil {
		return nil, err
	}
	l.ending() // the previous engine may have been killed
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
			return errors.Wrapf(err, "lock the engine's state directory %s", root)
		}
		pid := l.holder()
		if waited := time.Since(start); waited > closeTimeout || pid != "" && waited > lockGrace {
			return errors.Errorf("another engine%s uses the state directory %s: "+
				"wait until it is done, or choose another directory", pid, root)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// holder describes who has the lock; empty for an engine that is stopping.
func (l *rootLock) holder() string {
	b := make([]byte, 32)
	n, _ := l.file.ReadAt(b, 0)
	if n == 0 {
		return ""
	}
	return " (pid " + strings.TrimSpace(string(b[:n])) + ")"
}

// ending marks the lock as free soon, for those who wait for it.
func (l *rootLock) ending() { _ = l.file.Truncate(0) }

// release frees the lock. Without it the garbage collector may close the file, and free the lock,
// while the engine still cleans up.
func (l *rootLock) release() { _ = l.file.Close() }
