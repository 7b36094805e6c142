//go:build !linux

package qemu

import "syscall"

// dieWithParent does nothing here: QEMU keeps running if this program is killed.
func dieWithParent(syscall.Signal) *syscall.SysProcAttr { return nil }
