package disk

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/scripttest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

type bench struct{ scripttest.Bench }

func newBench(t testing.TB, programs ...string) bench {
	t.Helper()
	return bench{scripttest.New(t, programs...)}
}

func (b bench) diskScript() graph.Script {
	b.Helper()
	script, err := diskScript(spectest.Catalog(b).Overlays())
	require.NoError(b, err)
	return script
}

// partitions are those of a small disk, with the last of them made later.
func partitions(later int) []plan.Partition {
	all := []plan.Partition{
		{Name: "efi", Label: "COS_GRUB", Filesystem: "vfat", MiB: 8},
		{Name: "oem", Label: "COS_OEM", Filesystem: "ext4", MiB: 16},
		{Name: "recovery", Label: "COS_RECOVERY", Filesystem: "ext4", MiB: 20, Images: 2},
		{Name: "state", Label: "COS_STATE", Filesystem: "ext4", MiB: 30, Images: 3},
		{Name: "persistent", Label: "COS_PERSISTENT", Filesystem: "ext4", MiB: 32},
	}
	for i := range all {
		all[i].GUID = "11111111-0000-0000-0000-00000000000" + strconv.Itoa(i+1)
		all[i].UUID = "21111111-0000-0000-0000-00000000000" + strconv.Itoa(i+1)
		all[i].FirstBoot = i >= len(all)-later
	}
	return all
}

// tableOf is the table of partitions that a step gets.
func tableOf(partitions ...plan.Partition) string {
	p := &plan.Plan{}
	p.Disk.Partitions = partitions
	return string((&disk{p: p}).table())
}

// measured is the table that measure.sh makes of one partition.
func measured(p plan.Partition, start, size int) string {
	names, row, _ := strings.Cut(tableOf(p), "\n")
	return fmt.Sprintf("%s|start|size\n%s|%d|%d\n", names, strings.TrimSuffix(row, "\n"), start, size)
}

func diskEnv(more ...string) []string {
	return append([]string{"FLAVORKIT_DISK_GUID=41111111-0000-0000-0000-000000000005"}, more...)
}

func imageEnv() []string {
	return []string{"FLAVORKIT_LABEL=COS_SYSTEM", "FLAVORKIT_UUID=31111111-0000-0000-0000-000000000001"}
}

func sizeEnv(mib string) []string { return []string{"FLAVORKIT_DISK_MIB=" + mib} }

// espEnv describes the EFI system partition of a disk.
func espEnv(config, mib string, more ...string) []string {
	env := []string{"FLAVORKIT_ESP_LABEL=COS_GRUB", "FLAVORKIT_ESP_ID=464C4456", "FLAVORKIT_ESP_CONFIG=" + config, "FLAVORKIT_MIB=" + mib}
	return append(env, more...)
}

// system is a small root filesystem with everything that is hard to preserve.
func (b bench) system() {
	b.Helper()
	b.Write("root/bin/sudo", "#!/bin/sh\n")
	require.NoError(b, os.Chmod(b.Path("root/bin/sudo"), 0o755|os.ModeSetuid))
	b.Write("root/etc/it's a \"name\"", "x")
	require.NoError(b, os.Link(b.Path("root/bin/sudo"), b.Path("root/bin/sudoedit")))
	require.NoError(b, os.Symlink("sudo", b.Path("root/bin/link")))
	require.NoError(b, os.Symlink("/"+strings.Repeat("long/", 30), b.Path("root/bin/longlink")))
	b.Write("root/large", strings.Repeat("0123456789abcdef", 1<<16))
	for i := range 50 {
		b.Write("root/many/"+strconv.Itoa(i), "x")
	}
}

