//go:build unix

package solve

import "golang.org/x/sys/unix"

// free is the space on the file system of a folder, in bytes, that is left to
// this process (statfs(2)); ok is false when nobody can tell.
func free(folder string) (bytes uint64, ok bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, false
	}
	return uint64(st.Bavail) * uint64(st.Bsize), true
}

// alive tells whether a process runs (kill(2), signal 0).
func alive(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }
