// Package qemu boots an artifact, an ISO or a disk image, in QEMU and talks to it over its serial console.
//
// Integration tests use [Start]: wait for what the console should print with [Console.Expect], type with
// [Console.Send], run commands at a shell prompt with [Console.Run]. Every failure carries the end of the console log.
// People use [Interactive], which puts the console on their terminal.
//
// A deadline is given as if the machine ran under KVM and is stretched by one factor when it is emulated, see
// [Options.Slowdown]. Whether KVM can be used is found out by booting the artifact's kernel, see [Accelerator].
package qemu
