//go:build !linux

package qemu

import "syscall"

// dieWithParent has no equivalent here: a QEMU outlives a program that is killed.
func dieWithParent(syscall.Signal) *syscall.SysProcAttr { return nil }
