package remaster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/remaster"
	"github.com/flavorkit/flavorkit/test/testkit"
)

const artifacts = "../../llb/artifact"

// run runs a program in a directory.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return string(out)
}

func put(t *testing.T, file, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}

// noise is what no compressor makes smaller.
func noise(seed uint64, size int) string {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(b)
	return string(b)
}

// system writes the root filesystem of media, and returns kernel and initramfs.
func system(t *testing.T, dir string) (kernel, initrd string) {
	t.Helper()
	kernel, initrd = noise(1, 500_001), noise(2, 300_001)
	put(t, filepath.Join(dir, "boot", "vmlinuz-1"), kernel)
	put(t, filepath.Join(dir, "boot", "initrd"), initrd)
	put(t, filepath.Join(dir, "etc", "kairos-release"), "KAIROS_VERSION=v1.0.0\n")
	put(t, filepath.Join(dir, "usr", "bin", "app"), noise(3, 400_000))
	require.NoError(t, os.Symlink("vmlinuz-1", filepath.Join(dir, "boot", "vmlinuz")))
	return kernel, initrd
}

// loaders writes what media start from.
func loaders(t *testing.T, dir string, bios bool) {
	t.Helper()
	put(t, filepath.Join(dir, "EFI", "BOOT", "bootx64.efi"), "shim")
	put(t, filepath.Join(dir, "uefi.img"), noise(4, 1<<20))
	if bios {
		put(t, filepath.Join(dir, "eltorito.img"), noise(5, 30_000))
		put(t, filepath.Join(dir, "boot_hybrid.img"), noise(6, 512))
	}
}

// flavorkitISO makes an ISO with the scripts of flavorkit.
func flavorkitISO(bios bool) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		dir := t.TempDir()
		in := filepath.Join(dir, "in")
		system(t, filepath.Join(dir, "root"))
		loaders(t, filepath.Join(in, "loaders"), bios)
		for _, script := range []string{"squashfs.sh", "checksum.sh", "iso/iso.sh"} {
			put(t, filepath.Join(dir, filepath.Base(script)), read(t, filepath.Join(artifacts, script)))
		}
		put(t, filepath.Join(in, "tree", "boot/grub2/grub.cfg"), read(t, "../../specs/catalog/overlay/iso/boot/grub2/grub.cfg"))
		put(t, filepath.Join(in, "tree", "boot/grub2/label.cfg"), "set iso_label=\"COS_LIVE\"\n")
		put(t, filepath.Join(in, "tree", "boot/grub2/cmdline.cfg"), "set live_args='rd.live.dir=/ quiet'\n")
		require.NoError(t, os.Mkdir(filepath.Join(in, "squashfs"), 0o755))
		run(t, dir, "sh", "squashfs.sh", "root", "in/squashfs", "gzip")
		run(t, dir, "sh", "iso.sh", "in", "edge.iso", "COS_LIVE")
		return filepath.Join(dir, "edge.iso")
	}
}

