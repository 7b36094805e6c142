package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stage is a directory that stands for the root of the stage that makes an initramfs, with programs
// in it.
type stage struct {
	t   *testing.T
	dir string
	// omit and keep are modules to leave out, and those to take all the same.
	omit, keep string
}

func newStage(t *testing.T, programs map[string]string) stage {
	t.Helper()
	s := stage{t: t, dir: t.TempDir()}
	for _, dir := range []string{"bin", "overlay", "root/lib/modules/6.1.0/kernel", "root/etc/dracut.conf.d"} {
		require.NoError(t, os.MkdirAll(filepath.Join(s.dir, dir), 0o755))
	}
	for _, name := range []string{"awk", "basename", "cat", "chmod", "cp", "dirname", "find", "grep", "gzip", "mkdir", "printf", "rm", "sed", "sort", "touch"} {
		program, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(program, filepath.Join(s.dir, "bin", name)))
	}
	for name, text := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, "bin", name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	return s
}

// run runs a script as the step does, in the directory in place of the root.
func (s stage) run(name string, tools ...string) (said string, manifest []string, err error) {
	s.t.Helper()
	for _, file := range []string{name, "initramfs.sh", "modules.sh"} {
		text, err := scripts.ReadFile(file)
		require.NoError(s.t, err)
		moved := strings.NewReplacer("/lib/modules/", s.dir+"/root/lib/modules/", "/etc/dracut.conf.d/", s.dir+"/root/etc/dracut.conf.d/", `"$overlay/." /`, `"$overlay/." "`+s.dir+`/root"`).Replace(string(text))
		require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, file), []byte(moved), 0o755))
	}
	list := filepath.Join(s.dir, "manifest/initrd.list")
	cmd := exec.Command("/bin/sh", append([]string{filepath.Join(s.dir, name), s.dir + "/overlay", s.dir + "/out/boot/initrd", list}, tools...)...)
	cmd.Env = []string{"PATH=" + s.dir + "/bin", "SOURCE_DATE_EPOCH=1", "FLAVORKIT_OMIT=" + s.omit, "FLAVORKIT_KEEP=" + s.keep}
	out, err := cmd.CombinedOutput()
	if data, readErr := os.ReadFile(list); readErr == nil {
		manifest = strings.Fields(string(data))
	}
	return string(out), manifest, err
}

const (
	dracut   = `echo initramfs >"$4"`
	long     = "echo 'Image: x'; echo 'drwxr-xr-x   2 root     root            0 Jan  1  1970 usr'; echo '-rwxr-xr-x   1 root     root          5 Jan  1  1970 init'"
	mkinitfs = `echo initramfs | gzip >"$4"`
	// What busybox and GNU print with -t, and with -tv.
	cpio    = `if [ "$1" = -t ]; then echo .; echo ./init; echo usr; else echo 'drwxr-xr-x 0/0 0 2026-01-01 00:00:00 usr'; echo '-rwxr-xr-x 0/0 7 2026-01-01 00:00:00 ./init'; fi`
	gnuCpio = `if [ "$1" = -t ]; then echo .; echo ./init; echo usr; else echo 'drwxr-xr-x 2 root root 0 Jan 1 1970 usr'; echo '-rwxr-xr-x 1 root root 7 Jan 1 1970 init'; fi`
)