func TestMeasure(t *testing.T) {
	b := newBench(t)
	b.system()
	b.Write("partitions", tableOf(partitions(0)...))
	for _, out := range []string{"rule", "exact", "large", "small", "later"} {
		b.Mkdir(out)
	}
	// 101 MiB an image, with the MiB of the large file; the tables take 2 MiB.
	b.Run(measureScript(), sizeEnv("0"), "root", "partitions", "rule")
	assert.Regexp(t, `^101 \d+\n$`, b.Read("rule/image"))
	assert.Equal(t, "613\n", b.Read("rule/disk"))
	assert.Regexp(t, `(?m)^state\|COS_STATE\|ext4\|.*\|247\|333$`, b.Read("rule/table"))
	b.Run(measureScript(), sizeEnv("613"), "root", "partitions", "exact")
	assert.Equal(t, b.Read("rule/table"), b.Read("exact/table"))
	b.Run(measureScript(), sizeEnv("4096"), "root", "partitions", "large")
	assert.Regexp(t, `(?m)^persistent\|.*\|580\|3515$`, b.Read("large/table"), "the last takes what is left")

	out, err := b.Try(measureScript(), sizeEnv("612"), "root", "partitions", "small")
	require.Error(t, err)
	assert.Equal(t, "the disk is too small: the system takes 1 MiB, an image of it 101 MiB, all partitions together 613 MiB, but artifacts.disk.size is 612 MiB\n"+
		"write at least 613MiB, or leave the size out\n", out)

	b.Write("partitions", tableOf(partitions(2)...))
	b.Run(measureScript(), sizeEnv("0"), "root", "partitions", "later")
	assert.Equal(t, "613\n", b.Read("later/disk"), "room for what the first boot makes")
	assert.Equal(t, 1+3, strings.Count(b.Read("later/table"), "\n"))
	b.Run(measureScript(), sizeEnv("248"), "root", "partitions", "later")
	assert.Equal(t, "248\n", b.Read("later/disk"), "or for what is shipped")
	_, err = b.Try(measureScript(), sizeEnv("247"), "root", "partitions", "later")
	require.Error(t, err)
}

// makeDisk makes a disk of the system. The images, which are mounts of one file in a step, are
// links here.
func (b bench) makeDisk(to string) {
	b.Helper()
	for _, dir := range []string{"sizes", "made"} {
		b.Mkdir(dir)
	}
	b.Write("partitions", tableOf(partitions(0)...))
	b.Run(measureScript(), sizeEnv("0"), "root", "partitions", "sizes")
	b.Run(imageScript(), imageEnv(), "root", "sizes/image", "made/system.img")
	in := to + ".in"
	for _, image := range []string{"recovery/cOS/recovery.img", "state/cOS/active.img", "state/cOS/passive.img"} {
		require.NoError(b, os.MkdirAll(filepath.Dir(b.Path(in+"/"+image)), 0o755))
		b.Ask("cp", "--sparse=always", "--preserve=timestamps", "made/system.img", in+"/"+image)
	}
	b.Run(espartScript(), espEnv("/EFI/debian", "8"), "loaders", "chain/grub.cfg", in+"/esp.img")
	b.Ask("cp", "-r", "sizes", in+"/sizes")
	b.Write(in+"/root/etc/cos/grub.cfg", "menu")
	b.Write(in+"/root/etc/cos/grub_boot_assessment", "assessment")
	b.Write(in+"/root/etc/kairos/branding/grubmenu.cfg", "entry")
	b.Write(in+"/root/usr/lib/grub/x86_64-efi/loopback.mod", "module")
	b.Write(in+"/root/usr/lib/grub/x86_64-efi/other.mod", "other")
	b.Write(in+"/tree/oem/01_reset.yaml", "reset")
	b.Write(in+"/config.yaml", "config")
	b.Run(b.diskScript(), diskEnv(), in, to)
}