// upstreamISO makes an ISO as AuroraBoot does (contract 3).
func upstreamISO(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tree, boot := filepath.Join(dir, "tree"), filepath.Join(dir, "boot")
	kernel, initrd := system(t, filepath.Join(dir, "root"))
	loaders(t, boot, true)
	put(t, filepath.Join(tree, "boot/kernel"), kernel)
	put(t, filepath.Join(tree, "boot/initrd"), initrd)
	put(t, filepath.Join(tree, "boot/eltorito.img"), read(t, filepath.Join(boot, "eltorito.img")))
	put(t, filepath.Join(tree, "config.yaml"), "#cloud-config\nold: config\n")
	put(t, filepath.Join(tree, "boot/grub2/grub.cfg"), `search --file --set=root /boot/kernel
set timeout=10
menuentry "Kairos" --class os --unrestricted {
    echo Loading kernel...
    linux ($root)/boot/kernel cdroot root=live:CDLABEL=COS_LIVE quiet install-mode
    initrd ($root)/boot/initrd
}

menuentry "Kairos (debug)" --class os --unrestricted {
    linux ($root)/boot/kernel cdroot root=live:CDLABEL=COS_LIVE quiet rd.debug
    initrd ($root)/boot/initrd
}
`)
	run(t, dir, "mksquashfs", "root", "tree/rootfs.squashfs", "-b", "1024k", "-quiet", "-no-progress")
	run(t, dir, "xorriso", "-volid", "COS_LIVE", "-joliet", "on", "-padding", "0", "-outdev", "edge.iso", "-map", "tree", "/", "-chmod", "0755", "--",
		"-boot_image", "grub", "bin_path=/boot/eltorito.img", "-boot_image", "grub", "grub2_mbr=boot/boot_hybrid.img", "-boot_image", "grub", "grub2_boot_info=on",
		"-boot_image", "any", "partition_offset=16", "-boot_image", "any", "cat_path=/boot/boot.catalog", "-boot_image", "any", "cat_hidden=on",
		"-boot_image", "any", "boot_info_table=on", "-boot_image", "any", "platform_id=0x00", "-boot_image", "any", "emul_type=no_emulation",
		"-boot_image", "any", "load_size=2048", "-append_partition", "2", "0xef", "boot/uefi.img", "-boot_image", "any", "next",
		"-boot_image", "any", "efi_path=--interval:appended_partition_2:all::", "-boot_image", "any", "platform_id=0xef",
		"-boot_image", "any", "emul_type=no_emulation", "-boot_image", "any", "appended_part_as=gpt", "-boot_image", "any", "mbr_force_bootable=on")
	return filepath.Join(dir, "edge.iso")
}

func need(t *testing.T) {
	t.Helper()
	testkit.Need(t, "xorriso", "run hack/deps.sh test")
	testkit.Need(t, "mksquashfs", "run hack/deps.sh test")
}

// layouts are the media that can be changed.
func layouts() map[string]func(*testing.T) string {
	return map[string]func(*testing.T) string{"flavorkit": flavorkitISO(true), "flavorkit without BIOS": flavorkitISO(false), "upstream": upstreamISO}
}

// equipment is what a medium has to start with, without places and sizes.
func equipment(t *testing.T, iso string) []string {
	t.Helper()
	out := run(t, ".", "xorriso", "-indev", iso, "-pvd_info", "-report_el_torito", "plain", "-report_system_area", "plain")
	var all []string
	for line := range strings.Lines(out) {
		for _, start := range []string{"Volume Id", "Creation Time", "Modif. Time", "System area", "ISO image size", "El Torito", "MBR partition", "GPT type", "GPT partition", "Boot record"} {
			if strings.HasPrefix(line, start) && !strings.HasPrefix(line, "ISO image size") {
				all = append(all, regexp.MustCompile(`[ 0-9]+\n$`).ReplaceAllString(line, "\n"))
			}
		}
	}
	require.Greater(t, len(all), 8)
	return all
}

// extract returns the files of a medium by path.
func extract(t *testing.T, iso string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, "xorriso", "-osirrox", "on", "-indev", iso, "-extract", "/", "all")
	run(t, dir, "chmod", "-R", "u+w", ".")
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "all"), func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		if !d.IsDir() {
			all[strings.TrimPrefix(path, filepath.Join(dir, "all"))] = read(t, path)
		}
		return nil
	}))
	return all
}

