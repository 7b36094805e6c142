// Package qemu boots an artifact, an ISO or a disk image, in QEMU and talks to it over its serial
// console.
//
// Integration tests use [Start]. They wait for console output with [Console.Expect], type with
// [Console.Send], and run commands at a shell prompt with [Console.Run]. Every error has the last
// lines of the console. People use [Interactive], which connects the console to their terminal.
//
// Timeouts are those for KVM. They are multiplied by a factor if the VM is emulated, see
// [Options.Slowdown]. To find out whether KVM works, the artifact's kernel is booted, see
// [Accelerator].
package qemu
