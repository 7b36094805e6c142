package compat

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/cmdline"
	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const (
	version = "6.1.0-99-amd64"
	other   = "6.1.0-98-amd64"
	remedy  = "choose another kernel, with kernel: {from: …} or kernel: {package: …}"
	moddir  = "root/usr/lib/modules/" + version + "/"
	inside  = "/usr/lib/modules/" + version + "/kernel/"
)

// parts are a root filesystem and an initramfs in a directory that have all that a plan needs and
// nothing else.
type parts struct {
	t     *testing.T
	dir   string
	needs string
}

// partsOf makes the parts that a plan needs. The other modules that the plan's needs are loaded
// with are none.
func partsOf(t *testing.T, p *plan.Plan, more ...string) *parts {
	t.Helper()
	s := &parts{t: t, dir: t.TempDir(), needs: needList(p, false, new(look.Asked)) + strings.Join(more, "")}
	for _, dir := range []string{"root/usr/lib", "root/usr/sbin", "root/boot", "initramfs/boot"} {
		require.NoError(t, os.MkdirAll(filepath.Join(s.dir, dir), 0o755))
	}
	s.link("root/lib", "usr/lib")
	s.link("root/sbin", "usr/sbin")
	s.write("root/usr/sbin/init", "#!program")
	require.NoError(t, os.Chmod(filepath.Join(s.dir, "root/usr/sbin/init"), 0o755))
	files, err := spectest.Catalog(t).Overlays().Files("common")
	require.NoError(t, err)
	for _, f := range files {
		if f.Path == "/etc/cos/bootargs.cfg" {
			s.write("root"+f.Path, string(f.Data))
		}
	}
	args, err := cmdline.GRUB(p, "system_args", p.CommandLine.Installed)
	require.NoError(t, err)
	s.write("root/etc/cos/cmdline.cfg", string(args))
	s.write("root/boot/vmlinuz-"+version, bzImage(version))
	s.link("root/boot/vmlinuz", "vmlinuz-"+version)
	s.write("root/boot/initrd", "initramfs")
	s.write("initramfs/boot/initrd", "initramfs")
	s.write("root/usr/lib/firmware/acme.bin", "firmware")
	s.write("facts", "kmod kmod version 30 +ZSTD +XZ -ZLIB\nmodule .ko.zst "+version+"\n")
	s.write(moddir+"modules.dep", "")
	s.write(moddir+"modules.builtin", "kernel/fs/acme.ko\n")
	s.write("initramfs/initrd.list", "")
	s.write("root/boot/config-"+version, "# CONFIG_ACME is not set\nCONFIG_HZ=250\n")
	for line := range strings.Lines(s.needs) {
		s.provide(line)
	}
	return s
}

// provide adds what a line of the list of needs asks for.
func (s *parts) provide(line string) {
	words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	name, _, _ := strings.Cut(words[1], " or ")
	switch words[0] {
	case "modules":
		s.module(name)
	case "initramfs-modules":
		s.module(name)
		s.append("initramfs/initrd.list", inside+name+".ko.zst\n")
	case "config":
		s.append("root/boot/config-"+version, "CONFIG_"+name+"=y\n")
	case "firmware":
		s.write("root/usr/lib/firmware/"+strings.ReplaceAll(name, "*", "x"), "firmware")
	case "initramfs-commands":
		s.append("initramfs/initrd.list", "/usr/sbin/"+name+"\n")
	case "initramfs-files":
		s.append("initramfs/initrd.list", name+"\n")
	}
}

// module adds a module of the kernel.
func (s *parts) module(name string) {
	if _, err := os.Stat(filepath.Join(s.dir, moddir, "kernel", name+".ko.zst")); err == nil {
		return
	}
	s.write(moddir+"kernel/"+name+".ko.zst", "module")
	s.append(moddir+"modules.dep", "kernel/"+name+".ko.zst:\n")
}

// noModule takes a module away, as a kernel that was built without it.
func (s *parts) noModule(name string) {
	s.remove(moddir + "kernel/" + name + ".ko.zst")
	s.drop(moddir+"modules.dep", "kernel/"+name+".ko.zst:")
}

