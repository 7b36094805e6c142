package qemu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pkg/errors"
)

// probeLimit is the time for a kernel under KVM to panic because it has no root filesystem. Two
// seconds are usual.
const probeLimit = 15 * time.Second

// isoKernel is the path of the kernel on a Kairos ISO.
const isoKernel = "boot/kernel"

// Accelerator chooses KVM or TCG for a VM, and returns the reason for the user.
//
// KVM may not work even if /dev/kvm can be opened: inside some VMs, firmware runs but a kernel
// hangs. So the kernel to boot, or that of the ISO, or else the host's, is booted under KVM without
// a root filesystem, and must reach the panic because of that. The result is stored in the user's
// cache directory until the host reboots, or the kernel or QEMU changes. If anything fails, the
// result is TCG.
func Accelerator(ctx context.Context, o Options) (accel Accel, reason string) {
	o, err := o.resolve()
	switch {
	case err != nil:
		return TCG, err.Error()
	case o.Accel != Auto:
		return o.Accel, "as asked for"
	case runtime.GOOS != "linux":
		return TCG, "no KVM on " + runtime.GOOS
	case runtime.GOARCH != o.Arch.Name:
		return TCG, fmt.Sprintf("KVM on %s cannot run %s", runtime.GOARCH, o.Arch.Name)
	}
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	switch {
	case os.IsPermission(err):
		return TCG, "no KVM: " + err.Error() + " (usually the group kvm has it)"
	case err != nil:
		return TCG, "no KVM: " + err.Error()
	}
	kvm.Close()

	accel, reason, err = remembered(ctx, o)
	if err != nil {
		return TCG, "KVM could not be tried: " + err.Error()
	}
	return accel, reason
}

// remembered returns the stored result, or tries and stores it.
func remembered(ctx context.Context, o Options) (Accel, string, error) {
	qemu, err := findQEMU(o.Arch)
	if err != nil {
		return "", "", err
	}
	dir, err := os.MkdirTemp(o.TempDir, "kvm-")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(dir)
	kernel, err := probeKernel(o, dir)
	if err != nil {
		return "", "", err
	}

	key, err := verdictKey(kernel, qemu)
	if err != nil {
		return "", "", err
	}
	book, useBook := newVerdictBook()
	if useBook {
		if v, ok := book.lookup(key); ok {
			return v.Accel, v.Reason + ", as found earlier", nil
		}
	}
	v := tryKVM(ctx, o, kernel)
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	if useBook {
		// If it cannot be stored, the next run only tries again.
		_ = book.note(key, v)
	}
	return v.Accel, v.Reason, nil
}

// probeKernel returns a kernel to try KVM with. dir is for one that must be extracted.
func probeKernel(o Options, dir string) (string, error) {
	if o.Kernel != "" {
		return o.Kernel, nil
	}
	if o.ISO != "" {
		kernel := filepath.Join(dir, "kernel")
		return kernel, errors.Wrap(extract(o.ISO, isoKernel, kernel), "kernel of the ISO")
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "", err
	}
	kernel := "/boot/vmlinuz-" + strings.TrimSpace(string(release))
	f, err := os.Open(kernel)
	if err != nil {
		return "", errors.Wrap(err, "the kernel of a disk is not accessible, and the host's cannot be read")
	}
	return kernel, f.Close()
}

// tryKVM boots only a kernel.
func tryKVM(ctx context.Context, o Options, kernel string) verdict {
	began := time.Now()
	m, err := Start(ctx, Options{
		Arch:      o.Arch,
		Accel:     KVM,
		MemoryMiB: 512,
		CPUs:      o.CPUs,
		Kernel:    kernel,
		Append:    "console=" + o.Arch.Consoles[0] + " panic=-1",
		NoReboot:  true,
		TempDir:   o.TempDir,
	})
	if err != nil {
		return verdict{TCG, "KVM does not work: " + firstLine(err)}
	}
	defer m.Close()
	_, err = m.Expect(ctx, KernelPanic(), probeLimit)
	switch {
	case err == nil:
		return verdict{KVM, fmt.Sprintf("a kernel ran under KVM, in %.1fs", time.Since(began).Seconds())}
	case errors.Is(err, context.DeadlineExceeded):
		return verdict{TCG, fmt.Sprintf("a kernel hangs under KVM: it did not boot within %s", probeLimit)}
	default:
		return verdict{TCG, "a kernel fails under KVM: " + firstLine(errors.Unwrap(err))}
	}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
