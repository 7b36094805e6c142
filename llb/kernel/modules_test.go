package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// modules are files of a kernel: what modinfo says that they ask for is in them.
type modules struct {
	t   *testing.T
	dir string
}

func newModules(t *testing.T, dep string, files map[string]string) modules {
	t.Helper()
	m := modules{t, t.TempDir()}
	for name, text := range files {
		m.write(name, text)
	}
	m.write("modules/modules.dep", dep)
	require.NoError(t, os.MkdirAll(m.dir+"/firmware", 0o755))
	m.write("bin/modinfo", "#!/bin/sh\n[ \"$1 $2\" = '-F firmware' ] || exit 2\nshift 2\nexec cat \"$@\"\n")
	return m
}

func (m modules) write(name, text string) {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(m.t, os.WriteFile(path, []byte(text), 0o755))
}

// drop runs the library, and returns what is left.
func (m modules) drop(omit, keep string) (left []string) {
	m.t.Helper()
	text, err := scripts.ReadFile("modules.sh")
	require.NoError(m.t, err)
	m.write("modules.sh", string(text))
	cmd := exec.Command("/bin/sh", "-euc", `. "$0/modules.sh"; drop "$0/modules" "$0/firmware"`, m.dir)
	cmd.Env = []string{"PATH=" + m.dir + "/bin:/usr/bin:/bin", "FLAVORKIT_OMIT=" + omit, "FLAVORKIT_KEEP=" + keep}
	out, err := cmd.CombinedOutput()
	require.NoError(m.t, err, string(out))
	for _, dir := range []string{"modules/kernel", "firmware"} {
		require.NoError(m.t, filepath.WalkDir(filepath.Join(m.dir, dir), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				name, _ := filepath.Rel(m.dir, path)
				left = append(left, strings.TrimPrefix(name, "modules/kernel/"))
			}
			return err
		}))
	}
	slices.Sort(left)
	return left
}

// TestDrop removes the modules of a class, and keeps those that others need.
func TestDrop(t *testing.T) {
	m := newModules(t, "kernel/sound/snd.ko.zst:\nkernel/sound/pci/card.ko.zst: kernel/sound/snd.ko.zst\nkernel/sound/usb/card2.ko:\n"+
		"kernel/kernel/torture.ko:\nkernel/lib/test_a.ko:\nkernel/lib/tests.ko:\nkernel/drivers/hid/hid-keys.ko: kernel/sound/snd.ko.zst\n", map[string]string{
		"modules/kernel/sound/snd.ko.zst": "", "modules/kernel/sound/pci/card.ko.zst": "", "modules/kernel/sound/usb/card2.ko": "",
		"modules/kernel/kernel/torture.ko": "", "modules/kernel/lib/test_a.ko": "", "modules/kernel/lib/tests.ko": "", "modules/kernel/drivers/hid/hid-keys.ko": "",
	})
	assert.Equal(t, []string{"drivers/hid/hid-keys.ko", "lib/tests.ko", "sound/snd.ko.zst", "sound/usb/card2.ko"},
		m.drop("sound\nlib/test_*\nkernel/torture\ndrivers/none", "card2"))
	assert.NoDirExists(t, m.dir+"/modules/kernel/sound/pci")
}

// TestDropFirmware removes the firmware that only modules which go ask for.
func TestDropFirmware(t *testing.T) {
	m := newModules(t, "kernel/media/tv.ko:\nkernel/net/card.ko:\n", map[string]string{
		"modules/kernel/media/tv.ko":      "tv/own.fw\nshared.fw\nbuiltin.fw\nfamily-*.fw\nalias.fw\nmissing.fw\ntarget.fw\n",
		"modules/kernel/net/card.ko":      "shared.fw\n",
		"modules/modules.builtin.modinfo": "disk.firmware=builtin.fw\x00disk.license=GPL\x00",
		"firmware/tv/own.fw.xz":           "", "firmware/shared.fw": "", "firmware/builtin.fw": "", "firmware/family-1.fw": "", "firmware/other.fw": "",
		"firmware/real.fw": "", "firmware/target.fw": "",
	})
	require.NoError(t, os.Symlink("real.fw", m.dir+"/firmware/alias.fw"))
	require.NoError(t, os.Symlink("target.fw", m.dir+"/firmware/link.fw"))
	assert.Equal(t, []string{
		"firmware/builtin.fw", "firmware/family-1.fw", "firmware/link.fw", "firmware/other.fw", "firmware/real.fw", "firmware/shared.fw",
		"firmware/target.fw", "net/card.ko",
	}, m.drop("media", ""))
	assert.NoDirExists(t, m.dir+"/firmware/tv")
}

// TestDropUnread keeps all firmware if modinfo cannot read a module, since that may ask for it.
func TestDropUnread(t *testing.T) {
	m := newModules(t, "kernel/media/tv.ko:\nkernel/net/card.ko:\n", map[string]string{
		"modules/kernel/media/tv.ko": "tv.fw\n", "modules/kernel/net/card.ko": "", "firmware/tv.fw": "",
	})
	m.write("bin/modinfo", "#!/bin/sh\ncase $* in *card*) exit 1 ;; esac\nshift 2\nexec cat \"$@\"\n")
	assert.Equal(t, []string{"firmware/tv.fw", "net/card.ko"}, m.drop("media", ""))
}
