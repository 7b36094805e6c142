package integration

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/qemu"
)

// TestBoardDisk builds disks for two boards through an emulator, looks at what
// their firmware would find, and boots the system of one on a machine with EFI.
func TestBoardDisk(t *testing.T) {
	four := boardDisk(t, "rpi4", "start4.elf", "fixup4.dat", "bcm2711-rpi-4-b.dtb")
	three := boardDisk(t, "rpi3", "bootcode.bin", "start.elf", "fixup.dat", "bcm2837-rpi-3-b.dtb", "bcm2837-rpi-3-b-plus.dtb")

	assert.Equal(t, "00feffff0cfeffff0008000000000200"+"00feffffeefeffff01000000ff070000", bootRecord(t, three), "its firmware reads no GPT")
	assert.Regexp(t, "^00.{6}ee.{22}0{32}$", bootRecord(t, four), "a GPT and nothing else")

	m := boot(t, qemu.Options{Arch: known(t, "arm64"), Firmware: qemu.UEFI, Disks: []qemu.Disk{{Path: four, Scratch: true, SizeMiB: 10 << 10}}})
	c := console{t, m}
	installed(t, c, true)
	assert.Contains(t, c.run("cat /proc/cmdline"), " modprobe.blacklist=vc4 8250.nr_uarts=1 cgroup_enable=memory ")
	c.run("grep -w memory /sys/fs/cgroup/cgroup.controllers")
}

// boardDisk builds the disk of a board, and looks at it from the outside.
func boardDisk(t *testing.T, model string, files ...string) string {
	t.Helper()
	o := options(t, map[string]string{
		"kairos.spec": debianSpec + "model: " + model + "\ncmdline: [console=ttyAMA0]\n" +
			"artifacts: {disk: {layout: full, cloudConfig: disk.yaml}}\n",
		"disk.yaml": machineConfig,
	})
	emulate(t, &o, "arm64")
	o.Target, o.Platforms = "img", []string{"linux/arm64"}
	watch(&o)
	dir := build(t, embedded(t), o)
	img := filepath.Join(dir, strings.NewReplacer("amd64", "arm64", "generic", model).Replace(diskName)+".img")
	ask(t, dir, "zstd", "-q", "-d", "--sparse", img+".zst")
	checkPartitions(t, img, "efi", "oem", "recovery", "state", "persistent")
	checkFirmware(t, img, files...)
	return img
}

// checkFirmware looks for files in the root of the EFI partition. The last of
// them is a device tree.
func checkFirmware(t *testing.T, img string, files ...string) {
	t.Helper()
	dir, efi, tree := t.TempDir(), img+"@@1M", files[len(files)-1]
	names := strings.Fields(ask(t, "", "mdir", "-b", "-i", efi, "::"))
	for _, file := range append(files, "u-boot.bin", "config.txt") {
		assert.Contains(t, names, "::/"+file)
	}
	assert.Contains(t, ask(t, "", "mtype", "-i", efi, "::/config.txt"), "\narm_64bit=1\nkernel=u-boot.bin\n")
	ask(t, dir, "mcopy", "-i", efi, "::/u-boot.bin", "::/"+tree, dir)
	uboot, err := os.ReadFile(filepath.Join(dir, "u-boot.bin"))
	require.NoError(t, err)
	assert.Equal(t, byte(0x14), uboot[3], "it begins with a branch of the 64-bit instructions")
	assert.Contains(t, string(uboot), "U-Boot 20")
	blob, err := os.ReadFile(filepath.Join(dir, tree))
	require.NoError(t, err)
	assert.Equal(t, "\xd0\x0d\xfe\xed", string(blob[:4]), "a device tree")
}

// bootRecord is the first half of the table in the master boot record.
func bootRecord(t *testing.T, img string) string {
	t.Helper()
	disk, err := os.Open(img)
	require.NoError(t, err)
	defer disk.Close()
	table := make([]byte, 32)
	_, err = disk.ReadAt(table, 446)
	require.NoError(t, err)
	return hex.EncodeToString(table)
}
