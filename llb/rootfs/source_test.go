package rootfs

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/test/scripttest"
)

// published is an image in the layout of upstream, in a directory. In place of lsinitramfs there is a
// stand-in: the initramfs is the list of its files.
type published struct{ scripttest.Bench }

const (
	initramfsFiles = "usr/bin/immucore\nusr/lib/dracut-lib.sh\nusr/lib/modules/6.1.0-56-amd64/kernel/loop.ko\nusr/sbin/dmsquash-live-root\nusr/sbin/livenetroot\n"
	shimPath       = "image/usr/lib/shim/shimx64.efi.signed"
	grubPath       = "image/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
)

func newPublished(t *testing.T) published {
	t.Helper()
	b := published{scripttest.New(t, "openssl")}
	b.Write("image/etc/kairos-release", "KAIROS_ARCH=\"amd64\"\nKAIROS_FLAVOR_RELEASE=12\nKAIROS_ID=kairos\nKAIROS_MODEL='generic'\n"+
		"KAIROS_RELEASE=\"v1.0.0\"\nKAIROS_TRUSTED_BOOT=\"false\"\nKAIROS_VERSION=v1.0.0\n")
	b.Write("image/etc/cos/grub.cfg", "menu")
	b.Write("image/boot/vmlinuz-6.1.0-56-amd64", "kernel")
	b.link("image/boot/vmlinuz", "/boot/vmlinuz-6.1.0-56-amd64")
	b.Write("image/boot/initrd", initramfsFiles)
	b.Mkdir("image/usr/lib/modules/6.1.0-56-amd64")
	b.link("image/lib", "usr/lib")
	ours := b.certificate("Acme Secure Boot CA")
	b.Write(shimPath, "shim with "+string(ours))
	b.program(grubPath, ours)
	b.Write("loaders", "image|/none/shim|/none/grub||bootx64.efi|grub.efi|/EFI/none\n"+
		"image|/usr/lib/shim/shimx64.efi.signed|/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed|/x|bootx64.efi|grubx64.efi|/EFI/acme\n"+
		"lent|"+b.Path("lent/shim")+"|"+b.Path("lent/grub")+"|"+b.Path("lent/disk")+"|bootx64.efi|grubx64.efi|/EFI/BOOT\n")
	b.Write("lent/shim", "lent shim with "+string(ours))
	b.program("lent/grub", ours)
	b.Write("lent/disk", "lent GRUB of disks")
	b.Write("bin/lsinitramfs", "#!/bin/sh\ngrep -v '^broken' \"$1\"\n")
	require.NoError(t, os.Chmod(b.Path("bin/lsinitramfs"), 0o755))
	return b
}

func (b published) link(name, target string) {
	b.Helper()
	_ = os.Remove(b.Path(name)) // it need not be there
	require.NoError(b, os.MkdirAll(filepath.Dir(b.Path(name)), 0o755))
	require.NoError(b, os.Symlink(target, b.Path(name)))
}

func (b published) remove(name string) {
	b.Helper()
	_, err := os.Lstat(b.Path(name))
	require.NoError(b, err, "a test removes what is not there")
	require.NoError(b, os.RemoveAll(b.Path(name)))
}

// certificate makes a certificate of an authority, in DER.
func (b published) certificate(authority string) []byte {
	b.Helper()
	b.Ask("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key", "-out", "certificate.pem", "-subj", "/CN="+authority)
	b.Ask("openssl", "x509", "-in", "certificate.pem", "-outform", "DER", "-out", "certificate.der")
	return []byte(b.Read("certificate.der"))
}

// program writes an EFI program whose signature has a certificate.
func (b published) program(name string, certificate []byte) {
	b.Helper()
	b.Write("certificate.der", string(certificate))
	b.Ask("openssl", "x509", "-inform", "DER", "-in", "certificate.der", "-out", "certificate.pem")
	b.Ask("openssl", "crl2pkcs7", "-nocrl", "-certfile", "certificate.pem", "-outform", "DER", "-out", "signature")
	signature := b.Read("signature")
	const header, size = 128, 512
	data := make([]byte, size+8)
	binary.LittleEndian.PutUint32(data[60:], header)
	entry := header + 24 + 112 + 4*8
	binary.LittleEndian.PutUint32(data[entry:], size)
	binary.LittleEndian.PutUint32(data[entry+4:], uint32(8+len(signature)))
	b.Write(name, string(data)+signature)
}

