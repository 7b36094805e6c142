package qemu

import "syscall"

// dieWithParent makes the kernel signal the process when this one ends for any reason.
func dieWithParent(signal syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: signal}
}