func TestRemaster(t *testing.T) {
	need(t)
	for name, build := range layouts() {
		t.Run(name, func(t *testing.T) {
			from, dir := build(t), t.TempDir()
			to := filepath.Join(dir, "new.iso")
			opt := remaster.Options{
				Files: map[string][]byte{"/config.yaml": []byte("#cloud-config\nnew: config\n"), "/site.yaml": []byte("#cloud-config\n")},
				Add:   []string{"console=ttyS1,115200", "debug"}, Remove: []string{"quiet"},
			}
			require.NoError(t, remaster.Remaster(t.Context(), from, to, opt))
			assert.Contains(t, run(t, dir, "sha256sum", "-c", "new.iso.sha256"), "new.iso: OK")
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Len(t, entries, 2)

			old, files := extract(t, from), extract(t, to)
			for path, content := range old {
				switch filepath.Base(path) {
				case "config.yaml", "cmdline.cfg", "grub.cfg", "boot.catalog":
				case "eltorito.img": // with its own place in its header
					const header = 4096
					assert.Equal(t, content[header:], files[path][header:], path)
				default:
					assert.Equal(t, content, files[path], path)
				}
			}
			assert.Equal(t, "#cloud-config\nnew: config\n", files["/config.yaml"])
			assert.Equal(t, "#cloud-config\n", files["/site.yaml"])
			assert.Equal(t, equipment(t, from), equipment(t, to))
			before, after := size(t, from), size(t, to)
			assert.Less(t, after, before+64<<10, "each byte is there once")

			report, err := inspect.Read(t.Context(), to, inspect.Options{})
			require.NoError(t, err)
			require.NotEmpty(t, report.Medium.Menu)
			for _, e := range report.Medium.Menu {
				assert.Regexp(t, ` console=ttyS1,115200 debug$`, e.CommandLine)
				assert.NotContains(t, e.CommandLine, "quiet")
				assert.Contains(t, e.CommandLine, "root=live:CDLABEL=COS_LIVE")
			}

			// The same again, and of what was made.
			again := filepath.Join(dir, "again.iso")
			require.NoError(t, remaster.Remaster(t.Context(), from, again, opt))
			assert.Equal(t, read(t, to), read(t, again), "the same bytes")
			third := filepath.Join(dir, "third.iso")
			require.NoError(t, remaster.Remaster(t.Context(), to, third, remaster.Options{Files: map[string][]byte{"/config.yaml": []byte("#cloud-config\nthird: config\n")}}))
			assert.Equal(t, "#cloud-config\nthird: config\n", extract(t, third)["/config.yaml"])
			assert.InDelta(t, after, size(t, third), 8<<10)
		})
	}
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	return info.Size()
}

// TestPartition reads the files of the tree for the first partition, which a machine may find first.
func TestPartition(t *testing.T) {
	need(t)
	from, dir := flavorkitISO(true)(t), t.TempDir()
	to := filepath.Join(dir, "new.iso")
	require.NoError(t, remaster.Remaster(t.Context(), from, to, remaster.Options{Add: []string{"debug"}}))
	want := extract(t, from)
	for _, iso := range []string{from, to} {
		partition := filepath.Join(dir, "partition.iso")
		put(t, partition, read(t, iso)[16*2048:])
		files := extract(t, partition)
		for _, name := range []string{"/boot/kernel", "/boot/initrd", "/rootfs.squashfs"} {
			assert.Equal(t, want[name], files[name], "%s of %s", name, iso)
		}
	}
}

