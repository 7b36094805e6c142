package artifact

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// bench is a folder with the scripts, in which they run as in a step.
type bench struct {
	t   testing.TB
	dir string
}

func newBench(t testing.TB, programs ...string) bench {
	t.Helper()
	for _, program := range programs {
		testkit.Need(t, program, "run hack/deps.sh test")
	}
	b := bench{t, t.TempDir()}
	scripts, err := filepath.Glob("*.sh")
	require.NoError(t, err)
	for _, script := range scripts {
		data, err := os.ReadFile(script)
		require.NoError(t, err)
		b.write("scripts/"+script, string(data))
	}
	grubState, err := overlayScript("common", "/usr/lib/kairos/grub-state")
	require.NoError(t, err)
	b.write("scripts/"+grubState.Name, string(grubState.Text))
	return b
}

func (b bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b bench) write(name, text string) {
	b.t.Helper()
	require.NoError(b.t, os.MkdirAll(filepath.Dir(b.path(name)), 0o755))
	require.NoError(b.t, os.WriteFile(b.path(name), []byte(text), 0o644))
}

func (b bench) read(name string) string {
	b.t.Helper()
	data, err := os.ReadFile(b.path(name))
	require.NoError(b.t, err)
	return string(data)
}

// try runs a script in the folder.
func (b bench) try(script string, args ...string) (string, error) {
	cmd := exec.Command("sh", append([]string{"scripts/" + script}, args...)...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000", "LC_ALL=C.UTF-8", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (b bench) run(script string, args ...string) {
	b.t.Helper()
	out, err := b.try(script, args...)
	require.NoError(b.t, err, out)
}

// ask is the output of a program that looks at what was made.
func (b bench) ask(program string, args ...string) string {
	b.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = b.dir
	out, err := cmd.CombinedOutput()
	require.NoError(b.t, err, string(out))
	return string(out)
}

const partitionList = `efi COS_GRUB vfat 8 0 now 11111111-0000-0000-0000-000000000001 -
oem COS_OEM ext4 16 0 now 11111111-0000-0000-0000-000000000002 21111111-0000-0000-0000-000000000002
recovery COS_RECOVERY ext4 20 2 now 11111111-0000-0000-0000-000000000003 21111111-0000-0000-0000-000000000003
state COS_STATE ext4 30 3 now 11111111-0000-0000-0000-000000000004 21111111-0000-0000-0000-000000000004
persistent COS_PERSISTENT ext4 32 0 now 11111111-0000-0000-0000-000000000005 21111111-0000-0000-0000-000000000005
`

const imageUUID = "31111111-0000-0000-0000-000000000001"

// system is a small root filesystem with all that is hard to keep.
func (b bench) system() {
	b.t.Helper()
	b.write("root/bin/sudo", "#!/bin/sh\n")
	require.NoError(b.t, os.Chmod(b.path("root/bin/sudo"), 0o755|os.ModeSetuid))
	b.write("root/etc/it's a \"name\"", "x")
	require.NoError(b.t, os.Link(b.path("root/bin/sudo"), b.path("root/bin/sudoedit")))
	require.NoError(b.t, os.Symlink("sudo", b.path("root/bin/link")))
	require.NoError(b.t, os.Symlink("/"+strings.Repeat("long/", 30), b.path("root/bin/longlink")))
	b.write("root/large", strings.Repeat("0123456789abcdef", 1<<16))
	for i := range 50 {
		b.write("root/many/"+strconv.Itoa(i), "x")
	}
}

func TestMeasure(t *testing.T) {
	b := newBench(t)
	b.system()
	b.write("partitions", partitionList)
	for _, out := range []string{"rule", "exact", "large", "small", "later"} {
		require.NoError(t, os.Mkdir(b.path(out), 0o755))
	}
	// 101 MiB an image, with the MiB of the large file; the tables take 2 MiB.
	b.run("measure.sh", "root", "partitions", "0", "rule")
	assert.Regexp(t, `^101 \d+\n$`, b.read("rule/image"))
	assert.Equal(t, "613\n", b.read("rule/disk"))
	assert.Contains(t, b.read("rule/table"), "state COS_STATE ext4 247 333 11111111-0000-0000-0000-000000000004 21111111-0000-0000-0000-000000000004\n")
	b.run("measure.sh", "root", "partitions", "613", "exact")
	assert.Equal(t, b.read("rule/table"), b.read("exact/table"))
	b.run("measure.sh", "root", "partitions", "4096", "large")
	assert.Contains(t, b.read("large/table"), "persistent COS_PERSISTENT ext4 580 3515 ", "the last takes what is left")

	out, err := b.try("measure.sh", "root", "partitions", "612", "small")
	require.Error(t, err)
	assert.Equal(t, "the disk is too small: the system on it takes 1 MiB, an image of it 101 MiB, all partitions together 613 MiB, and artifacts.disk.size gives 612 MiB\n"+
		"write at least 613MiB, or leave the size out\n", out)

	b.write("partitions", regexp.MustCompile(`(?m)^((?:state|persistent) .*) now `).ReplaceAllString(partitionList, "$1 later "))
	b.run("measure.sh", "root", "partitions", "0", "later")
	assert.Equal(t, "613\n", b.read("later/disk"), "room for what the first boot makes")
	assert.Equal(t, 3, strings.Count(b.read("later/table"), "\n"))
	b.run("measure.sh", "root", "partitions", "248", "later")
	assert.Equal(t, "248\n", b.read("later/disk"), "or for what is shipped")
	_, err = b.try("measure.sh", "root", "partitions", "247", "later")
	require.Error(t, err)
}

// makeDisk makes a disk of the system. The images, which are mounts of one file
// in a step, are links here.
func (b bench) makeDisk(to string) {
	b.t.Helper()
	for _, dir := range []string{"sizes", "made"} {
		require.NoError(b.t, os.MkdirAll(b.path(dir), 0o755))
	}
	b.write("partitions", partitionList)
	b.run("measure.sh", "root", "partitions", "0", "sizes")
	b.run("image.sh", "root", "sizes/image", "made/system.img", "COS_SYSTEM", imageUUID)
	in := to + ".in"
	for _, image := range []string{"recovery/cOS/recovery.img", "state/cOS/active.img", "state/cOS/passive.img"} {
		require.NoError(b.t, os.MkdirAll(filepath.Dir(b.path(in+"/"+image)), 0o755))
		b.ask("cp", "--sparse=always", "--preserve=timestamps", "made/system.img", in+"/"+image)
	}
	b.run("espart.sh", "loaders", "chain/grub.cfg", in+"/esp.img", "/EFI/debian", "8", "COS_GRUB")
	b.ask("cp", "-r", "sizes", in+"/sizes")
	b.write(in+"/root/etc/cos/grub.cfg", "menu")
	b.write(in+"/root/etc/cos/grub_boot_assessment", "assessment")
	b.write(in+"/root/etc/kairos/branding/grubmenu.cfg", "entry")
	b.write(in+"/root/usr/lib/grub/x86_64-efi/loopback.mod", "module")
	b.write(in+"/root/usr/lib/grub/x86_64-efi/other.mod", "other")
	b.write(in+"/tree/oem/01_reset.yaml", "reset")
	b.write(in+"/config.yaml", "config")
	b.run("disk.sh", in, to, "41111111-0000-0000-0000-000000000005")
}

func TestDisk(t *testing.T) {
	b := newBench(t, "mke2fs", "debugfs", "e2fsck", "sfdisk", "mcopy", "mkfs.vfat", "grub-editenv")
	b.system()
	b.write("loaders/bootx64.efi", "shim")
	b.write("loaders/grubx64.efi", "grub")
	b.write("chain/grub.cfg", "chain")
	b.makeDisk("a.img")

	table := b.ask("sfdisk", "--dump", "a.img")
	for _, line := range []string{
		"label-id: 41111111-0000-0000-0000-000000000005",
		`size=       16384, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=11111111-0000-0000-0000-000000000001, name="efi", attrs="RequiredPartition"`,
		`type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=11111111-0000-0000-0000-000000000004, name="state"`,
	} {
		assert.Contains(t, table, line)
	}
	efi := "a.img@@1M"
	assert.Equal(t, "chain", b.ask("mtype", "-i", efi, "::/EFI/debian/grub.cfg"))
	assert.Equal(t, "shim", b.ask("mtype", "-i", efi, "::/EFI/BOOT/bootx64.efi"))
	assert.Contains(t, b.ask("mlabel", "-s", "-i", efi, "::"), "COS_GRUB")

	starts := regexp.MustCompile(`a\.img\d : start= *(\d+), size= *(\d+),.*name="(\w+)"`).FindAllStringSubmatch(table, -1)
	require.Len(t, starts, 5)
	fs := map[string]string{}
	for _, m := range starts[1:] {
		sector, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		fs[m[3]] = "a.img?offset=" + strconv.Itoa(sector*512)
		b.ask("e2fsck", "-fn", fs[m[3]])
	}
	cat := func(fs, file string) string {
		t.Helper()
		_, text, _ := strings.Cut(b.ask("debugfs", "-R", "cat "+file, fs), "\n") // after the version
		return text
	}
	assert.Equal(t, "config", cat(fs["oem"], "/90_custom.yaml"))
	assert.Contains(t, b.ask("debugfs", "-R", "stat /90_custom.yaml", fs["oem"]), "Mode:  0600")
	assert.Contains(t, cat(fs["oem"], "/grubenv"), "\nsaved_entry=statereset\n")
	assert.Len(t, cat(fs["oem"], "/grubenv"), 1024)
	assert.Equal(t, "menu", cat(fs["recovery"], "/etc/cos/grub.cfg"))
	assert.Equal(t, "module", cat(fs["recovery"], "/grub2/x86_64-efi/loopback.mod"))
	assert.NotContains(t, b.ask("debugfs", "-R", "ls /grub2/x86_64-efi", fs["state"]), "other.mod")
	assert.Equal(t, "menu", cat(fs["state"], "/grub2/grub.cfg"))
	assert.Equal(t, "entry", cat(fs["state"], "/grubmenu"))
	assert.Equal(t, "assessment", cat(fs["state"], "/grub_boot_assessment"))
	assert.Contains(t, cat(fs["state"], "/grubcustom"), "/grub_boot_assessment")
	for file, label := range map[string]string{"active": "COS_ACTIVE", "passive": "COS_PASSIVE", "recovery": "COS_SYSTEM"} {
		on := map[bool]string{true: "recovery", false: "state"}[file == "recovery"]
		b.ask("debugfs", "-R", "dump /cOS/"+file+".img "+file, fs[on])
		assert.Equal(t, label+"\n", b.ask("blkid", "-p", "-o", "value", "-s", "LABEL", file))
		b.ask("e2fsck", "-fn", file)
	}
	active := b.ask("debugfs", "-R", "stat /bin/sudo", "active")
	assert.Contains(t, active, "Mode:  04755")
	assert.Contains(t, active, "Links: 2")
	assert.Equal(t, "x", cat("active", `"/etc/it's a ""name"""`))

	// The same again, at another time and from a copy.
	b.ask("cp", "-a", "root", "root2")
	require.NoError(t, os.RemoveAll(b.path("root")))
	require.NoError(t, os.Rename(b.path("root2"), b.path("root")))
	b.makeDisk("b.img")
	b.ask("cmp", "a.img", "b.img")
}

// TestBootCode looks for what grub-bios-setup would have written.
func TestBootCode(t *testing.T) {
	b := newBench(t, "sfdisk", "mke2fs")
	b.write("in/bios/boot.img", strings.Repeat("b", 512))
	b.write("in/bios/core.img", strings.Repeat("c", 3*512))
	b.write("in/sizes/disk", "20\n")
	b.write("in/sizes/table", "bios - - 3 1 11111111-0000-0000-0000-000000000001 -\n")
	b.run("disk.sh", "in", "disk.img", "41111111-0000-0000-0000-000000000005")
	disk := b.read("disk.img")
	const first = 3 * 2048
	assert.Equal(t, "\x00\x18\x00\x00\x00\x00\x00\x00", disk[0x5c:0x64])
	assert.Equal(t, "\x90\x90", disk[0x66:0x68])
	assert.Equal(t, "bb", disk[438:440])
	assert.Equal(t, "\x55\xaa", disk[510:512], "the protective table")
	core := disk[first*512:]
	assert.Equal(t, "\x01\x18\x00\x00\x00\x00\x00\x00cccc", core[500:512])
	assert.Equal(t, strings.Repeat("c", 1024), core[512:3*512])
	assert.Equal(t, "\x00", core[3*512:3*512+1])
	assert.Contains(t, b.ask("sfdisk", "--dump", "disk.img"), `type=21686148-6449-6E6F-744E-656564454649, uuid=11111111-0000-0000-0000-000000000001, name="bios", attrs="RequiredPartition LegacyBIOSBootable"`)
}

// TestFirmware puts the firmware of a board onto the EFI partition.
func TestFirmware(t *testing.T) {
	b := newBench(t, "mcopy", "mkfs.vfat")
	b.write("loaders/bootaa64.efi", "shim")
	b.write("chain/grub.cfg", "chain")
	b.write("firmware/config.txt", "kernel=u-boot.bin\n")
	b.write("firmware/bcm2837-rpi-3-b-plus.dtb", "tree")
	b.run("espart.sh", "loaders", "chain/grub.cfg", "esp.img", "/EFI/BOOT", "64", "COS_GRUB", "firmware")
	assert.Equal(t, "kernel=u-boot.bin\n", b.ask("mtype", "-i", "esp.img", "::/config.txt"))
	assert.Equal(t, "tree", b.ask("mtype", "-i", "esp.img", "::/bcm2837-rpi-3-b-plus.dtb"))
	assert.Equal(t, "shim", b.ask("mtype", "-i", "esp.img", "::/EFI/BOOT/bootaa64.efi"))
	boot := b.read("esp.img")[:512]
	assert.Equal(t, "FAT32   ", boot[82:90])
	assert.Equal(t, "\x01", boot[13:14], "sectors per cluster, as on the vendor's cards")

	b.run("espart.sh", "loaders", "chain/grub.cfg", "plain.img", "/EFI/BOOT", "64", "COS_GRUB")
	assert.Equal(t, "FAT16   ", b.read("plain.img")[54:62], "as the agent makes it")
}

// TestHybrid has one partition in the master boot record too, at the place
// where gdisk puts it, and a GPT that stays what it is.
func TestHybrid(t *testing.T) {
	b := newBench(t, "sfdisk", "mke2fs")
	b.write("in/esp.img", strings.Repeat("e", 1<<20))
	b.write("in/sizes/disk", "20\n")
	b.write("in/sizes/table", "efi COS_GRUB vfat 1 8 11111111-0000-0000-0000-000000000001 -\n")
	b.run("disk.sh", "in", "plain.img", "41111111-0000-0000-0000-000000000005")
	b.run("disk.sh", "in", "disk.img", "41111111-0000-0000-0000-000000000005", "0c")
	plain, disk := b.read("plain.img"), b.read("disk.img")
	assert.Equal(t, strings.Repeat("\x00", 446), disk[:446], "no boot code")
	assert.Equal(t, "\x00\xfe\xff\xff\x0c\xfe\xff\xff\x00\x08\x00\x00\x00\x40\x00\x00", disk[446:462])
	assert.Equal(t, "\x00\xfe\xff\xff\xee\xfe\xff\xff\x01\x00\x00\x00\xff\x07\x00\x00", disk[462:478])
	assert.Equal(t, strings.Repeat("\x00", 32)+"\x55\xaa", disk[478:512])
	assert.Equal(t, plain[512:], disk[512:])

	table := func() string {
		return regexp.MustCompile(`(?m)^.*\b(device|start)\b.*$`).FindAllString(b.ask("sfdisk", "--dump", "disk.img"), -1)[1]
	}
	was := table()
	assert.Contains(t, was, "start=        2048, size=       16384, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
	b.ask("sfdisk", "--verify", "disk.img")
	assert.Regexp(t, `disk\.img1 +2048 +18431 +16384 .* c W95 FAT32`, b.ask("sfdisk", "--list", "--label-nested", "dos", "disk.img"))

	// The first boot adds partitions.
	b.ask("sh", "-c", "echo size=1MiB, name=state | sfdisk --quiet --no-reread --no-tell-kernel --append disk.img")
	assert.Equal(t, disk[:512], b.read("disk.img")[:512], "a tool for GPT leaves a hybrid table alone")
	assert.Equal(t, was, table())
}

func TestVHD(t *testing.T) {
	b := newBench(t)
	b.write("disk", strings.Repeat("d", 1<<20))
	b.run("vhd.sh", "disk", "vhd", "41111111-0000-0000-0000-0000000000ff")
	vhd := b.read("vhd")
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

func TestCompress(t *testing.T) {
	b := newBench(t, "zstd", "xz")
	b.write("disk", strings.Repeat("d", 1<<20))
	for compression, c := range map[string]struct{ level, file, undo string }{
		"zstd": {"3", "disk.img.zst", "zstd -dc"}, "xz": {"1", "disk.img.xz", "xz -dc"}, "none": {"", "disk.img", "cat"},
	} {
		t.Run(compression, func(t *testing.T) {
			require.NoError(t, os.MkdirAll(b.path("out"), 0o755))
			b.run("compress.sh", "disk", "out/disk.img", compression, c.level)
			assert.Equal(t, b.read("disk"), b.ask("sh", "-c", c.undo+" out/"+c.file))
			b.ask("sh", "-c", "cd out && sha256sum -c "+c.file+".sha256")
		})
	}
}

func TestNetboot(t *testing.T) {
	b := newBench(t)
	b.write("in/squashfs/rootfs.squashfs", "system")
	b.write("in/kernel/vmlinuz-1", "kernel")
	require.NoError(t, os.Symlink("vmlinuz-1", b.path("in/kernel/vmlinuz")))
	b.write("in/initramfs/initrd", "initramfs")
	require.NoError(t, os.Mkdir(b.path("out"), 0o755))
	t.Setenv("FLAVORKIT_CONSOLE", "console=ttyS0 console=tty1")
	t.Setenv("FLAVORKIT_CMDLINE", "")
	b.run("netboot.sh", "in", "out", "name")
	assert.Equal(t, "kernel", b.read("out/name-kernel"))
	assert.Equal(t, "initramfs", b.read("out/name-initrd"))
	assert.Equal(t, "system", b.read("out/name.squashfs"))
	script := b.read("out/name.ipxe")
	assert.True(t, strings.HasPrefix(script, "#!ipxe\n"))
	assert.Contains(t, script, "\nkernel name-kernel initrd=name-initrd ip=dhcp rd.neednet=1 root=live:${cwduri}/name.squashfs netboot ")
	assert.Contains(t, script, " console=ttyS0 console=tty1 selinux=0 install-mode ${config}\n")
	b.ask("sh", "-c", "cd out && sha256sum -c name.netboot.sha256")
}

// BenchmarkDisk makes a disk of 4 GiB of a root filesystem of 600 MB, and
// compares it with copying that root filesystem.
func BenchmarkDisk(b *testing.B) {
	w := newBench(b, "mke2fs", "sfdisk", "mkfs.vfat", "grub-editenv", "zstd")
	const files, size = 12_000, 50_000
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, size)
	for i := range files {
		for at := 0; at < size/2; at += 8 { // half of it can be compressed
			binary.LittleEndian.PutUint64(data[at:], random.Uint64())
		}
		w.write("root/"+strconv.Itoa(i%100)+"/"+strconv.Itoa(i), string(data))
	}
	w.write("partitions", regexp.MustCompile(`(?m)^((?:state|persistent) .*) now `).ReplaceAllString(partitionList, "$1 later "))
	w.write("loaders/bootx64.efi", "shim")
	w.write("chain/grub.cfg", "chain")
	w.write("in/root/etc/cos/grub.cfg", "menu")
	require.NoError(b, os.MkdirAll(w.path("in/root/usr"), 0o755))
	w.run("espart.sh", "loaders", "chain/grub.cfg", "in/esp.img", "/EFI/BOOT", "8", "COS_GRUB")
	for _, dir := range []string{"in/sizes", "in/recovery/cOS"} {
		require.NoError(b, os.MkdirAll(w.path(dir), 0o755))
	}
	timed := func(do func()) time.Duration {
		w.ask("sync", "-f", w.dir)
		began := time.Now()
		do()
		w.ask("sync", "-f", w.dir)
		return time.Since(began)
	}
	var copied, made, compressed time.Duration
	for b.Loop() {
		copied += timed(func() { w.ask("cp", "-a", "root", "copy") })
		w.ask("rm", "-rf", "copy")
		made += timed(func() {
			w.run("measure.sh", "root", "partitions", "4096", "in/sizes")
			// The link is a mount in a step.
			w.run("image.sh", "root", "in/sizes/image", "in/recovery/cOS/recovery.img", "COS_SYSTEM", imageUUID)
			w.run("disk.sh", "in", "disk.img", "41111111-0000-0000-0000-000000000005")
		})
		compressed += timed(func() { w.run("compress.sh", "disk.img", "out.img", "zstd", "3") })
		w.ask("rm", "-rf", "disk.img", "out.img.zst", "out.img.zst.sha256", "in/recovery/cOS/recovery.img")
	}
	b.ReportMetric(copied.Seconds()/float64(b.N), "s/copy")
	b.ReportMetric(made.Seconds()/copied.Seconds(), "disk/copy")
	b.ReportMetric((made+compressed).Seconds()/copied.Seconds(), "compressed/copy")
}
