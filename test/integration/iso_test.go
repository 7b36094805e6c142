package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/remaster"
	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestISO checks the contents of the medium (contract 3).
func TestISO(t *testing.T) {
	t.Parallel()
	file := iso(t)
	testkit.Need(t, "xorriso", "run hack/deps.sh test")

	check := exec.Command("sha256sum", "-c", filepath.Base(file)+".sha256")
	check.Dir = filepath.Dir(file)
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))

	out, err = exec.Command("xorriso", "-indev", file, "-pvd_info", "-find", "/", "--", "-report_el_torito", "plain", "-report_system_area", "plain").CombinedOutput()
	require.NoError(t, err, string(out))
	text := string(out)
	assert.Regexp(t, `Volume Id\s*: COS_LIVE`, text)
	for _, path := range []string{
		"/rootfs.squashfs", "/boot/kernel", "/boot/initrd", "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg",
		"/boot/eltorito.img", "/EFI/BOOT/bootx64.efi", "/EFI/BOOT/grubx64.efi", "/EFI/BOOT/grub.cfg",
	} {
		assert.Contains(t, text, "'"+path+"'")
	}
	assert.NotContains(t, text, "'/config.yaml'", "no cloud-config was asked for")
	dir := t.TempDir()
	ask(t, dir, "xorriso", "-osirrox", "on", "-indev", file, "-extract", "/", ".")
	ask(t, dir, "chmod", "-R", "u+w", ".")
	ask(t, dir, "unsquashfs", "-q", "-n", "-d", "system", "rootfs.squashfs", "boot")
	ask(t, dir, "cmp", "boot/kernel", "system/boot/vmlinuz")
	ask(t, dir, "cmp", "boot/initrd", "system/boot/initrd")
	medium, err := os.Stat(file)
	require.NoError(t, err)
	system, err := os.Stat(filepath.Join(dir, "rootfs.squashfs"))
	require.NoError(t, err)
	assert.Less(t, medium.Size()-system.Size(), int64(20<<20), "kernel and initramfs are there once")
	withinBudget(t, map[string]int64{"iso": medium.Size()})
	assert.Regexp(t, `El Torito boot img\s*:\s*1\s+BIOS`, text)
	assert.Regexp(t, `El Torito boot img\s*:\s*2\s+UEFI`, text)
	assert.Regexp(t, `System area summary: MBR protective-msdos-label grub2-mbr .*GPT`, text)

	// It reads back what it writes.
	again := filepath.Join(dir, "again.iso")
	require.NoError(t, remaster.Remaster(t.Context(), file, again, remaster.Options{Add: []string{"debug"}}))
	remastered, err := os.Stat(again)
	require.NoError(t, err)
	assert.Less(t, remastered.Size()-medium.Size(), int64(64<<10), "kernel and initramfs are there once")
}

// live checks a live system.
func live(t *testing.T, c console) {
	t.Helper()
	assert.Equal(t, "root", c.run("id -un"))
	c.run("test -e /run/cos/live_mode")
	assert.Contains(t, c.run("kairos-agent state"), "livecd_boot")
	assert.Contains(t, c.run("cat /proc/cmdline"), "root=live:CDLABEL=COS_LIVE")
}

// TestBootToRAM chooses the first entry of the submenu for booting to RAM. The medium is not in use
// then.
func TestBootToRAM(t *testing.T) {
	t.Parallel()
	m := start(t, qemu.Options{ISO: iso(t), CPUs: 1, MemoryMiB: 4096, Fatal: qemu.KernelPanic()})
	c := console{t, m}
	const last, enter = "\x05", "\r"
	c.expect(`boot to RAM`, time.Minute)
	require.NoError(t, m.Send(last+enter))
	c.expect(`data on the partitions`, time.Minute)
	require.NoError(t, m.Send(enter))
	c.expect(prompt(`kairos\.ram`), 3*time.Minute)
	live(t, c)
	assert.Contains(t, c.run("cat /proc/cmdline"), "rd.live.ram")
	assert.Empty(t, c.run("findmnt -n /run/initramfs/live || true"), "the medium")
	c.run("findmnt -nro SOURCE / | grep -v /dev/sr")
	systemdUp(t, c)
}

// boot starts a VM and waits for the root prompt on its serial console.
func boot(t *testing.T, o qemu.Options) *qemu.Machine {
	t.Helper()
	return bootUntil(t, o, `root@[^ ]*:~# `, time.Minute)
}

// bootUntil starts a VM and waits until its serial console shows a pattern. A kernel panic ends the
// wait.
func bootUntil(t *testing.T, o qemu.Options, pattern string, limit time.Duration) *qemu.Machine {
	t.Helper()
	o.Fatal = qemu.KernelPanic()
	m := start(t, o)
	console{t, m}.expect(pattern, limit)
	return m
}

// known returns an architecture of the catalog.
func known(t *testing.T, name string) catalog.Arch {
	t.Helper()
	return *spectest.Catalog(t).Archs[name]
}

// start starts a VM with a network, for amd64 unless o has another architecture.
func start(t *testing.T, o qemu.Options) *qemu.Machine {
	t.Helper()
	testkit.Need(t, "qemu-system-x86_64", "run hack/deps.sh boot")
	o.Network = true
	if o.Arch.Name == "" {
		o.Arch = known(t, arch)
	}
	m, err := qemu.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}