// notInside takes lines out of the list of the initramfs.
func (s *parts) notInside(paths ...string) {
	for _, p := range paths {
		s.drop("initramfs/initrd.list", p)
	}
}

func (s *parts) write(path, text string) {
	s.t.Helper()
	path = filepath.Join(s.dir, path)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o644))
}

func (s *parts) read(path string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, path))
	require.NoError(s.t, err)
	return string(data)
}

func (s *parts) append(path, text string) { s.write(path, s.read(path)+text) }

func (s *parts) link(path, target string) {
	s.t.Helper()
	require.NoError(s.t, os.Symlink(target, filepath.Join(s.dir, path)))
}

func (s *parts) remove(path string) {
	s.t.Helper()
	_, err := os.Lstat(filepath.Join(s.dir, path))
	require.NoError(s.t, err, "a test removes what is not there")
	require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, path)))
}

// drop takes the lines out of a file that begin with a text.
func (s *parts) drop(path, start string) {
	s.t.Helper()
	before := s.read(path)
	var b strings.Builder
	for line := range strings.Lines(before) {
		if !strings.HasPrefix(line, start) {
			b.WriteString(line)
		}
	}
	require.NotEqual(s.t, before, b.String(), "%s has no line %s", path, start)
	s.write(path, b.String())
}

func (s *parts) replace(path, former, latter string) {
	s.t.Helper()
	before := s.read(path)
	require.Contains(s.t, before, former)
	s.write(path, strings.ReplaceAll(before, former, latter))
}

// rename moves a file or directory.
func (s *parts) rename(from, to string) {
	s.t.Helper()
	require.NoError(s.t, os.Rename(filepath.Join(s.dir, from), filepath.Join(s.dir, to)))
}

// run checks the parts and returns what the script says.
func (s *parts) run() (lines []string, ok bool) {
	s.t.Helper()
	lines, code := s.check()
	return lines, code == 0
}

// check returns the exit code too.
func (s *parts) check() (lines []string, code int) {
	s.t.Helper()
	s.write("needs", s.needs)
	s.write("compat.sh", string(compatScript))
	s.write("compat.awk", string(compatProgram))
	s.write("look.sh", string(look.Script().Text))
	path := func(name string) string { return filepath.Join(s.dir, name) }
	cmd := exec.Command("sh", path("compat.sh"), path("root"), path("initramfs"), path("needs"), path("facts"))
	out, _ := cmd.CombinedOutput() // the exit code has it
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines, cmd.ProcessState.ExitCode()
}

