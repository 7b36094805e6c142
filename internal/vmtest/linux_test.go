package vmtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testLinux returns a kernel and a static busybox, which the environment has to name: VMTEST_KERNEL, VMTEST_BUSYBOX.
func testLinux(t *testing.T) (kernel, busybox string) {
	t.Helper()
	kernel, busybox = os.Getenv("VMTEST_KERNEL"), os.Getenv("VMTEST_BUSYBOX")
	if kernel == "" || busybox == "" {
		t.Skip("VMTEST_KERNEL and VMTEST_BUSYBOX do not name a kernel and a static busybox")
	}
	return kernel, busybox
}

// initrd packs busybox and an init that ends in a shell on the serial console.
func initrd(t *testing.T, busybox string) string {
	t.Helper()
	program, err := os.ReadFile(busybox)
	require.NoError(t, err)
	const script = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
echo the shell is ready
exec setsid sh -c 'exec sh </dev/ttyS0 >/dev/ttyS0 2>&1'
`
	var archive bytes.Buffer
	add := func(name string, mode int, data []byte) {
		fmt.Fprintf(&archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
			0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		for archive.Len()%4 != 0 {
			archive.WriteByte(0)
		}
		archive.Write(data)
		for archive.Len()%4 != 0 {
			archive.WriteByte(0)
		}
	}
	for _, dir := range []string{"bin", "proc", "dev", "tmp"} {
		add(dir, 0o40755, nil)
	}
	add("bin/busybox", 0o100755, program)
	add("init", 0o100755, []byte(script))
	add("TRAILER!!!", 0, nil)
	path := filepath.Join(t.TempDir(), "initrd")
	require.NoError(t, os.WriteFile(path, archive.Bytes(), 0o600))
	return path
}

func TestLinux(t *testing.T) {
	kernel, busybox := testLinux(t)
	began := time.Now()
	m := boot(t, Options{
		Kernel: kernel, Initrd: initrd(t, busybox), Append: "console=ttyS0 panic=-1 printk.devkmsg=on", NoReboot: true,
		Accel: TCG, MemoryMiB: 512, Fatal: KernelPanic(),
	})
	_, err := m.Expect(t.Context(), regexp.MustCompile(`the shell is ready`), 20*time.Second)
	require.NoError(t, err)
	t.Logf("booted in %s", time.Since(began))

	for i := range 20 {
		began = time.Now()
		got, err := m.Run(t.Context(), fmt.Sprintf("uname -s; echo it\\'s %d; exit %d", i, i), 10*time.Second)
		require.NoError(t, err)
		require.Equal(t, Result{Output: fmt.Sprintf("Linux\nit's %d", i), ExitCode: i}, got)
	}
	t.Logf("a command takes %s", time.Since(began))

	require.NoError(t, m.Send("while usleep 500; do echo noise noise noise >/dev/kmsg; done &\n"))
	_, err = m.Expect(t.Context(), regexp.MustCompile(`\] noise`), 10*time.Second)
	require.NoError(t, err)
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprint(i+1))
	}
	for range 5 {
		got, err := m.Run(t.Context(), "seq 1 300", 10*time.Second)
		require.NoError(t, err)
		require.Equal(t, Result{Output: strings.Join(want, "\n")}, got)
	}
	t.Logf("%d lines of noise", strings.Count(m.Text(), "] noise"))

	require.NoError(t, m.Send("reboot -f\n"))
	require.NoError(t, m.Wait(t.Context(), 10*time.Second))
}

func TestAccelerator(t *testing.T) {
	kernel, _ := testLinux(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	began := time.Now()
	accel, reason := Accelerator(t.Context(), Options{Kernel: kernel})
	t.Logf("%s: %s (after %s)", accel, reason, time.Since(began))

	began = time.Now()
	again, why := Accelerator(t.Context(), Options{Kernel: kernel})
	t.Logf("%s: %s (after %s)", again, why, time.Since(began))
	require.Equal(t, accel, again)
	require.Contains(t, why, reason)
}