func TestDisk(t *testing.T) {
	b := newBench(t, "mke2fs", "debugfs", "e2fsck", "sfdisk", "mcopy", "mkfs.vfat", "grub-editenv")
	b.system()
	b.Write("loaders/bootx64.efi", "shim")
	b.Write("loaders/grubx64.efi", "grub")
	b.Write("chain/grub.cfg", "chain")
	b.makeDisk("a.img")

	table := b.Ask("sfdisk", "--dump", "a.img")
	for _, line := range []string{
		"label-id: 41111111-0000-0000-0000-000000000005",
		`size=       16384, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=11111111-0000-0000-0000-000000000001, name="efi", attrs="RequiredPartition"`,
		`type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=11111111-0000-0000-0000-000000000004, name="state"`,
	} {
		assert.Contains(t, table, line)
	}
	efi := "a.img@@1M"
	assert.Equal(t, "chain", b.Ask("mtype", "-i", efi, "::/EFI/debian/grub.cfg"))
	assert.Equal(t, "shim", b.Ask("mtype", "-i", efi, "::/EFI/BOOT/bootx64.efi"))
	assert.Contains(t, b.Ask("mlabel", "-s", "-i", efi, "::"), "COS_GRUB")

	starts := regexp.MustCompile(`a\.img\d : start= *(\d+), size= *(\d+),.*name="(\w+)"`).FindAllStringSubmatch(table, -1)
	require.Len(t, starts, 5)
	fs := map[string]string{}
	for _, m := range starts[1:] {
		sector, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		fs[m[3]] = "a.img?offset=" + strconv.Itoa(sector*512)
		b.Ask("e2fsck", "-fn", fs[m[3]])
	}
	cat := func(fs, file string) string {
		t.Helper()
		_, text, _ := strings.Cut(b.Ask("debugfs", "-R", "cat "+file, fs), "\n") // after the version
		return text
	}
	assert.Equal(t, "config", cat(fs["oem"], "/90_custom.yaml"))
	assert.Contains(t, b.Ask("debugfs", "-R", "stat /90_custom.yaml", fs["oem"]), "Mode:  0600")
	assert.NotContains(t, cat(fs["oem"], "/grubenv"), "saved_entry")
	assert.Len(t, cat(fs["oem"], "/grubenv"), 1024)
	assert.Equal(t, "menu", cat(fs["recovery"], "/etc/cos/grub.cfg"))
	assert.Equal(t, "module", cat(fs["recovery"], "/grub2/x86_64-efi/loopback.mod"))
	assert.NotContains(t, b.Ask("debugfs", "-R", "ls /grub2/x86_64-efi", fs["state"]), "other.mod")
	assert.Equal(t, "menu", cat(fs["state"], "/grub2/grub.cfg"))
	assert.Equal(t, "entry", cat(fs["state"], "/grubmenu"))
	assert.Equal(t, "assessment", cat(fs["state"], "/grub_boot_assessment"))
	custom := cat(fs["state"], "/grubcustom")
	assert.Contains(t, custom, "--set=bootfile_loc /grub_boot_assessment", "the name that upstream's tools look for")
	assert.Contains(t, custom, "source (${bootfile_loc})/grub_boot_assessment")
	for file, label := range map[string]string{"active": "COS_ACTIVE", "passive": "COS_PASSIVE", "recovery": "COS_SYSTEM"} {
		on := map[bool]string{true: "recovery", false: "state"}[file == "recovery"]
		b.Ask("debugfs", "-R", "dump /cOS/"+file+".img "+file, fs[on])
		assert.Equal(t, label+"\n", b.Ask("blkid", "-p", "-o", "value", "-s", "LABEL", file))
		b.Ask("e2fsck", "-fn", file)
	}
	active := b.Ask("debugfs", "-R", "stat /bin/sudo", "active")
	assert.Contains(t, active, "Mode:  04755")
	assert.Contains(t, active, "Links: 2")
	assert.Equal(t, "x", cat("active", `"/etc/it's a ""name"""`))

	// The same again, at another time and from a copy.
	b.Ask("cp", "-a", "root", "root2")
	require.NoError(t, os.RemoveAll(b.Path("root")))
	require.NoError(t, os.Rename(b.Path("root2"), b.Path("root")))
	b.makeDisk("b.img")
	b.Ask("cmp", "a.img", "b.img")
}

// TestReset checks that a disk without COS_STATE starts the reset.
func TestReset(t *testing.T) {
	b := newBench(t, "sfdisk", "mke2fs", "debugfs", "grub-editenv")
	b.Write("in/sizes/disk", "20\n")
	b.Write("in/sizes/table", measured(partitions(0)[1], 1, 16))
	b.Mkdir("in/root/usr")
	b.Run(b.diskScript(), diskEnv(), "in", "disk.img")
	assert.Contains(t, b.Ask("debugfs", "-R", "cat /grubenv", "disk.img?offset=1048576"), "\nsaved_entry=statereset\n")
}