// look looks at the image.
func (b published) look(env ...string) (said string, code int) {
	b.Helper()
	for _, dir := range []string{"layer", "boot.out"} {
		require.NoError(b, os.RemoveAll(b.Path(dir)))
		b.Mkdir(dir)
	}
	env = append(env, "PATH="+b.Path("bin")+":"+os.Getenv("PATH"))
	script := graph.Script{Name: "source.sh", Text: sourceScript, Beside: []graph.Script{look.Script()}}
	said, err := b.Try(script, env, b.Path("image"), b.Path("layer"), b.Path("boot.out"), b.Path("loaders"), "amd64", "rpi3", "rpi4")
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return said, failed.ExitCode()
	}
	require.NoError(b, err)
	return said, 0
}

// laid are the files of the layer, with the targets of links.
func (b published) laid() (files []string) {
	b.Helper()
	require.NoError(b, filepath.WalkDir(b.Path("layer"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name := strings.TrimPrefix(path, b.Path("layer"))
			if target, err := os.Readlink(path); err == nil {
				name += " -> " + target
			}
			files = append(files, name)
		}
		return err
	}))
	return files
}

func TestSource(t *testing.T) {
	for name, c := range map[string]struct {
		change func(published)
		laid   []string
	}{
		"upstream's layout": {func(published) {}, []string{"/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64"}},
		"ours":              {func(b published) { b.link("image/boot/vmlinuz", "vmlinuz-6.1.0-56-amd64") }, nil},
		"no link to the kernel": {
			func(b published) { b.remove("image/boot/vmlinuz") },
			[]string{"/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64"},
		},
		"two kernels, and a link to one": {
			func(b published) { b.Write("image/boot/vmlinuz-5", "kernel") },
			[]string{"/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64"},
		},
		"kernel beside its modules": {
			func(b published) {
				b.remove("image/boot/vmlinuz-6.1.0-56-amd64")
				b.Write("image/usr/lib/modules/6.1.0-56-amd64/vmlinuz", "kernel")
				b.link("image/boot/vmlinuz", "/lib/modules/6.1.0-56-amd64/vmlinuz")
			},
			[]string{"/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64", "/boot/vmlinuz-6.1.0-56-amd64"},
		},
		"kernel without a link": {
			func(b published) {
				b.remove("image/boot/vmlinuz")
				b.remove("image/boot/vmlinuz-6.1.0-56-amd64")
				b.Write("image/boot/vmlinuz", "kernel")
			},
			[]string{"/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64", "/boot/vmlinuz-6.1.0-56-amd64"},
		},
		"initramfs by a link, as in older images": {
			func(b published) {
				b.Write("image/boot/initramfs-6.1.img", initramfsFiles)
				b.link("image/boot/initrd", "initramfs-6.1.img")
			},
			[]string{"/boot/initrd", "/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64"},
		},
		"release in os-release, as in older images": {
			func(b published) {
				b.remove("image/etc/kairos-release")
				b.Write("image/usr/lib/os-release", "ID=debian\nKAIROS_NAME=kairos-core-debian\n")
				b.link("image/etc/os-release", "../usr/lib/os-release")
			},
			[]string{"/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64"},
		},
		"Alpine's init script": {
			func(b published) {
				b.Write("image/boot/initrd", "init\nusr/bin/immucore\nlib/modules/6.1.0-56-amd64/kernel/loop.ko\n")
			},
			[]string{"/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newPublished(t)
			c.change(b)
			said, code := b.look()
			require.Zero(t, code, said)
			assert.Equal(t, c.laid, b.laid())
			assert.Equal(t, "/EFI/acme\n", b.Read("boot.out/config"))
			assert.Equal(t, b.Read(shimPath), b.Read("boot.out/loaders/bootx64.efi"))
			assert.Equal(t, b.Read(grubPath), b.Read("boot.out/loaders/grubx64.efi"))
			assert.DirExists(t, b.Path("boot.out/network"))
		})
	}
}

func TestSourceWithoutNetwork(t *testing.T) {
	b := newPublished(t)
	b.Write("image/boot/initrd", strings.ReplaceAll(initramfsFiles, "usr/sbin/livenetroot\n", ""))
	said, code := b.look()
	require.Zero(t, code, said)
	assert.NoDirExists(t, b.Path("boot.out/network"))
}

// TestSourceLends takes both programs from one maker when one is missing.
func TestSourceLends(t *testing.T) {
	for _, gone := range []string{shimPath, grubPath} {
		b := newPublished(t)
		b.remove(gone)
		said, code := b.look()
		require.Zero(t, code, said)
		assert.Equal(t, b.Read("lent/shim"), b.Read("boot.out/loaders/bootx64.efi"))
		assert.Equal(t, b.Read("lent/grub"), b.Read("boot.out/loaders/grubx64.efi"))
		assert.Equal(t, "/EFI/BOOT\n", b.Read("boot.out/config"))
		assert.ElementsMatch(t, []string{
			"/boot/vmlinuz -> vmlinuz-6.1.0-56-amd64", b.Path("lent/disk"), b.Path("lent/grub"), b.Path("lent/shim"),
		}, b.laid(), "the installer finds them in the system")
	}
}