func TestRefused(t *testing.T) {
	need(t)
	dir := t.TempDir()
	iso := flavorkitISO(false)(t)
	link := filepath.Join(dir, "link.iso")
	require.NoError(t, os.Symlink(iso, link))
	pack := func(name string, files ...string) string {
		tree := filepath.Join(dir, name)
		for _, f := range files {
			put(t, filepath.Join(tree, f), "x")
		}
		file := filepath.Join(dir, name+".iso")
		run(t, dir, "xorriso", "-as", "mkisofs", "-quiet", "-V", "X", "-o", file, tree)
		return file
	}
	short := filepath.Join(dir, "short.iso")
	require.NoError(t, os.WriteFile(short, []byte(read(t, iso))[:size(t, iso)/2], 0o600))
	put(t, filepath.Join(dir, "text.iso"), "text")
	put(t, filepath.Join(dir, "zeros.iso"), strings.Repeat("\x00", 100_000))
	kairos := []string{"rootfs.squashfs", "boot/kernel", "boot/initrd"}
	for _, c := range []struct {
		from, to, want string
		remove         []string
	}{
		{from: "none.iso", want: "open " + dir + "/none.iso: no such file or directory"},
		{from: "text.iso", want: "text.iso: it is not an ISO"},
		{from: "zeros.iso", want: "zeros.iso: it is not an ISO"},
		{from: short, want: "short.iso is truncated: it has " + fmt.Sprint(size(t, iso)/2) + " bytes of "},
		{from: pack("other", "readme"), want: "other.iso: it is not an ISO of Kairos: it has no /rootfs.squashfs"},
		{from: pack("uki", "efiboot.img"), want: "uki.iso: it is an ISO for trusted boot, whose kernel arguments are signed; build it again"},
		{from: pack("menu", kairos...), want: "menu.iso: it is not an ISO of Kairos: it has no boot menu of GRUB in /boot/grub2"},
		{from: pack("empty", append(kairos, "boot/grub2/grub.cfg")...), want: "empty.iso: /boot/grub2/grub.cfg: it has no entry that starts a kernel"},
		{from: iso, remove: []string{"nope"}, want: "edge.iso: /boot/grub2/cmdline.cfg: it has no kernel argument nope"},
		{from: iso, to: iso, want: "edge.iso is the ISO to read; name another one to write"},
		{from: iso, to: link, want: "link.iso is the ISO to read; name another one to write"},
	} {
		from, to := c.from, c.to
		if !filepath.IsAbs(from) {
			from = filepath.Join(dir, from)
		}
		if to == "" {
			to = filepath.Join(dir, "out", "new.iso")
		}
		err := remaster.Remaster(t.Context(), from, to, remaster.Options{Add: []string{"debug"}, Remove: c.remove})
		assert.ErrorContains(t, err, c.want)
	}
	assert.NoDirExists(t, filepath.Join(dir, "out"))
}

// TestFailed leaves nothing when xorriso is missing or fails, or when somebody interrupts it.
func TestFailed(t *testing.T) {
	need(t)
	from, dir := flavorkitISO(false)(t), t.TempDir()
	opt := remaster.Options{Add: []string{"debug"}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, remaster.Remaster(ctx, from, filepath.Join(dir, "new.iso"), opt), context.Canceled)

	bin := t.TempDir()
	t.Setenv("PATH", bin)
	assert.ErrorContains(t, remaster.Remaster(t.Context(), from, filepath.Join(dir, "new.iso"), opt), "new.iso: xorriso not found: install the package xorriso")
	script := "#!/bin/sh\necho 'xorriso : FAILURE : No space left on device'\nexit 32\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "xorriso"), []byte(script), 0o755))
	assert.ErrorContains(t, remaster.Remaster(t.Context(), from, filepath.Join(dir, "new.iso"), opt), "new.iso: xorriso: No space left on device: exit status 32")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// TestVerify does not keep what has another system than before.
func TestVerify(t *testing.T) {
	need(t)
	from, dir := upstreamISO(t), t.TempDir()
	program, err := exec.LookPath("xorriso")
	require.NoError(t, err)
	bin := t.TempDir()
	// It puts another kernel in, before its last argument, -commit.
	script := fmt.Sprintf(`#!/bin/sh
left=$#
for arg; do
	left=$((left - 1))
	[ "$left" -eq 0 ] || set -- "$@" "$arg"
	shift
done
exec %s "$@" -map /bin/sh /boot/kernel -commit
`, program)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "xorriso"), []byte(script), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	err = remaster.Remaster(t.Context(), from, filepath.Join(dir, "new.iso"), remaster.Options{Add: []string{"debug"}})
	assert.ErrorContains(t, err, "new.iso: /boot/kernel: it has changed")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}