// TestBootCode checks for the bytes that grub-bios-setup would write.
func TestBootCode(t *testing.T) {
	b := newBench(t, "sfdisk", "mke2fs")
	b.Write("in/bios/boot.img", strings.Repeat("b", 512))
	b.Write("in/bios/core.img", strings.Repeat("c", 3*512))
	b.Write("in/sizes/disk", "20\n")
	b.Write("in/sizes/table", measured(plan.Partition{Name: "bios", GUID: "11111111-0000-0000-0000-000000000001"}, 3, 1))
	b.Run(b.diskScript(), diskEnv(), "in", "disk.img")
	disk := b.Read("disk.img")
	const first = 3 * 2048
	assert.Equal(t, "\x00\x18\x00\x00\x00\x00\x00\x00", disk[0x5c:0x64])
	assert.Equal(t, "\x90\x90", disk[0x66:0x68])
	assert.Equal(t, "bb", disk[438:440])
	assert.Equal(t, "\x55\xaa", disk[510:512], "the protective table")
	core := disk[first*512:]
	assert.Equal(t, "\x01\x18\x00\x00\x00\x00\x00\x00cccc", core[500:512])
	assert.Equal(t, strings.Repeat("c", 1024), core[512:3*512])
	assert.Equal(t, "\x00", core[3*512:3*512+1])
	assert.Contains(t, b.Ask("sfdisk", "--dump", "disk.img"), `type=21686148-6449-6E6F-744E-656564454649, uuid=11111111-0000-0000-0000-000000000001, name="bios", attrs="RequiredPartition LegacyBIOSBootable"`)
}

// TestFirmware puts the firmware of a board onto the EFI partition.
func TestFirmware(t *testing.T) {
	b := newBench(t, "mcopy", "mkfs.vfat")
	b.Write("loaders/bootaa64.efi", "shim")
	b.Write("chain/grub.cfg", "chain")
	b.Write("firmware/config.txt", "kernel=u-boot.bin\n")
	b.Write("firmware/bcm2837-rpi-3-b-plus.dtb", "tree")
	b.Run(espartScript(), espEnv("/EFI/BOOT", "64", "FLAVORKIT_ESP_FAT=32"), "loaders", "chain/grub.cfg", "esp.img", "firmware")
	assert.Equal(t, "kernel=u-boot.bin\n", b.Ask("mtype", "-i", "esp.img", "::/config.txt"))
	assert.Equal(t, "tree", b.Ask("mtype", "-i", "esp.img", "::/bcm2837-rpi-3-b-plus.dtb"))
	assert.Equal(t, "shim", b.Ask("mtype", "-i", "esp.img", "::/EFI/BOOT/bootaa64.efi"))
	boot := b.Read("esp.img")[:512]
	assert.Equal(t, "FAT32   ", boot[82:90])
	assert.Equal(t, "\x01", boot[13:14], "sectors per cluster, as on the vendor's cards")

	b.Run(espartScript(), espEnv("/EFI/BOOT", "64"), "loaders", "chain/grub.cfg", "plain.img")
	assert.Equal(t, "FAT16   ", b.Read("plain.img")[54:62], "as the agent makes it")
}

