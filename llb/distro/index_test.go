package distro

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// TestReadIndex reads what the scripts write. apt, zypper and dnf were run for the files.
func TestReadIndex(t *testing.T) {
	for manager, want := range map[string]Index{
		"apt": {
			Names:    []string{"gawk", "mawk", "shim-signed", "ssmtp"},
			Provides: map[string][]string{"mail-transport-agent": {"postfix", "ssmtp"}, "editor": {"nano"}},
			Files: map[string][]string{
				"/usr/lib/shim/shimx64.efi.signed": {"shim-signed"}, "/usr/bin/with space": {"a", "b"},
				"/usr/lib/firmware/rtl_nic/rtl8168h-2.fw.zst": {"firmware"}, "/usr/bin/gawk": {"gawk"},
			},
			Coverage: AllFiles,
		},
		"apk": {
			Names:    []string{"busybox", "eudev"},
			Provides: map[string][]string{"/bin/sh": {"busybox"}, "udev": {"eudev"}, "so:x": {"eudev"}},
			Files:    map[string][]string{"/usr/bin/busybox": {"busybox"}, "/usr/bin/sh": {"busybox"}},
			Coverage: Programs,
		},
		"dnf": {
			Names: []string{"alpha", "beta"}, Provides: map[string][]string{"alfa": {"alpha"}},
			Files:    map[string][]string{"/usr/bin/alpha": {}, "/boot/efi/EFI/fedora/shim.efi": {}},
			Coverage: AllFiles,
		},
		"zypper": {
			Names: []string{"alpha", "beta"}, Provides: map[string][]string{"alfa": {"alpha"}, "alpha": {"alpha"}},
			Files:    map[string][]string{"/usr/bin/alpha": {"alpha"}},
			Coverage: Programs,
		},
	} {
		x, err := ReadIndex(install(manager), in("testdata/index-"+manager))
		require.NoError(t, err)
		assert.Equal(t, &want, x)
	}
	_, err := ReadIndex(install("pacman"), in("testdata"))
	assert.ErrorContains(t, err, `nothing reads the index of "pacman"`)
	_, err = ReadIndex(install("apt"), in(t.TempDir()))
	assert.ErrorContains(t, err, "the index of apt has no packages")
}

func TestEveryManagerIsIndexed(t *testing.T) {
	for _, name := range catalog.ManagerNames() {
		_, err := script(name + "-index")
		require.NoError(t, err)
		assert.NotNil(t, managers()[name].index.read, name)
	}
}

func TestIndex(t *testing.T) {
	x, err := ReadIndex(install("apt"), in("testdata/index-apt"))
	require.NoError(t, err)
	assert.True(t, x.Has("gawk"))
	assert.False(t, x.Has("gwak"))
	files, listed := x.Match("/usr/lib/shim/*.signed")
	assert.Equal(t, []string{"/usr/lib/shim/shimx64.efi.signed"}, files)
	assert.True(t, listed)
	files, listed = x.Match("/lib/nothing")
	assert.Empty(t, files)
	assert.True(t, listed, "the lists have all files")
	assert.Equal(t, []string{"/usr/lib/shim/shimx64.efi.signed"}, x.Elsewhere("/usr/share/efi/shimx64.efi.signed"))
	files, _ = x.Command("gawk")
	assert.Equal(t, []string{"/usr/bin/gawk"}, files)
	for pattern, want := range map[string]bool{"rtl_nic/*": true, "*rtl8168h-2.fw": true, "rtl_nic/rtl8168h-?.fw": true, "rtl_nic/rtl8168": false} {
		found, listed := x.Firmware(pattern)
		assert.Equal(t, want, found, pattern)
		assert.True(t, listed)
	}

	x, err = ReadIndex(install("zypper"), in("testdata/index-zypper"))
	require.NoError(t, err)
	_, listed = x.Match("/usr/share/efi/x86_64/shim.efi")
	assert.False(t, listed, "only programs are")
	_, listed = x.Command("beta")
	assert.True(t, listed)
}

func TestNeedles(t *testing.T) {
	w := Wanted{Paths: []string{"/usr/bin/awk", "/usr/lib/linux-image-*/broadcom/bcm2711-rpi-*.dtb", FirmwarePath("rtl_nic/*"), "/sbin/awk"}}
	assert.Equal(t, []string{"/awk", "/broadcom/bcm2711-rpi-", "/lib/firmware/rtl_nic/"}, w.needles())
}

// TestAPTIndexes runs the script with the apt of this machine.
func TestAPTIndexes(t *testing.T) {
	a := newArchive(t)
	a.add("linux", "linux-6.1", "/boot/vmlinuz")
	a.add("linux-6.1", "linux", "/boot/vmlinuz-6.1")
	a.write("dists/suite/extra/Contents-arm64", "boot/vmlinuz-6.1 kernel/linux-6.1\nusr/bin/other utils/other\n")
	a.write("apt.conf", "Dir::Etc \""+a.dir+"/etc\";\nAPT::Architecture \"arm64\";\nAPT::Architectures { \"arm64\"; };\nDir::State::status \"/dev/null\";\n")
	look := func() *Index {
		out := t.TempDir()
		said, err := a.script("apt-index.sh", []string{"FLAVORKIT_AREAS=extra", "FLAVORKIT_NEEDLE=/vmlinuz-"}, out, "linux", "linus")
		require.NoError(t, err, said)
		x, err := ReadIndex(install("apt"), in(out))
		require.NoError(t, err)
		return x
	}
	x := look()
	assert.Equal(t, []string{"linux", "linux-6.1"}, x.Names)
	assert.Equal(t, map[string][]string{"/boot/vmlinuz-6.1": {"linux-6.1"}}, x.Files)
	assert.Equal(t, AllFiles, x.Coverage)

	// A mirror has lists of another day.
	require.NoError(t, os.RemoveAll(a.dir+"/cache"))
	a.stale = "dists/suite/extra/Contents-arm64"
	x = look()
	assert.Equal(t, []string{"linux", "linux-6.1"}, x.Names)
	assert.NotEmpty(t, x.Unread)
	assert.Equal(t, NoFiles, x.Coverage)
}
