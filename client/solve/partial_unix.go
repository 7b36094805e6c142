//go:build unix

package solve

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// free returns the bytes that this process can still write to the filesystem of a directory
// (statfs(2)); ok is false if that is unknown.
func free(dir string) (bytes uint64, ok bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return uint64(st.Bavail) * uint64(st.Bsize), true //nolint:unconvert // signed on other systems
}

// hold locks a directory until it is released or this process ends. ok is false if another process
// has locked it, or if it does not exist.
func hold(dir string) (letGo io.Closer, ok bool) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, false
	}
	// Some filesystems have no locks; directories there never count as abandoned.
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != unix.EWOULDBLOCK {
		// The process that had locked it may have removed it.
		if _, err := os.Stat(dir); err == nil {
			return f, true
		}
	}
	_ = f.Close()
	return nil, false
}

// abandoned reports whether no process has locked a directory.
func abandoned(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}
