package integration

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestBoardDisk builds disks for two boards through an emulator, checks the files for their
// firmware, and boots one of the disks in a VM with UEFI.
func TestBoardDisk(t *testing.T) {
	testkit.Need(t, "qemu-system-aarch64", "run hack/deps.sh foreign")
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

// boardDisk is the disk of a board with Debian 12.
func boardDisk(t *testing.T, model string, files ...string) string {
	t.Helper()
	o := options(t, map[string]string{
		"kairos.spec": debianSpec + "model: " + model + "\ncmdline: [console=ttyAMA0]\n" +
			"artifacts: {disk: {layout: full, cloudConfig: disk.yaml}}\n",
		"disk.yaml": machineConfig,
	})
	emulate(t, &o, "debian-12", "arm64")
	return builtDisk(t, o, strings.NewReplacer("amd64", "arm64", "generic", model).Replace(diskName), files...)
}

// TestBoardDiskOwnKernel builds a disk for the board whose kernel Debian has only in its backports,
// with the device trees of that kernel.
func TestBoardDiskOwnKernel(t *testing.T) {
	o := options(t, map[string]string{
		"kairos.spec": "extends: debian-13\nversion: v1.0.0\nmodel: rpi5\nkernel: {context: kernel}\n" +
			"artifacts: {disk: {layout: full, cloudConfig: disk.yaml}}\n",
		"disk.yaml": machineConfig,
	})
	emulate(t, &o, "debian-13", "arm64")
	o.Contexts["kernel"] = backportedKernel(t)
	img := builtDisk(t, o, "kairos-debian-13-core-arm64-rpi5-v1.0.0", "bcm2712-rpi-5-b.dtb")
	assert.Regexp(t, "^00.{6}ee.{22}0{32}$", bootRecord(t, img), "a GPT and nothing else")
	names := strings.Fields(ask(t, "", "mdir", "-b", "-i", img+"@@1M", "::"))
	assert.NotContains(t, names, "::/start4.elf", "the firmware is in a chip")
}

// backportedKernel is a directory with the kernel of the backports of Debian 13, as the packages have
// it: all that belongs to it is in one directory below /usr/lib/modules.
func backportedKernel(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"lists/partial", "archives/partial", "kernel"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sources.list"),
		[]byte("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "+archiveOf(t, "debian")+" trixie-backports main\n"), 0o644))
	apt := func(program string, args ...string) string {
		return ask(t, dir, program, append([]string{
			"-qq", "-o", "Dir::Etc::sourcelist=" + dir + "/sources.list", "-o", "Dir::Etc::sourceparts=/dev/null",
			"-o", "Dir::State::lists=" + dir + "/lists", "-o", "Dir::Cache=" + dir, "-o", "Dir::State::status=/dev/null",
			"-o", "APT::Architecture=arm64", "-o", "APT::Architectures=arm64", "-o", "APT::Sandbox::User=root",
		}, args...)...)
	}
	apt("apt-get", "update")
	release := regexp.MustCompile(`Depends: linux-modules-(\d\S+)`).FindStringSubmatch(apt("apt-cache", "depends", "linux-modules-arm64"))
	require.Len(t, release, 2)
	apt("apt-get", "download", "linux-base-"+release[1], "linux-binary-"+release[1], "linux-modules-"+release[1])
	packages, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	require.NoError(t, err)
	require.Len(t, packages, 3)
	for _, file := range packages {
		ask(t, dir, "dpkg-deb", "-x", file, "kernel")
	}
	return filepath.Join(dir, "kernel")
}

// builtDisk builds the disk of a board and checks its contents.
func builtDisk(t *testing.T, o solve.Options, name string, files ...string) string {
	t.Helper()
	o.Target, o.Platforms = "img", []string{"linux/arm64"}
	watch(&o)
	dir := build(t, embedded(t), o)
	img := filepath.Join(dir, name+".img")
	ask(t, dir, "zstd", "-q", "-d", "--sparse", img+".zst")
	checkPartitions(t, img, "efi", "oem", "recovery", "state", "persistent")
	checkFirmware(t, img, files...)
	return img
}

// checkFirmware looks for files in the root of the EFI system partition. The last one is a device
// tree.
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

// bootRecord returns the first half of the partition table in the master boot record.
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