// TestHybrid checks that one partition is in the master boot record too, in the same entry as with
// gdisk, and that the GPT does not change.
func TestHybrid(t *testing.T) {
	b := newBench(t, "sfdisk", "mke2fs")
	b.Write("in/esp.img", strings.Repeat("e", 1<<20))
	b.Write("in/sizes/disk", "20\n")
	b.Write("in/sizes/table", measured(partitions(0)[0], 1, 8))
	b.Run(b.diskScript(), diskEnv(), "in", "plain.img")
	b.Run(b.diskScript(), diskEnv("FLAVORKIT_MBR_TYPE=0c"), "in", "disk.img")
	plain, disk := b.Read("plain.img"), b.Read("disk.img")
	assert.Equal(t, strings.Repeat("\x00", 446), disk[:446], "no boot code")
	assert.Equal(t, "\x00\xfe\xff\xff\x0c\xfe\xff\xff\x00\x08\x00\x00\x00\x40\x00\x00", disk[446:462])
	assert.Equal(t, "\x00\xfe\xff\xff\xee\xfe\xff\xff\x01\x00\x00\x00\xff\x07\x00\x00", disk[462:478])
	assert.Equal(t, strings.Repeat("\x00", 32)+"\x55\xaa", disk[478:512])
	assert.Equal(t, plain[512:], disk[512:])

	table := func() string {
		return regexp.MustCompile(`(?m)^.*\b(device|start)\b.*$`).FindAllString(b.Ask("sfdisk", "--dump", "disk.img"), -1)[1]
	}
	was := table()
	assert.Contains(t, was, "start=        2048, size=       16384, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
	b.Ask("sfdisk", "--verify", "disk.img")
	assert.Regexp(t, `disk\.img1 +2048 +18431 +16384 .* c W95 FAT32`, b.Ask("sfdisk", "--list", "--label-nested", "dos", "disk.img"))

	// The first boot adds partitions.
	b.Ask("sh", "-c", "echo size=1MiB, name=state | sfdisk --quiet --no-reread --no-tell-kernel --append disk.img")
	assert.Equal(t, disk[:512], b.Read("disk.img")[:512], "a tool for GPT leaves a hybrid table alone")
	assert.Equal(t, was, table())
}

func TestVHD(t *testing.T) {
	b := newBench(t)
	b.Write("disk", strings.Repeat("d", 1<<20))
	b.Run(vhdScript(), nil, "disk", "vhd", "41111111-0000-0000-0000-0000000000ff")
	vhd := b.Read("vhd")
	require.Len(t, vhd, 1<<20+512)
	footer := []byte(vhd[1<<20:])
	assert.Equal(t, "conectix", string(footer[:8]))
	assert.Equal(t, []byte{0, 0, 0, 0, 0, 0x10, 0, 0}, footer[48:56], "size")
	assert.Equal(t, byte(0xff), footer[83])
	var sum uint32
	for i, c := range footer {
		if i < 64 || i >= 68 {
			sum += uint32(c)
		}
	}
	checksum := uint32(footer[64])<<24 | uint32(footer[65])<<16 | uint32(footer[66])<<8 | uint32(footer[67])
	assert.Equal(t, ^sum, checksum)
}

// unlike makes two disks with the same bytes, one with holes and one without.
func (b bench) unlike() {
	b.Helper()
	raw := make([]byte, 24<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := 3 << 20; i < 5<<20; i++ {
		raw[i] = byte(r.Uint32())
	}
	copy(raw[20<<20:], strings.Repeat("text ", 1<<16))
	b.Write("full", string(raw))
	b.Ask("cp", "--sparse=always", "full", "holes")
}

const diskGUID = "41234567-0000-0000-0000-0000000000ff"

// TestQCOW2 checks that equal disks give equal files.
func TestQCOW2(t *testing.T) {
	b := newBench(t, "qemu-img")
	b.unlike()
	b.Run(qcowScript(), nil, "full", "a.qcow2")
	b.Run(qcowScript(), nil, "holes", "b.qcow2")
	b.Ask("cmp", "a.qcow2", "b.qcow2")
	b.Ask("qemu-img", "compare", "-f", "raw", "-F", "qcow2", "full", "a.qcow2")
}

// TestVMDK checks that equal disks give equal files, which QEMU can read.
func TestVMDK(t *testing.T) {
	b := newBench(t, "qemu-img")
	b.unlike()
	for dir, disk := range map[string]string{"a": "full", "b": "holes"} {
		b.Mkdir(dir)
		b.Run(vmdkScript(), nil, disk, dir+"/x.vmdk", diskGUID)
	}
	b.Ask("cmp", "a/x.vmdk", "b/x.vmdk")
	assert.Contains(t, b.Read("a/x.vmdk"), "\nCID=41234567\n")
	info := b.Ask("qemu-img", "info", "-f", "vmdk", "a/x.vmdk")
	assert.Contains(t, info, "create type: streamOptimized")
	assert.Contains(t, info, "cid: 1092830567")
	b.Ask("qemu-img", "check", "-f", "vmdk", "a/x.vmdk")
	b.Ask("qemu-img", "compare", "-f", "raw", "-F", "vmdk", "full", "a/x.vmdk")
	assert.Contains(t, b.Read("a/x.vmdk.sha256"), "  x.vmdk\n")
}

// TestGCE makes equal archives of disks that differ in their holes, with a disk of whole GiB.
func TestGCE(t *testing.T) {
	b := newBench(t)
	b.unlike()
	b.Run(gceScript(), nil, "full", "a.gce.tar.gz")
	b.Run(gceScript(), nil, "holes", "b.gce.tar.gz")
	b.Ask("cmp", "a.gce.tar.gz", "b.gce.tar.gz")
	assert.Less(t, len(b.Read("a.gce.tar.gz")), 4<<20, "holes take no room")
	assert.Regexp(t, `^-rw-r--r-- 0/0 +1073741824 2023-11-14 22:13(:20)? disk.raw\n$`, b.Ask("tar", "--utc", "-tvzf", "a.gce.tar.gz"))
	header := b.Ask("sh", "-c", "gzip -dc a.gce.tar.gz | head -c 512")
	assert.Equal(t, "ustar  \x00", header[257:265], "the format of GNU")
	assert.Equal(t, byte('S'), header[156], "a sparse file")
	b.Ask("tar", "-xSzf", "a.gce.tar.gz")
	b.Ask("cmp", "-n", strconv.Itoa(24<<20), "full", "disk.raw")
	assert.Contains(t, b.Read("a.gce.tar.gz.sha256"), "  a.gce.tar.gz\n")
}

func TestCompress(t *testing.T) {
	b := newBench(t, "zstd", "xz")
	b.Write("disk", strings.Repeat("d", 1<<20))
	for compression, c := range map[string]struct{ level, file, undo string }{
		"zstd": {"3", "disk.img.zst", "zstd -dc"}, "xz": {"1", "disk.img.xz", "xz -dc"}, "none": {"", "disk.img", "cat"},
	} {
		t.Run(compression, func(t *testing.T) {
			b.Mkdir("out")
			b.Run(compressScript(), nil, "disk", "out/disk.img", compression, c.level)
			assert.Equal(t, b.Read("disk"), b.Ask("sh", "-c", c.undo+" out/"+c.file))
			b.Ask("sh", "-c", "cd out && sha256sum -c "+c.file+".sha256")
		})
	}
}

// BenchmarkDisk makes a disk of 4 GiB of a root filesystem of 600 MB, and compares it with copying
// that root filesystem.
func BenchmarkDisk(b *testing.B) {
	w := newBench(b, "mke2fs", "sfdisk", "mkfs.vfat", "grub-editenv", "zstd")
	const files, size = 12_000, 50_000
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, size)
	for i := range files {
		for at := 0; at < size/2; at += 8 { // half of it can be compressed
			binary.LittleEndian.PutUint64(data[at:], random.Uint64())
		}
		w.Write("root/"+strconv.Itoa(i%100)+"/"+strconv.Itoa(i), string(data))
	}
	w.Write("partitions", tableOf(partitions(2)...))
	w.Write("loaders/bootx64.efi", "shim")
	w.Write("chain/grub.cfg", "chain")
	w.Write("in/root/etc/cos/grub.cfg", "menu")
	w.Mkdir("in/root/usr")
	w.Run(espartScript(), espEnv("/EFI/BOOT", "8"), "loaders", "chain/grub.cfg", "in/esp.img")
	for _, dir := range []string{"in/sizes", "in/recovery/cOS"} {
		w.Mkdir(dir)
	}
	timed := func(do func()) time.Duration {
		w.Ask("sync", "-f", w.Dir)
		began := time.Now()
		do()
		w.Ask("sync", "-f", w.Dir)
		return time.Since(began)
	}
	var copied, made, compressed time.Duration
	for b.Loop() {
		copied += timed(func() { w.Ask("cp", "-a", "root", "copy") })
		w.Ask("rm", "-rf", "copy")
		made += timed(func() {
			w.Run(measureScript(), sizeEnv("4096"), "root", "partitions", "in/sizes")
			// The link is a mount in a step.
			w.Run(imageScript(), imageEnv(), "root", "in/sizes/image", "in/recovery/cOS/recovery.img")
			w.Run(w.diskScript(), diskEnv(), "in", "disk.img")
		})
		compressed += timed(func() { w.Run(compressScript(), nil, "disk.img", "out.img", "zstd", "3") })
		w.Ask("rm", "-rf", "disk.img", "out.img.zst", "out.img.zst.sha256", "in/recovery/cOS/recovery.img")
	}
	b.ReportMetric(copied.Seconds()/float64(b.N), "s/copy")
	b.ReportMetric(made.Seconds()/copied.Seconds(), "disk/copy")
	b.ReportMetric((made+compressed).Seconds()/copied.Seconds(), "compressed/copy")
}