// TestManifest has the list of files in the initramfs, and no empty one of a program that fails in
// front of a pipe.
func TestManifest(t *testing.T) {
	for _, c := range []struct {
		name, script string
		programs     map[string]string
		want         []string
		sizes        string
		said         string
	}{
		{name: "dracut", script: "dracut.sh", programs: map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": long}, want: []string{"/init", "/usr"}, sizes: "5\t/init\n"},
		{name: "mkinitfs", script: "mkinitfs.sh", programs: map[string]string{"depmod": "", "mkinitfs": mkinitfs, "cpio": cpio}, want: []string{"/", "/init", "/usr"}, sizes: "7\t/init\n"},
		{name: "mkinitfs with GNU cpio", script: "mkinitfs.sh", programs: map[string]string{"depmod": "", "mkinitfs": mkinitfs, "cpio": gnuCpio}, want: []string{"/", "/init", "/usr"}, sizes: "7\t/init\n"},
		{name: "lsinitrd fails", script: "dracut.sh", programs: map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": long + "; exit 3"}},
		{name: "lsinitrd says something else", script: "dracut.sh", programs: map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": "echo 0755 init"}, said: "the list of files in the initramfs is empty\n"},
		{name: "cpio fails", script: "mkinitfs.sh", programs: map[string]string{"depmod": "", "mkinitfs": mkinitfs, "cpio": "exit 1"}, said: "the list of files in the initramfs is empty\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, c.programs)
			said, manifest, err := s.run(c.script)
			assert.Equal(t, c.said, said)
			if c.want == nil {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, manifest)
			sizes, err := os.ReadFile(filepath.Join(s.dir, "manifest/initrd.sizes"))
			require.NoError(t, err)
			assert.Equal(t, c.sizes, string(sizes))
		})
	}
}

// TestTools checks that all missing commands are reported at once.
func TestTools(t *testing.T) {
	s := newStage(t, map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": long, "3cpio": ""})
	said, _, err := s.run("dracut.sh", "cpio or 3cpio\tthe archive", "gzip\tthe live medium")
	require.NoError(t, err, said)
	said, _, err = s.run("dracut.sh", "cpio or bsdcpio\tthe archive", "gzip\tthe live medium", "tar\tthe live medium")
	require.Error(t, err)
	assert.Equal(t, "the stage that makes the initramfs has no cpio or bsdcpio; needed for the archive\n"+
		"the stage that makes the initramfs has no tar; needed for the live medium\n", said)
}

// TestOmittedModules checks that dracut leaves out the modules below directories, and single
// modules, by their names in the kernel.
func TestOmittedModules(t *testing.T) {
	s := newStage(t, map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": long})
	kernel := filepath.Join(s.dir, "root/lib/modules/6.1.0/kernel")
	for _, module := range []string{"drivers/hid/hid.ko", "drivers/hid/hid-sony.ko.xz", "drivers/hid/usbhid/usbhid.ko", "drivers/scsi/bfa/bfa.ko", "drivers/scsi/sd_mod.ko", "drivers/scsi/iscsi_tcp.ko.zst"} {
		require.NoError(t, os.MkdirAll(filepath.Join(kernel, filepath.Dir(module)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(kernel, module), nil, 0o644))
	}
	s.omit, s.keep = "drivers/hid\ndrivers/scsi/bfa\ndrivers/scsi/iscsi_tcp\ndrivers/none\ndrivers/scsi/sd", "usbhid\nhid"
	said, _, err := s.run("dracut.sh")
	require.NoError(t, err, said)
	text, err := os.ReadFile(filepath.Join(s.dir, "root/etc/dracut.conf.d/99-omit.conf"))
	require.NoError(t, err)
	assert.Equal(t, `omit_drivers+=" ^bfa$ "`+"\n"+`omit_drivers+=" ^hid_sony$ "`+"\n"+`omit_drivers+=" ^iscsi_tcp$ "`+"\n", string(text))
}

// TestTrees finds device trees in and below directories, and names all that are missing.
func TestTrees(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"lib/modules/6.1/dtb/broadcom/pi-5.dtb", "boot/pi-4.dtb", "boot/pi-4-plus.dtb", "boot/overlays/pi-4.dtbo"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "out"), 0o755))
	run := func(names ...string) (string, error) {
		cmd := exec.Command("sh", append([]string{"trees.sh", filepath.Join(dir, "out")}, names...)...)
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1", "FLAVORKIT_TREES="+dir+"/lib/modules/*/dtb\n"+dir+"/boot\n"+dir+"/none/*")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	said, err := run("pi-5.dtb", "pi-4*.dtb")
	require.NoError(t, err, said)
	assert.Empty(t, said)
	found, err := filepath.Glob(filepath.Join(dir, "out/*"))
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(dir, "out/pi-4-plus.dtb"), filepath.Join(dir, "out/pi-4.dtb"), filepath.Join(dir, "out/pi-5.dtb")}, found)
	info, err := os.Stat(found[0])
	require.NoError(t, err)
	assert.Equal(t, int64(1), info.ModTime().Unix())

	said, err = run("pi-3.dtb", "pi-4.dtb", "pi-2-*.dtb")
	require.Error(t, err)
	in := " in " + dir + "/lib/modules/*/dtb " + dir + "/boot " + dir + "/none/*\n"
	assert.Equal(t, "the kernel has no device tree pi-3.dtb"+in+"the kernel has no device tree pi-2-*.dtb"+in, said)
}

// TestKernelNames finds the kernel by each of the names that it has in distributions.
func TestKernelNames(t *testing.T) {
	text, err := scripts.ReadFile("export.sh")
	require.NoError(t, err)
	for _, c := range []struct {
		files []string
		want  string
	}{
		{[]string{"boot/vmlinux-6.1", "boot/vmlinuz-6.1"}, "boot/vmlinuz-6.1"},
		{[]string{"boot/Image-6.1"}, "boot/Image-6.1"},
		{[]string{"lib/modules/6.1/vmlinuz"}, "lib/modules/6.1/vmlinuz"},
		{[]string{"boot/vmlinuz-lts"}, "boot/vmlinuz-lts"},
		{[]string{"boot/vmlinux-6.1", "boot/System.map-6.1"}, "boot/vmlinux-6.1"},
		{[]string{"boot/System.map-6.1"}, ""},
	} {
		dir := t.TempDir()
		for _, name := range append(c.files, "lib/modules/6.1/kernel/a.ko", "lib/modules/6.1/modules.dep") {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
		}
		moved := filepath.Join(dir, "export.sh")
		require.NoError(t, os.WriteFile(moved, []byte(strings.NewReplacer("/lib/modules/", dir+"/lib/modules/", "/boot/", dir+"/boot/", "$out/boot/", "$out/boot/", "/lib/firmware", dir+"/lib/firmware").Replace(string(text))), 0o644))
		modules, err := os.ReadFile("modules.sh")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "modules.sh"), modules, 0o644))
		cmd := exec.Command("sh", moved, filepath.Join(dir, "out"), "/usr/lib")
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1")
		said, err := cmd.CombinedOutput()
		if c.want == "" {
			require.Error(t, err)
			assert.Contains(t, string(said), "no kernel image of version 6.1; /boot contains:")
			continue
		}
		require.NoError(t, err, string(said))
		kernel, err := os.ReadFile(filepath.Join(dir, "out/boot/vmlinuz"))
		require.NoError(t, err)
		assert.Equal(t, c.want, string(kernel))
	}
}