func TestSourceVersion(t *testing.T) {
	b := newPublished(t)
	said, code := b.look("FLAVORKIT_VERSION=v2.0.0")
	require.Zero(t, code, said)
	assert.Equal(t, "KAIROS_ARCH=\"amd64\"\nKAIROS_FLAVOR_RELEASE=12\nKAIROS_ID=kairos\nKAIROS_MODEL='generic'\n"+
		"KAIROS_TRUSTED_BOOT=\"false\"\nKAIROS_VERSION=\"v2.0.0\"\nKAIROS_RELEASE=\"v2.0.0\"\n", b.Read("layer/etc/kairos-release"))
}

// TestSourceRefused breaks one thing at a time.
func TestSourceRefused(t *testing.T) {
	for want, c := range map[string]struct {
		code   int
		change func(published)
	}{
		"/etc/kairos-release: missing, and /etc/os-release says nothing about Kairos": {
			exitForeign, func(b published) {
				b.remove("image/etc/kairos-release")
				b.Write("image/etc/os-release", "ID=debian\n")
			},
		},
		"/etc/cos/grub.cfg: missing or empty; it is the boot menu of an installed system": {
			exitForeign, func(b published) { b.remove("image/etc/cos/grub.cfg") },
		},
		"/etc/kairos-release: KAIROS_ARCH is arm64, not amd64": {
			exitOtherArch, func(b published) { b.Write("image/etc/kairos-release", "KAIROS_ARCH=arm64\n") },
		},
		"/etc/kairos-release: KAIROS_TRUSTED_BOOT is true": {
			exitTrusted, func(b published) {
				b.Write("image/etc/kairos-release", "KAIROS_TRUSTED_BOOT='true'\n")
				b.remove("image/boot/initrd")
			},
		},
		"/etc/kairos-release: KAIROS_MODEL is rpi4": {
			exitBoard, func(b published) { b.Write("image/etc/kairos-release", "KAIROS_MODEL=rpi4\n") },
		},
		"/boot: has no kernel": {
			// The link leads to what is there outside.
			exitNoKernel, func(b published) {
				b.remove("image/boot/vmlinuz-6.1.0-56-amd64")
				b.link("image/boot/vmlinuz", "/bin/sh")
			},
		},
		"/boot: has /boot/vmlinuz-5 /boot/vmlinuz-6.1.0-56-amd64, and no vmlinuz that says which": {
			exitKernels, func(b published) { b.remove("image/boot/vmlinuz"); b.Write("image/boot/vmlinuz-5", "kernel") },
		},
		"/boot: has no initramfs": {
			exitNoInitramfs, func(b published) { b.remove("image/boot/initrd") },
		},
		"/boot: has /boot/initrd.img-5 /boot/initrd.img-6, and no initrd that says which": {
			exitInitramfses, func(b published) {
				b.remove("image/boot/initrd")
				b.Write("image/boot/initrd.img-5", "x")
				b.Write("image/boot/initrd.img-6", "x")
			},
		},
		"/boot/initrd: cannot be read": {
			exitNotLive, func(b published) { b.Write("image/boot/initrd", "broken\n") },
		},
		"/boot/initrd: has neither the module dmsquash-live of dracut nor the init script of Kairos": {
			exitNotLive, func(b published) {
				b.Write("image/boot/initrd", strings.ReplaceAll(initramfsFiles, "dmsquash-live-root", "other"))
			},
		},
		"/boot/initrd: has modules of the kernel 5.10, and /boot/vmlinuz-6.1.0-56-amd64 is 6.1.0-56-amd64": {
			exitOtherKernel, func(b published) {
				b.Write("image/boot/initrd", strings.ReplaceAll(initramfsFiles, "6.1.0-56-amd64", "5.10"))
			},
		},
		"/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed: is not signed by the maker of /usr/lib/shim/shimx64.efi.signed, which does not start it with Secure Boot": {
			exitMakers, func(b published) { b.program(grubPath, b.certificate("Other Secure Boot CA")) },
		},
	} {
		t.Run(want, func(t *testing.T) {
			b := newPublished(t)
			c.change(b)
			said, code := b.look()
			assert.Equal(t, "check failed: "+want+"\n", said)
			assert.Equal(t, c.code, code)
		})
	}
	t.Run("a GRUB without a signature", func(t *testing.T) {
		b := newPublished(t)
		b.Write(grubPath, string(make([]byte, 1024)))
		said, code := b.look()
		assert.Equal(t, exitMakers, code, said)
	})
}
