//go:build unix

package solve

import "golang.org/x/sys/unix"

// alive tells whether a process runs (kill(2), signal 0).
func alive(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }
