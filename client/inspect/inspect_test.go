package inspect_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/flavorkit/flavorkit/client/inspect"
)

// save writes a file into a directory of its own.
func save(t *testing.T, base string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), base)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

func read(t *testing.T, path string) *inspect.Report {
	t.Helper()
	r, err := inspect.Read(t.Context(), path, inspect.Options{Arch: "amd64", Contents: true})
	require.NoError(t, err)
	return r
}

// TestFormats reads one system from every format.
func TestFormats(t *testing.T) {
	system := kairos()
	img := image(t, "amd64", system)
	dir := ociLayout(t, img)

	docker := filepath.Join(t.TempDir(), "docker.tar")
	tag, err := name.NewTag("registry.example.com/kairos:v1")
	require.NoError(t, err)
	require.NoError(t, tarball.WriteToFile(docker, tag, img))

	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	ref, err := name.ParseReference(host + "/kairos:v1")
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))

	tree := filepath.Join(t.TempDir(), "tree")
	system.write(t, tree)
	squashed := squash(t, system)
	root, err := os.ReadFile(squashed)
	require.NoError(t, err)

	medium := disk(t, files{"cOS/passive.img": "older", "cOS/active.img": string(root)})
	t.Setenv("TMPDIR", t.TempDir())

	for _, c := range []struct{ path, format string }{
		{dir, "OCI layout"},
		{"oci-layout://" + dir, "OCI layout"},
		{"oci-layout://" + dir + ":amd64", "OCI layout"},
		{save(t, "oci.tar", readTree(t, dir).archive(t)), "tar archive"},
		{docker, "tar archive"},
		{ref.String(), "image in a registry"},
		{"docker-image://" + ref.String(), "image in a registry"},
		{save(t, "rootfs.tar", system.archive(t)), "tar archive"},
		{tree, "directory"},
		{squashed, "squashfs"},
		{liveISO(t, system), "ISO 9660"},
		{medium, "disk with a GPT"},
		{packed(t, medium, "kairos.img.zst", func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }), "file compressed with zstd"},
		{packed(t, squashed, "kairos.squashfs.xz", func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }), "file compressed with xz"},
	} {
		t.Run(c.format+" "+filepath.Base(c.path), func(t *testing.T) {
			assert.True(t, inspect.IsBuilt(c.path))
			assert.Equal(t, strings.HasPrefix(c.format, "file compressed"), inspect.IsPacked(c.path))
			r := read(t, c.path)
			assert.Equal(t, c.path, r.Name)
			assert.Equal(t, c.format, r.Format)
			checkSystem(t, r.System)
			other, err := inspect.Read(t.Context(), c.path, inspect.Options{Arch: "amd64"})
			require.NoError(t, err)
			checkSystem(t, other.System)
			assert.Empty(t, inspect.Compare(read(t, dir), r).Files, "modes, links and contents are the same")
		})
	}
	left, err := filepath.Glob(os.TempDir() + "/flavorkit-*")
	require.NoError(t, err)
	assert.Empty(t, left, "temporary files are removed")
}

// packed compresses a file.
func packed(t *testing.T, path, base string, compress func(io.Writer) (io.WriteCloser, error)) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var out bytes.Buffer
	w, err := compress(&out)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return save(t, base, out.Bytes())
}

func checkSystem(t *testing.T, s *inspect.System) {
	t.Helper()
	assert.Equal(t, "v1.0.0", s.Release["KAIROS_VERSION"])
	assert.Equal(t, "Debian GNU/Linux 12 (bookworm)", s.OS["PRETTY_NAME"])
	assert.Equal(t, []string{"var/lib/dpkg/status"}, s.Databases)
	assert.Equal(t, []inspect.Package{{Name: "bash", Version: "5.2.15-2", Arch: "amd64"}, {Name: "curl", Version: "7.88.1-10", Arch: "amd64"}}, s.Packages)
	assert.Equal(t, []inspect.Kernel{{Version: "6.1.0-44-amd64", Path: "boot/vmlinuz-6.1.0-44-amd64", Size: 1024, Modules: 2, ModulesSize: 12}}, s.Kernels)
	assert.Equal(t, []inspect.File{{Path: "boot/initrd", Size: 4}}, s.Initramfs)
	assert.Equal(t, []inspect.File{{Path: "usr/lib/grub/i386-pc/boot.img", Size: 4}, {Path: "usr/lib/shim/shimx64.efi.signed", Size: 4}}, s.Loaders)
	assert.Equal(t, []inspect.File{{Path: "system/oem/00_rootfs.yaml", Size: 13}, {Path: "oem/90_custom.yaml", Size: 13}}, s.CloudConfigs)
	assert.Equal(t, []inspect.Service{{Name: "ssh.service", In: []string{"multi-user.target"}}, {Name: "systemd-firstboot.service", Masked: true}}, s.Services)
	assert.Equal(t, "root=LABEL=COS_ACTIVE cos-img/filename=/cOS/active.img console=tty1 quiet", s.CommandLine)
	assert.Equal(t, len(kairos()), s.Files)
}

func TestImage(t *testing.T) {
	lower := kairos().with(files{"opt/gone": "x", "etc/kairos-release": "KAIROS_VERSION=v0.9.0\n", "srv/a": "x"})
	upper := files{"opt/.wh.gone": "", "srv/.wh..wh..opq": "", "srv/b": "y", "etc/kairos-release": "KAIROS_VERSION=v1.0.0\n"}
	img := image(t, "amd64", lower, upper)
	r := read(t, ociLayout(t, img))
	assert.Equal(t, "v1.0.0", r.System.Release["KAIROS_VERSION"])
	assert.Equal(t, len(kairos())+1, r.System.Files, "one file more, in /srv")

	digest, err := img.Digest()
	require.NoError(t, err)
	assert.Equal(t, digest.String(), r.Image.Digest)
	assert.Equal(t, "linux/amd64", r.Image.Platform)
	assert.Equal(t, map[string]string{"org.opencontainers.image.version": "v1.0.0"}, r.Image.Labels)
	layers, err := img.Layers()
	require.NoError(t, err)
	require.Len(t, r.Image.Layers, 2)
	size, err := layers[1].Size()
	require.NoError(t, err)
	assert.Equal(t, size, r.Image.Layers[1].Size)
	assert.Equal(t, "[rootfs] release", r.Image.Layers[1].CreatedBy)
}

func TestArch(t *testing.T) {
	dir := ociLayout(t, image(t, "amd64", kairos()), image(t, "arm64", kairos()))
	r, err := inspect.Read(t.Context(), dir, inspect.Options{Arch: "arm64"})
	require.NoError(t, err)
	assert.Equal(t, "linux/arm64", r.Image.Platform)
	_, err = inspect.Read(t.Context(), dir, inspect.Options{Arch: "riscv64"})
	assert.ErrorContains(t, err, "there are 2 images and none for riscv64; choose one by its architecture: amd64, arm64")
	_, err = inspect.Read(t.Context(), "oci-layout://"+dir+":none", inspect.Options{})
	assert.ErrorContains(t, err, `the layout has no image "none"`)

	only := ociLayout(t, image(t, "arm64", kairos()))
	r, err = inspect.Read(t.Context(), only, inspect.Options{Arch: "amd64"})
	require.NoError(t, err, "the only image is taken, whatever it is for")
	assert.Equal(t, "linux/arm64", r.Image.Platform)
}

func TestMedia(t *testing.T) {
	live := read(t, liveISO(t, kairos())).Medium
	assert.Equal(t, "COS_LIVE", live.Label)
	assert.Equal(t, "rootfs.squashfs", live.SystemAt)
	var names []string
	for _, f := range live.Files {
		names = append(names, f.Path)
	}
	assert.ElementsMatch(t, []string{"boot/grub2/cmdline.cfg", "boot/grub2/grub.cfg", "boot/grub2/label.cfg", "boot/initrd", "boot/kernel", "rootfs.squashfs"}, names)
	require.NotEmpty(t, live.Menu)
	assert.Equal(t, inspect.BootEntry{Title: "Kairos", CommandLine: "root=live:CDLABEL=COS_LIVE rd.cos.disable install-mode rd.live.dir=/ quiet"}, live.Menu[0])

	root, err := os.ReadFile(squash(t, kairos()))
	require.NoError(t, err)
	r := read(t, disk(t, files{"cOS/recovery.squashfs": string(root)}))
	assert.Equal(t, "COS_STATE:/cOS/recovery.squashfs", r.Medium.SystemAt)
	require.Len(t, r.Medium.Partitions, 3)
	assert.Equal(t, []string{"partition 1 (bios): there is no filesystem that flavorkit can read"}, r.Unread)
	efi, state := r.Medium.Partitions[1], r.Medium.Partitions[2]
	assert.Equal(t, []string{"efi", "FAT", "COS_GRUB"}, []string{efi.Name, efi.Filesystem, efi.Label})
	assert.Equal(t, []inspect.File{{Path: "EFI/BOOT/bootx64.efi", Size: 4}}, efi.Files)
	assert.Equal(t, []string{"state", "ext", "COS_STATE"}, []string{state.Name, state.Filesystem, state.Label})
}

func TestPackages(t *testing.T) {
	alpine := kairos().with(files{"var/lib/dpkg/status": "", "lib/apk/db/installed": "C:Q1x=\nP:busybox\nV:1.36.1-r29\nA:x86_64\nF:bin\nR:busybox\n\nP:musl\nV:1.2.5-r0\nA:x86_64\n\n",
		"etc/runlevels/boot/sshd": "→/etc/init.d/sshd", "etc/runlevels/default/sshd": "→/etc/init.d/sshd"})
	s := read(t, save(t, "a.tar", alpine.archive(t))).System
	assert.Equal(t, []inspect.Package{{Name: "busybox", Version: "1.36.1-r29", Arch: "x86_64"}, {Name: "musl", Version: "1.2.5-r0", Arch: "x86_64"}}, s.Packages)
	assert.Contains(t, s.Services, inspect.Service{Name: "sshd", In: []string{"boot", "default"}})

	rpmdb, err := os.ReadFile("../../internal/pkgdb/testdata/rpmdb.sqlite")
	require.NoError(t, err)
	fedora := kairos().with(files{"var/lib/dpkg/status": "", "usr/lib/sysimage/rpm/rpmdb.sqlite": string(rpmdb)})
	s = read(t, save(t, "b.tar", fedora.archive(t))).System
	assert.Equal(t, []string{"usr/lib/sysimage/rpm/rpmdb.sqlite"}, s.Databases)
	assert.Equal(t, []inspect.Package{{Name: "acme-tool", Version: "2:1.4.0-3", Arch: "x86_64"}, {Name: "kernel-acme", Version: "6.12.5-1", Arch: "noarch"}}, s.Packages)

	for name, reason := range map[string]string{
		"usr/lib/sysimage/rpm/rpmdb.sqlite": "read /usr/lib/sysimage/rpm/rpmdb.sqlite: unexpected EOF",
		"var/lib/rpm/Packages":              "read /var/lib/rpm/Packages: databases of rpm in the format of Berkeley DB cannot be read",
	} {
		r := read(t, save(t, "c.tar", kairos().with(files{"var/lib/dpkg/status": "", name: "SQLite format 3\x00"}).archive(t)))
		assert.Empty(t, r.System.Databases)
		assert.Empty(t, r.System.Packages)
		assert.Equal(t, []string{"packages: " + reason}, r.Unread)
	}
}

// TestKernels finds the versions of kernels without a header for x86.
func TestKernels(t *testing.T) {
	system := kairos().with(files{"boot/vmlinuz-6.1.0-44-amd64": "", "boot/Image-6.4.0-default": "arm", "usr/lib/modules/6.10.1-rpi/vmlinuz": "rpi", "usr/lib/modules/6.10.1-rpi/a.ko": "a"})
	s := read(t, save(t, "a.tar", system.archive(t))).System
	assert.Equal(t, []inspect.Kernel{
		{Version: "6.1.0-44-amd64", Modules: 2, ModulesSize: 12},
		{Version: "6.10.1-rpi", Path: "usr/lib/modules/6.10.1-rpi/vmlinuz", Size: 3, Modules: 1, ModulesSize: 1},
		{Version: "6.4.0-default", Path: "boot/Image-6.4.0-default", Size: 3},
	}, s.Kernels)

	system = kairos().with(files{"boot/vmlinuz-6.1.0-44-amd64": "", "boot/vmlinuz-lts": "arm"})
	s = read(t, save(t, "b.tar", system.archive(t))).System
	require.Len(t, s.Kernels, 1)
	assert.Equal(t, "boot/vmlinuz-lts", s.Kernels[0].Path)
}

func TestErrors(t *testing.T) {
	live, err := os.ReadFile(liveISO(t, kairos()))
	require.NoError(t, err)
	medium, err := os.ReadFile(disk(t, files{"cOS/active.img": "x"}))
	require.NoError(t, err)
	squashed, err := os.ReadFile(squash(t, kairos()))
	require.NoError(t, err)
	broken := ociLayout(t, image(t, "amd64", kairos()))
	for name, content := range readTree(t, broken) {
		if strings.HasPrefix(content, "\x1f\x8b") {
			require.NoError(t, os.WriteFile(filepath.Join(broken, name), []byte(content[:100]), 0o644))
		}
	}
	bare := kairos().with(files{"etc/kairos-release": ""})
	empty := t.TempDir()
	archive := kairos().archive(t)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	missing := strings.TrimPrefix(server.URL, "http://") + "/kairos:none"

	for _, c := range []struct{ what, path, err string }{
		{"no Kairos", save(t, "a.tar", bare.archive(t)), "(tar archive) is not a Kairos system: it has no /etc/kairos-release; found Debian GNU/Linux 12 (bookworm), 2 packages, 20 files of "},
		{"data", save(t, "a.tar", files{"disk.img": "x"}.archive(t)), "is not a Kairos system: it has no /etc/kairos-release; found 1 file of 1B"},
		{"missing", "none.iso", "none.iso: no such file or directory"},
		{"missing directory", empty + "/none", "none: no such file or directory"},
		{"missing image", missing, "NAME_UNKNOWN"},
		{"empty directory", empty, "is a directory with neither an OCI layout nor a root filesystem; it is empty"},
		{"unknown", save(t, "a.img", bytes.Repeat([]byte("x"), 4096)), "is in no format that flavorkit can read"},
		{"packed", save(t, "a.tar.gz", []byte("\x1f\x8b....")), "is compressed with gzip; unpack it first: gunzip -k"},
		{"badly packed", save(t, "a.img.zst", []byte("\x28\xb5\x2f\xfd....")), "as file compressed with zstd: unpack it: "},
		{"qcow2", save(t, "a.qcow2", []byte("QFI\xfb\x00\x00\x00\x03")), "is a disk in the format qcow2; convert it first: qemu-img convert -O raw"},
		{"truncated ISO", save(t, "a.iso", live[:40<<10]), "the file is truncated: it has 40960 bytes of "},
		{"truncated disk", save(t, "a.img", medium[:64<<20]), "the file is truncated: it has 67108864 bytes of 127926272"},
		{"truncated squashfs", save(t, "a.squashfs", squashed[:2048]), "the file is truncated: it has 2048 bytes of "},
		{"truncated archive", save(t, "a.tar", archive[:len(archive)/2]), "the archive is truncated"},
		{"truncated layer", broken, "is truncated: it has 100 bytes of "},
		{"no system on the ISO", iso(t, files{"readme.txt": "x"}), "there is no root filesystem on it; it has /readme.txt"},
		{"no system on the disk", disk(t, files{"cOS/other.img": "x"}), "there is no system on it; it has 3 partitions"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := inspect.Read(t.Context(), c.path, inspect.Options{Arch: "amd64"})
			assert.ErrorContains(t, err, c.err)
		})
	}
}

