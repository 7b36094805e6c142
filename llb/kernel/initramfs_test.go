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

// stage is a directory that stands for the root of the stage that makes an initramfs,
// with programs in it.
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
		real, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(real, filepath.Join(s.dir, "bin", name)))
	}
	for name, text := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, "bin", name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	return s
}

// run runs a script as the step does, in the directory in place of the root.
func (s stage) run(name string, tools ...string) (said string, manifest []string, err error) {
	s.t.Helper()
	for _, file := range []string{name, "initramfs.sh"} {
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
)

// TestManifest has the list of what is inside, and no empty one of a program that
// fails in front of a pipe.
func TestManifest(t *testing.T) {
	for _, c := range []struct {
		name, script string
		programs     map[string]string
		want         []string
		said         string
	}{
		{name: "dracut", script: "dracut.sh", programs: map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": long}, want: []string{"/init", "/usr"}},
		{name: "mkinitfs", script: "mkinitfs.sh", programs: map[string]string{"depmod": "", "mkinitfs": mkinitfs, "cpio": "echo .; echo ./init; echo usr"}, want: []string{"/", "/init", "/usr"}},
		{name: "lsinitrd fails", script: "dracut.sh", programs: map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": long + "; exit 3"}},
		{name: "lsinitrd says something else", script: "dracut.sh", programs: map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": "echo 0755 init"}, said: "the list of what is in the initramfs is empty\n"},
		{name: "cpio fails", script: "mkinitfs.sh", programs: map[string]string{"depmod": "", "mkinitfs": mkinitfs, "cpio": "exit 1"}, said: "the list of what is in the initramfs is empty\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, manifest, err := newStage(t, c.programs).run(c.script)
			assert.Equal(t, c.said, said)
			if c.want == nil {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, manifest)
		})
	}
}

// TestTools has all that is missing said at once, before the tool leaves out what it
// is for.
func TestTools(t *testing.T) {
	s := newStage(t, map[string]string{"depmod": "", "dracut": dracut, "lsinitrd": long, "3cpio": ""})
	said, _, err := s.run("dracut.sh", "cpio or 3cpio\tthe archive", "gzip\tthe live medium")
	require.NoError(t, err, said)
	said, _, err = s.run("dracut.sh", "cpio or bsdcpio\tthe archive", "gzip\tthe live medium", "tar\tthe live medium")
	require.Error(t, err)
	assert.Equal(t, "the stage that makes the initramfs has no cpio or bsdcpio; needed for the archive\n"+
		"the stage that makes the initramfs has no tar; needed for the live medium\n", said)
}

// TestOmittedModules has dracut leave out the modules below directories, and single
// ones, as the kernel of the stage names them.
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