// bzImage is the beginning of a kernel for x86 with its version at the place that the header has of
// it.
func bzImage(version string) string {
	image := make([]byte, 4096)
	copy(image[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(image[0x20e:], 0xc00)
	binary.LittleEndian.PutUint16(image[0x236:], 1)
	copy(image[0xe00:], version+" (builder@example.com) #1 SMP\x00")
	return string(image)
}

// arm64Image is the beginning of a kernel for arm64, and its banner.
func arm64Image() string {
	image := make([]byte, 4096)
	copy(image[56:], "ARM\x64")
	copy(image[2048:], "Linux version "+version+" (builder@example.com) #1 SMP\n\x00Linux version %s\n")
	return string(image)
}

// riscv64Image is the beginning of a kernel for riscv64, and its banner.
func riscv64Image() string {
	image := []byte(arm64Image())
	copy(image[48:], "RISCV\x00\x00\x00RSC\x05")
	return string(image)
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// zboot wraps a payload as kernels do that EFI unpacks by themselves.
func zboot(kind, payload string) string {
	header := make([]byte, 64)
	copy(header, "MZ\x00\x00zimg")
	binary.LittleEndian.PutUint32(header[8:], uint32(len(header)))
	binary.LittleEndian.PutUint32(header[12:], uint32(len(payload)))
	copy(header[24:], kind)
	return string(header) + payload + "trailer"
}

// efiProgram puts a header for EFI on arm64 behind a kernel.
func efiProgram(kernel string) string {
	image := []byte(kernel + "PE\x00\x00\x64\xaa")
	binary.LittleEndian.PutUint32(image[60:], uint32(len(kernel)))
	return string(image)
}

func debian(t *testing.T) *plan.Plan {
	t.Helper()
	return spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\n", nil, "amd64")
}

// cluster are the needs of Kubernetes and its volumes.
func cluster(t *testing.T) string {
	t.Helper()
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	var b strings.Builder
	for _, name := range []string{"containers", "storage"} {
		for category, needs := range cat.Requirements[name].Needs {
			for _, what := range catalog.Names(needs) {
				fmt.Fprintf(&b, "%s\t%s\t%s\t99\n", category, strings.Join(append([]string{what}, needs[what].Or...), " or "), needs[what].Why)
			}
		}
	}
	return b.String()
}

// TestHistory has what broke in the field, by the number in the collection of what users of such
// systems complain of.
func TestHistory(t *testing.T) {
	const out = "the step that makes the initramfs with dracut left it out"
	has := "the kernel " + version + " of debian-12 has it, the initramfs does not; "
	none := "the kernel " + version + " of debian-12 has none, built in or loadable; "
	for _, c := range []struct {
		name   string
		change func(*parts)
		want   []string
	}{
		{
			name: "19 configuration not applied: rsync and GPT tools are not in the initramfs (kairos/pull/266)",
			change: func(s *parts) {
				s.notInside("/usr/sbin/rsync", "/usr/sbin/parted")
			},
			want: []string{
				"initramfs command parted or sgdisk or sfdisk: not inside the initramfs; needed for stages that change GPT partitions; " + out,
				"initramfs command rsync: not inside the initramfs; needed for immucore, which fills the persistent directories; " + out,
			},
		},
		{
			name:   "20 no vmlinuz (kairos/issues/201)",
			change: func(s *parts) { s.remove("root/boot/vmlinuz"); s.remove("root/boot/vmlinuz-" + version) },
			want:   []string{"/boot/vmlinuz: must be a link to the kernel"},
		},
		{
			name:   "20 link to a vmlinuz that is not there",
			change: func(s *parts) { s.remove("root/boot/vmlinuz-" + version) },
			want:   []string{"/boot/vmlinuz: its target vmlinuz-" + version + " is missing"},
		},
		{
			name:   "20 no initrd (kairos/issues/784)",
			change: func(s *parts) { s.remove("root/boot/initrd") },
			want:   []string{"/boot/initrd: must be a file that is not empty"},
		},
		{
			name:   "21 initramfs of another kernel (kairos/pull/1465)",
			change: func(s *parts) { s.replace("initramfs/initrd.list", version, other) },
			want: []string{
				"initramfs: holds modules of the kernel " + other + ", the kernel is " + version + "; they must be of one kernel",
				"initramfs: holds no modules of the kernel " + version,
			},
		},
		{
			name:   "21 kernel of another version under a name that fits",
			change: func(s *parts) { s.write("root/boot/vmlinuz-"+version, bzImage(other)) },
			want: []string{"/boot/vmlinuz: is the kernel " + other + ", the modules and its name say " + version +
				"; a kernel loads the modules of its own version only; " + remedy},
		},
		{
			name: "21 modules of another kernel",
			change: func(s *parts) {
				s.rename(moddir, "root/usr/lib/modules/"+other)
			},
			want: []string{"kernel modules: no modules of the kernel " + version + " in /lib/modules; " + remedy},
		},
		{
			name:   "21 modules built for another kernel in the directory of this one",
			change: func(s *parts) { s.replace("facts", version, other) },
			want:   []string{"kernel modules *.ko.zst: are built for the kernel " + other + "; the kernel is " + version + "; " + remedy},
		},
		{
			name: "22 media on metal are not seen: modules missing in the initramfs (kairos/issues/2464)",
			change: func(s *parts) {
				s.notInside(inside+"nvme", inside+"uas")
			},
			want: []string{
				"initramfs module nvme: " + has + "needed for NVMe disks; " + out,
				"initramfs module uas: " + has + "needed for USB disks (UAS); " + out,
			},
		},
		{
			name: "22 a module without what it is loaded with",
			change: func(s *parts) {
				s.replace(moddir+"modules.dep", "kernel/ext4.ko.zst:", "kernel/ext4.ko.zst: kernel/jbd2.ko.zst kernel/acme.ko.zst")
				s.module("jbd2")
			},
			want: []string{"initramfs module ext4: does not load without jbd2, which is not inside the initramfs; " +
				"needed for the partitions of an installed machine, and its images, which are ext2"},
		},
		{
			name:   "23 load the kernel first: boot arguments file missing (kairos/issues/1770)",
			change: func(s *parts) { s.remove("root/etc/cos/bootargs.cfg") },
			want:   []string{"/etc/cos/bootargs.cfg: missing or empty; GRUB has no kernel to load without it"},
		},
		{
			name:   "23 boot arguments without a kernel",
			change: func(s *parts) { s.replace("root/etc/cos/bootargs.cfg", "set kernel=", "# set kernel=") },
			want:   []string{"/etc/cos/bootargs.cfg: does not set kernel"},
		},
		{
			name:   "kernel without arguments",
			change: func(s *parts) { s.write("root/etc/cos/cmdline.cfg", "set live_args='quiet'\n") },
			want:   []string{"/etc/cos/cmdline.cfg: does not set system_args, so the kernel gets no arguments but its root"},
		},
		{
			name: "24 volumes of a cluster cannot be mounted (k3os/issues/493, k3os/issues/359, linuxkit/issues/2984)",
			change: func(s *parts) {
				s.noModule("rbd")
				s.noModule("ceph")
				s.noModule("br_netfilter")
			},
			want: []string{
				"kernel module br_netfilter: " + none + "needed for filtering of bridged traffic; " + remedy,
				"kernel module ceph: " + none + "needed for volumes on CephFS; " + remedy,
				"kernel module rbd: " + none + "needed for volumes on Ceph; " + remedy,
			},
		},
		{
			name:   "24 no device mapper for logical volumes",
			change: func(s *parts) { s.noModule("dm_mod"); s.notInside(inside + "dm_mod") },
			want: []string{
				"kernel module dm_mod: " + none + "needed for logical volumes and encrypted partitions; " + remedy,
				"kernel module dm_mod: " + none + "needed for volumes on LVM; " + remedy,
			},
		},
		{
			name: "24 options of containers",
			change: func(s *parts) {
				s.drop("root/boot/config-"+version, "CONFIG_MEMCG=")
				s.replace("root/boot/config-"+version, "CONFIG_CGROUP_PIDS=y", "# CONFIG_CGROUP_PIDS is not set")
			},
			want: []string{
				"kernel config CGROUP_PIDS: the kernel " + version + " of debian-12 is built without it; needed for process limits of containers; " + remedy,
				"kernel config MEMCG: the kernel " + version + " of debian-12 is built without it; needed for memory limits of containers; " + remedy,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := partsOf(t, debian(t), cluster(t))
			c.change(s)
			s.refused(c.want...)
		})
	}
}

// refused runs the check and wants these lines and no others.
func (s *parts) refused(want ...string) {
	s.t.Helper()
	lines, ok := s.run()
	assert.False(s.t, ok, "the exit code")
	for i, w := range want {
		want[i] = "check failed: " + w
	}
	slices.Sort(want)
	slices.Sort(lines)
	if diff := cmp.Diff(want, lines); diff != "" {
		s.t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestOtherTool has an initramfs of mkinitfs with what only dracut leaves.
func TestOtherTool(t *testing.T) {
	p := spectest.MustPlan(t, "extends: alpine\nversion: v1.0.0\n", nil, "amd64")
	s := partsOf(t, p)
	lines, ok := s.run()
	require.True(t, ok, lines)
	s.append("initramfs/initrd.list", "/usr/lib/dracut\n")
	s.refused("initramfs /usr/lib/dracut: is a remnant of dracut inside an initramfs made with mkinitfs; one of the two is of another kernel")
}

func TestPasses(t *testing.T) {
	kernel := "root/boot/vmlinuz-" + version
	for name, c := range map[string]struct {
		change func(*parts)
		says   []string
	}{
		"as it is":             {change: func(*parts) {}},
		"absolute kernel link": {change: func(s *parts) { s.remove("root/boot/vmlinuz"); s.link("root/boot/vmlinuz", "/boot/vmlinuz-"+version) }},
		"built in": {change: func(s *parts) {
			s.noModule("overlay")
			s.notInside(inside + "overlay")
			s.append(moddir+"modules.builtin", "kernel/fs/overlayfs/overlay.ko\n")
		}},
		"the other name": {change: func(s *parts) {
			s.rename(moddir+"kernel/usb_storage.ko.zst", moddir+"kernel/usb-storage.ko.zst")
			s.replace(moddir+"modules.dep", "usb_storage", "usb-storage")
			s.replace("initramfs/initrd.list", "usb_storage", "usb-storage")
		}},
		"an alternative": {change: func(s *parts) { s.noModule("ip_tables"); s.module("nf_tables") }},
		"option as a module": {change: func(s *parts) {
			s.replace("root/boot/config-"+version, "CONFIG_UNIX=y", "CONFIG_UNIX=m")
		}},
		"config beside the modules": {change: func(s *parts) { s.rename("root/boot/config-"+version, moddir+"config") }},
		"compressed for arm64": {change: func(s *parts) {
			s.needs = strings.Replace(s.needs, "arch\tamd64", "arch\tarm64", 1)
			s.write(kernel, gzipped(arm64Image()))
		}},
		"not compressed for arm64": {change: func(s *parts) {
			s.needs = strings.Replace(s.needs, "arch\tamd64", "arch\tarm64", 1)
			s.write(kernel, arm64Image())
		}},
		"not compressed for riscv64": {change: func(s *parts) {
			s.needs = strings.Replace(s.needs, "arch\tamd64", "arch\triscv64", 1)
			s.write(kernel, riscv64Image())
		}},
		"unpacked by EFI": {change: func(s *parts) { s.write(kernel, zboot("gzip", gzipped("Linux version "+version+" (x)"))) }},
		"not readable": {
			change: func(s *parts) { s.write(kernel, zboot("lzma", "x")) },
			says:   []string{"check skipped: /boot/vmlinuz: no version can be read in a kernel of this kind, its name says " + version},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := partsOf(t, debian(t))
			c.change(s)
			lines, ok := s.run()
			assert.True(t, ok)
			assert.Equal(t, c.says, lines)
		})
	}
}

// TestRefuses breaks one thing at a time, beside those of TestHistory.
func TestRefuses(t *testing.T) {
	kernel := "root/boot/vmlinuz-" + version
	for want, changes := range map[string][]func(*parts){
		"/boot/vmlinuz: must be a link to the kernel": {
			func(s *parts) { s.remove("root/boot/vmlinuz"); s.write("root/boot/vmlinuz", bzImage(version)) },
		},
		"/boot/vmlinuz: the kernel is empty": {func(s *parts) { s.write(kernel, "") }},
		"/boot/vmlinuz: is a kernel for arm64; the system is for amd64; " + remedy: {
			func(s *parts) { s.write(kernel, arm64Image()) },
			func(s *parts) { s.write(kernel, gzipped(arm64Image())) },
			func(s *parts) { s.write(kernel, efiProgram(zboot("zstd", "x"))) },
		},
		"/boot/vmlinuz: is a kernel for riscv64; the system is for amd64; " + remedy: {
			func(s *parts) { s.write(kernel, riscv64Image()) },
			func(s *parts) {
				s.write(kernel, strings.Replace(efiProgram(zboot("zstd", "x")), "\x64\xaa", "\x64\x50", 1))
			},
		},
		"/boot/vmlinuz: is a kernel for i386; the system is for amd64; " + remedy: {
			func(s *parts) { s.write(kernel, strings.Replace(bzImage(version), "\x01\x00", "\x00\x00", 1)) },
		},
		"/boot/vmlinuz: is the kernel " + other + ", the modules and its name say " + version + "; a kernel loads the modules of its own version only; " + remedy: {
			func(s *parts) { s.write(kernel, zboot("gzip", gzipped("Linux version "+other+" (x)"))) },
			func(s *parts) { s.write(kernel, gzipped("Linux version "+other+" (x)")) },
		},
		"kernel modules: no modules of the kernel " + version + " in /lib/modules; " + remedy: {
			func(s *parts) { s.remove("root/usr/lib/modules") },
			func(s *parts) { s.remove(moddir + "modules.dep") },
			func(s *parts) { s.write(moddir+"modules.dep", "") },
		},
		"kernel modules: modules of more than one kernel in /lib/modules": {
			func(s *parts) { s.write("root/usr/lib/modules/6.2/modules.dep", "x") },
		},
		"kernel modules *.ko.zst: the userland cannot read them (kmod version 30 +ZSTD +XZ -ZLIB); " + remedy: {
			func(s *parts) { s.replace("facts", " "+version, "") },
		},
		"/boot/initrd: must be a file that is not empty": {
			func(s *parts) { s.write("root/boot/initrd", "") },
			func(s *parts) { s.remove("root/boot/initrd"); s.write("root/boot/initrd/x", "x") },
			func(s *parts) {
				s.rename("root/boot/initrd", "root/boot/initrd-1")
				s.link("root/boot/initrd", "initrd-1")
			},
		},
		"/boot/initrd: is not the one that was made for the kernel; take it out of the files of the spec": {
			func(s *parts) { s.write("root/boot/initrd", "another") },
		},
		"/sbin/init: missing; the initramfs starts it at last": {
			func(s *parts) { s.remove("root/usr/sbin/init") },
			func(s *parts) { s.remove("root/usr/sbin/init"); s.link("root/usr/sbin/init", "/lib/systemd/systemd") },
		},
		"kernel config: neither /boot/config-" + version + " nor /lib/modules/" + version + "/config is there; what the kernel of debian-12 can do is not known without it; " + remedy: {
			func(s *parts) { s.remove("root/boot/config-" + version) },
		},
		"firmware isci/isci_firmware.bin: no such file in /lib/firmware; needed for SAS controllers and wireless sticks; " + remedy: {
			func(s *parts) { s.remove("root/usr/lib/firmware/isci") },
			func(s *parts) { s.write("root/usr/lib/firmware/isci/isci_firmware.bin", "") },
		},
		"kernel module efivarfs: the kernel " + version + " of debian-12 has it in modules.dep, and not the file; needed for UEFI boot entries; " + remedy: {
			func(s *parts) { s.remove(moddir + "kernel/efivarfs.ko.zst") },
		},
		"kernel module efivarfs: the kernel " + version + " of debian-12 has it, and modules.dep does not list it, so modprobe does not find it; needed for UEFI boot entries; " + remedy: {
			func(s *parts) { s.drop(moddir+"modules.dep", "kernel/efivarfs.ko.zst:") },
		},
		"list of needs: unknown category modul": {
			func(s *parts) { s.needs += "modul\tx\ty\n" },
		},
	} {
		for _, change := range changes {
			t.Run(want, func(t *testing.T) {
				s := partsOf(t, debian(t))
				change(s)
				s.refused(want)
			})
		}
	}
}

// TestEveryNeed takes away each thing that any flavor's plan needs: the check says so, and names it
// with its reason.
func TestEveryNeed(t *testing.T) {
	for _, spec := range []string{"extends: debian-12\n", "extends: alpine\n"} {
		t.Run(spec, func(t *testing.T) {
			p := spectest.MustPlan(t, spec+"version: v1.0.0\n", nil, "amd64")
			all := partsOf(t, p)
			lines, ok := all.run()
			require.True(t, ok, lines)
			s := partsOf(t, p)
			s.needs = needList(p, true, new(look.Asked))
			s.write(moddir+"modules.dep", "kernel/acme.ko.zst:\n")
			s.remove(moddir + "kernel")
			s.write(moddir+"kernel/acme.ko.zst", "module")
			s.write("initramfs/initrd.list", inside+"acme.ko.zst\n")
			s.write("root/boot/config-"+version, "")
			s.remove("root/usr/lib/firmware")
			lines, _ = s.run()
			said := strings.Join(lines, "\n")
			for category, needs := range p.Needs {
				if slices.Contains([]catalog.Category{catalog.NeedCommands, catalog.NeedInitramfsTools, catalog.NeedInitramfsForeign}, category) {
					continue
				}
				for _, name := range slices.Sorted(maps.Keys(needs)) {
					assert.Contains(t, said, name+": ")
					assert.Contains(t, said, "needed for "+needs[name]+"; ")
				}
			}
		})
	}
}

// TestOwnKernel says whose kernel it is that does not fit.
func TestOwnKernel(t *testing.T) {
	for own, want := range map[string]string{
		"context: mine":      "the named context mine has none, built in or loadable; needed for mount.nfs; mend the kernel in that context, or choose another",
		"image: acme/kernel": "the image acme/kernel has none, built in or loadable; needed for mount.nfs; mend the kernel in that image, or choose another",
	} {
		s := partsOf(t, spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nkernel: {"+own+"}\n", nil, "amd64"))
		s.noModule("nfs")
		s.refused("kernel module nfs: the kernel " + version + " of " + want)
	}
}

// TestKmod has the script ask the programs of a userland.
func TestKmod(t *testing.T) {
	for _, c := range []struct{ name, modprobe, modinfo, want string }{
		{
			name:     "kmod",
			modprobe: "printf 'kmod version 30\\n+ZSTD +XZ -ZLIB\\n'",
			modinfo:  "case $3 in *.zst) echo 6.1.0 SMP mod_unload ;; *) echo cannot >&2; exit 1 ;; esac",
			want:     "kmod kmod version 30 +ZSTD +XZ -ZLIB\nmodule .ko.gz \nmodule .ko.zst 6.1.0\n",
		},
		{
			name:     "BusyBox",
			modprobe: "echo \"modprobe: unrecognized option '--version'\" >&2; echo 'BusyBox v1.37.0 multi-call binary.' >&2; exit 1",
			modinfo:  "case $3 in *.gz) echo 6.1.0 SMP ;; *) exit 1 ;; esac",
			want:     "kmod the modprobe of BusyBox\nmodule .ko.gz 6.1.0\nmodule .ko.zst \n",
		},
		{name: "none", want: "kmod no modprobe\nmodule .ko.gz \nmodule .ko.zst \n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			// The script has a PATH of its own, which the programs stand before here.
			script := strings.Replace(string(kmodScript), "PATH=/usr/sbin", "PATH="+dir+":/usr/sbin", 1)
			for name, text := range map[string]string{"modprobe": c.modprobe, "modinfo": c.modinfo} {
				if text == "" {
					text = "exit 127"
				}
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "kmod.sh"), []byte(script), 0o755))
			modules := filepath.Join(dir, "modules/6.1.0/kernel")
			require.NoError(t, os.MkdirAll(modules, 0o755))
			for _, name := range []string{"b.ko.zst", "a.ko.zst", "c.ko.gz"} {
				require.NoError(t, os.WriteFile(filepath.Join(modules, name), nil, 0o644))
			}
			out, err := exec.Command("sh", filepath.Join(dir, "kmod.sh"), filepath.Join(dir, "modules"), filepath.Join(dir, "facts")).CombinedOutput()
			require.NoError(t, err, string(out))
			facts, err := os.ReadFile(filepath.Join(dir, "facts"))
			require.NoError(t, err)
			assert.Equal(t, c.want, string(facts))
		})
	}
}

// TestNetworkNeeds has what an initramfs needs for a network asked of one that has it.
func TestNetworkNeeds(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\n", nil, "amd64")
	const hook, module = "99-networkd-run.sh", "initramfs-modules\tvirtio_net\t"
	assert.NotContains(t, needList(p, false, new(look.Asked)), hook)
	assert.NotContains(t, needList(p, false, new(look.Asked)), module)
	assert.Contains(t, needList(p, true, new(look.Asked)), hook)
	assert.Contains(t, needList(p, true, new(look.Asked)), module)
}

// TestInitramfsBeside accepts an initramfs for netboot beside that of the system, which must be
// one.
func TestInitramfsBeside(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\n", nil, "amd64")
	s := partsOf(t, p)
	s.write("initramfs/boot/initrd", "another")
	s.refused("/boot/initrd: is not the one that was made for the kernel; take it out of the files of the spec")
	s.needs = needList(p, true, new(look.Asked))
	lines, _ := s.run()
	assert.NotContains(t, strings.Join(lines, "\n"), "/boot/initrd")
	s.remove("root/boot/initrd")
	lines, _ = s.run()
	assert.Contains(t, strings.Join(lines, "\n"), "/boot/initrd: must be a file that is not empty")
}

// TestAsked has a failing check point at the line of the spec that asks for it.
func TestAsked(t *testing.T) {
	const debian = "extends: debian-12\nversion: v1.0.0\n"
	netfilter := func(s *parts) { s.noModule("br_netfilter") }
	for _, c := range []struct {
		name, spec string
		change     func(*parts)
		want       string
	}{
		{
			name: "the flavor asks", spec: debian, want: "kairos.spec:1:10: extends: ",
			change: func(s *parts) { s.noModule("nvme") },
		},
		{
			name: "the kernel", spec: debian + "kernel: {package: linux-image-cloud-amd64}\n", want: "kairos.spec:3:9: kernel: ",
			change: func(s *parts) { s.noModule("ext4") },
		},
		{
			name: "another kernel than its name says", spec: debian + "kernel: {context: mine}\n", want: "kairos.spec:3:9: kernel: ",
			change: func(s *parts) { s.write("root/boot/vmlinuz-"+version, bzImage(other)) },
		},
		{
			name: "modules of two kernels", spec: debian + "kernel: {context: mine}\n", want: "kairos.spec:3:9: kernel: ",
			change: func(s *parts) { s.append("initramfs/initrd.list", "/usr/lib/modules/"+other+"/kernel/x.ko\n") },
		},
		{
			name: "kubernetes", spec: debian + "variant: standard\nkubernetes: k0s\nkernel: {context: mine}\n", want: "kairos.spec:4:13: kubernetes: ",
			change: netfilter,
		},
		{
			name: "kubernetes of the variant", spec: debian + "variant: standard\n", want: "kairos.spec:3:10: variant: ",
			change: netfilter,
		},
		{
			name: "mesh", spec: debian + "variant: standard\nmesh: edgevpn\n", want: "kairos.spec:4:7: mesh: ",
			change: func(s *parts) { s.noModule("tun") },
		},
		{
			name: "model", spec: debian + "model: virtual\n", want: "kairos.spec:3:8: model: ",
			change: func(s *parts) { s.notInside(inside + "virtio_blk") },
		},
		{
			name: "squashfs", spec: debian + "artifacts: {iso: {compression: xz}}\n", want: "kairos.spec:3:32: artifacts.iso.compression: ",
			change: func(s *parts) { s.drop("root/boot/config-"+version, "CONFIG_SQUASHFS_XZ") },
		},
		{
			name: "network", spec: debian + "initramfs: {network: true}\n", want: "kairos.spec:3:12: initramfs: ",
			change: func(s *parts) { s.notInside("/usr/bin/curl") },
		},
		{
			name: "a package of the spec", spec: debian + "init: systemd\npackages: {groups: {nfs: true}}\n", want: "kairos.spec:4:11: packages: ",
			change: func(s *parts) { s.noModule("nfs") },
		},
		{
			name: "files", spec: debian + "files: [{path: /boot/initrd, content: x}]\n", want: "kairos.spec:3:8: files: ",
			change: func(s *parts) { s.write("root/boot/initrd", "x") },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := spectest.MustPlan(t, c.spec, nil, "amd64")
			var asked look.Asked
			s := partsOf(t, p)
			s.needs = needList(p, p.Kernel.Initramfs.Network, &asked)
			for line := range strings.Lines(s.needs) {
				s.provide(line)
			}
			lines, code := s.check()
			require.Zero(t, code, lines)
			c.change(s)
			lines, code = s.check()
			require.NotEmpty(t, lines)
			require.ErrorContains(t, asked.Explain(p, uint32(code)), c.want)
		})
	}
}