func TestIsBuilt(t *testing.T) {
	t.Chdir(t.TempDir())
	files{"edge.spec": "extends: debian-12\n", "context/kairos.spec": "extends: debian-12\n", "context/etc/motd": "x"}.write(t, ".")
	for name, want := range map[string]bool{
		"edge.spec": false, "context": false, ".": false, "none": false, "examples/none": false, "none.iso": true, "./none.img": true,
		"ghcr.io/acme/edge": true, "acme/edge:v1": true, "localhost:5000/edge": true, "ghcr.io/acme/edge:v1.img": true, "/tmp/none": false, "oci-layout://none": true,
	} {
		assert.Equal(t, want, inspect.IsBuilt(name), name)
	}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, read(t, ociLayout(t, image(t, "amd64", kairos()))).WriteText(&out))
	for _, line := range []string{
		"\n  version           v1.0.0\n", "\n  flavor            debian 12 core amd64 generic\n", "\n  packages          2 (/var/lib/dpkg/status)\n",
		"\n  kernel            6.1.0-44-amd64, /boot/vmlinuz-6.1.0-44-amd64, 1.024kB, 2 modules of 12B\n",
		"\n  services          ssh.service in multi-user.target\n                    systemd-firstboot.service masked\n",
		"\nlayers, ", "[base]\n",
	} {
		assert.Contains(t, out.String(), line)
	}
	data, err := json.Marshal(read(t, liveISO(t, kairos())))
	require.NoError(t, err)
	assert.Contains(t, string(data), `"medium":{"label":"COS_LIVE"`)
	assert.NotContains(t, string(data), `:null`)
}

func TestCompare(t *testing.T) {
	old := kairos()
	next := old.with(files{
		"etc/kairos-release":  "KAIROS_VERSION=\"v1.1.0\"\n",
		"var/lib/dpkg/status": "Package: curl\nStatus: install ok installed\nVersion: 8.0\n\nPackage: jq\nStatus: install ok installed\nVersion: 1.6\n",
		"etc/cos/cmdline.cfg": "set system_args='console=tty1'\n", "opt/app/bin/app": "12345", "opt/app/lib/x": "1", "oem/90_custom.yaml": "",
		"etc/systemd/system/systemd-firstboot.service": "",
	})
	shared := files{"usr/share/large": strings.Repeat("x", 1000)}
	before, after := image(t, "amd64", shared, old), image(t, "amd64", shared, next)
	c := inspect.Compare(read(t, ociLayout(t, before)), read(t, ociLayout(t, after)))
	var lines []string
	for _, change := range c.Changes {
		lines = append(lines, change.String())
	}
	for _, line := range []string{
		"~ KAIROS_VERSION v1.0.0 → v1.1.0", "- package bash 5.2.15-2", "~ package curl 7.88.1-10 → 8.0", "+ package jq 1.6",
		"- kernel argument quiet there", "- service systemd-firstboot.service masked",
	} {
		assert.Contains(t, lines, line)
	}
	assert.NotContains(t, strings.Join(lines, "\n"), "kernel 6")
	assert.Contains(t, c.Files, inspect.FileChange{Path: "opt/app/bin/app", Kind: inspect.Added, New: 5})
	assert.Contains(t, c.Files, inspect.FileChange{Path: "oem/90_custom.yaml", Kind: inspect.Removed, Old: 13})
	assert.Equal(t, "+ file /opt/app/bin/app 5B", c.Files[len(c.Files)-3].String())
	assert.Contains(t, c.Directories(), "~ files in /opt/app 2 added, +6B")
	assert.Contains(t, c.Directories(), "~ files in /oem 1 removed, -13B")
	sizes := []int64{c.Layers.SharedSize, c.Layers.NewSize}
	assert.Equal(t, compressed(t, after), sizes)
	assert.Equal(t, []int{1, 1}, []int{c.Layers.Shared, c.Layers.New})
	assert.Contains(t, c.Layers.String(), "1 layer shared (")

	c = inspect.Compare(read(t, liveISO(t, old)), read(t, ociLayout(t, after)))
	assert.Nil(t, c.Layers)
	assert.Contains(t, c.Files, inspect.FileChange{Path: "usr/share/large", Kind: inspect.Added, New: 1000})
}

// compressed are the sizes of the layers.
func compressed(t *testing.T, img v1.Image) (all []int64) {
	t.Helper()
	layers, err := img.Layers()
	require.NoError(t, err)
	for _, l := range layers {
		size, err := l.Size()
		require.NoError(t, err)
		all = append(all, size)
	}
	return all
}
