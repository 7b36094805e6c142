package inspect_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/ext4"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"github.com/diskfs/go-diskfs/filesystem/iso9660"
	"github.com/diskfs/go-diskfs/filesystem/squashfs"
	"github.com/diskfs/go-diskfs/partition/gpt"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// files are the contents of files by path. A content that starts with → is the target of a link.
type files map[string]string

// with returns more files. An empty content removes a file.
func (f files) with(more files) files {
	all := files{}
	for _, part := range []files{f, more} {
		for name, content := range part {
			if all[name] = content; content == "" {
				delete(all, name)
			}
		}
	}
	return all
}

// kairos is a small system.
func kairos() files {
	return files{
		"etc/kairos-release": "KAIROS_VERSION=\"v1.0.0\"\nKAIROS_FLAVOR=\"debian\"\nKAIROS_FLAVOR_RELEASE=\"12\"\nKAIROS_VARIANT=\"core\"\nKAIROS_ARCH=\"amd64\"\nKAIROS_MODEL=\"generic\"\n",
		"etc/os-release":     "→../usr/lib/os-release",
		"usr/lib/os-release": "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n# no comment\n",
		"var/lib/dpkg/status": "Package: curl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.88.1-10\nDescription: tool\n more: text\n\n" +
			"Package: nano\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 7.2-1\n\n" +
			"Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2\n",
		"boot/vmlinuz-6.1.0-44-amd64": x86Kernel("6.1.0-44-amd64"),
		"boot/vmlinuz":                "→vmlinuz-6.1.0-44-amd64",
		"boot/initrd":                 "cpio",
		"usr/lib/modules/6.1.0-44-amd64/kernel/fs/ext4/ext4.ko.xz":      "ext4",
		"usr/lib/modules/6.1.0-44-amd64/kernel/fs/squashfs/squashfs.ko": "squashfs",
		"usr/lib/modules/6.1.0-44-amd64/modules.dep":                    "dep",
		"usr/lib/shim/shimx64.efi.signed":                               "shim",
		"usr/lib/grub/i386-pc/boot.img":                                 "boot",
		"usr/lib/systemd/boot/efi/linuxx64.efi.stub":                    "stub",
		"system/oem/00_rootfs.yaml":                                     "name: rootfs\n",
		"system/oem/README":                                             "text",
		"oem/90_custom.yaml":                                            "name: custom\n",
		"etc/systemd/system/multi-user.target.wants/ssh.service":        "→../../../../usr/lib/systemd/system/ssh.service",
		"usr/lib/systemd/system/ssh.service":                            "[Service]\n",
		"etc/systemd/system/systemd-firstboot.service":                  "→/dev/null",
		"etc/cos/cmdline.cfg":                                           "set system_args='console=tty1 quiet'\n",
		"etc/cos/bootargs.cfg": "# It isn't short; { \nset system_args=\"\"\nif [ -n \"${recoverylabel}\" ]; then\n  set root_args=\"root=live:LABEL=${recoverylabel}\"\nelse\n" +
			"  set root_args=\"root=LABEL=${label} cos-img/filename=${img}\"\nfi\nif [ -f (loop0)/etc/cos/cmdline.cfg ]; then source (loop0)/etc/cos/cmdline.cfg; fi\nset kernelcmd=\"${root_args} ${system_args}\"\n",
	}
}

// x86Kernel is the header of a kernel with a version.
func x86Kernel(version string) string {
	b := make([]byte, 1024)
	copy(b[0x202:], "HdrS")
	b[0x20E], b[0x20F] = 0x00, 0x01 // 0x100 + 0x200
	copy(b[0x300:], version+" (debian-kernel@lists.debian.org)\x00")
	return string(b)
}

// archive is a tar archive.
func (f files) archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	var names []string
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h := &tar.Header{Name: "./" + name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(f[name]))}
		content := f[name]
		if target, ok := strings.CutPrefix(content, "→"); ok {
			h.Typeflag, h.Linkname, h.Size, content = tar.TypeSymlink, target, 0, ""
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// write writes the files into a directory.
func (f files) write(t *testing.T, dir string) {
	t.Helper()
	for name, content := range f {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		if target, ok := strings.CutPrefix(content, "→"); ok {
			require.NoError(t, os.Symlink(target, file))
		} else {
			require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
		}
	}
}

// image is an image with a layer for each set of files.
func image(t *testing.T, arch string, layers ...files) v1.Image {
	t.Helper()
	img := empty.Image
	for i, l := range layers {
		data := l.archive(t)
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
		require.NoError(t, err)
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: []string{"[base]", "[rootfs] release"}[i%2]}})
		require.NoError(t, err)
	}
	config, err := img.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config.Labels = map[string]string{"org.opencontainers.image.version": "v1.0.0"}
	img, err = mutate.ConfigFile(img, config)
	require.NoError(t, err)
	return img
}

// ociLayout writes images into an OCI layout.
func ociLayout(t *testing.T, images ...v1.Image) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	path, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	for _, img := range images {
		config, err := img.ConfigFile()
		require.NoError(t, err)
		require.NoError(t, path.AppendImage(img, layout.WithPlatform(*config.Platform()), layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": config.Architecture})))
	}
	return dir
}

// readTree returns the files of a directory.
func readTree(t *testing.T, dir string) files {
	t.Helper()
	all := files{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = string(data)
		return err
	}))
	return all
}

// squash packs files into a squashfs. The writer follows links, and looks for them in the working
// directory.
func squash(t *testing.T, f files) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rootfs.squashfs")
	disk, err := file.CreateFromPath(name, 16<<20)
	require.NoError(t, err)
	fsys, err := squashfs.Create(disk, 0, 0, 0)
	require.NoError(t, err)
	workspace := fsys.Workspace()
	defer func() { assert.NoError(t, os.RemoveAll(workspace)) }() // it leaves it there
	defer fsys.Close()
	f.write(t, workspace)
	here, err := os.Getwd()
	require.NoError(t, err)
	t.Chdir(workspace)
	require.NoError(t, fsys.Finalize(squashfs.FinalizeOptions{}))
	t.Chdir(here)
	require.NoError(t, disk.Close())
	return name
}

// iso makes an ISO.
func iso(t *testing.T, f files) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "kairos.iso")
	disk, err := file.CreateFromPath(name, 16<<20)
	require.NoError(t, err)
	fsys, err := iso9660.Create(disk, 0, 0, 0, "")
	require.NoError(t, err)
	workspace := fsys.Workspace()
	defer func() { assert.NoError(t, os.RemoveAll(workspace)) }() // it leaves it there
	defer fsys.Close()
	f.write(t, workspace)
	require.NoError(t, fsys.Finalize(iso9660.FinalizeOptions{RockRidge: true, VolumeIdentifier: "COS_LIVE"}))
	require.NoError(t, disk.Close())
	return name
}

// liveISO is an ISO with a system, and with the menu of flavorkit.
func liveISO(t *testing.T, system files) string {
	t.Helper()
	root, err := os.ReadFile(squash(t, system))
	require.NoError(t, err)
	menu, err := os.ReadFile("../../specs/catalog/overlay/iso/boot/grub2/grub.cfg")
	require.NoError(t, err)
	return iso(t, files{
		"rootfs.squashfs": string(root), "boot/kernel": system["boot/vmlinuz-6.1.0-44-amd64"], "boot/initrd": "cpio",
		"boot/grub2/grub.cfg": string(menu), "boot/grub2/label.cfg": "set iso_label=\"COS_LIVE\"\n", "boot/grub2/cmdline.cfg": "set live_args='rd.live.dir=/ quiet'\n",
	})
}

// disk makes a disk with the given files on COS_STATE, and an EFI system partition. The first
// partition has nothing.
func disk(t *testing.T, state files) string {
	t.Helper()
	const mib, sector = 1 << 20, 512
	name := filepath.Join(t.TempDir(), "kairos.img")
	storage, err := file.CreateFromPath(name, 128*mib)
	require.NoError(t, err)
	at := func(mibs int) uint64 { return uint64(mibs) * mib / sector }
	table := &gpt.Table{LogicalSectorSize: sector, PhysicalSectorSize: sector, ProtectiveMBR: true, Partitions: []*gpt.Partition{
		{Index: 1, Start: at(1), End: at(2) - 1, Type: gpt.BIOSBoot, Name: "bios"},
		{Index: 2, Start: at(2), End: at(42) - 1, Type: gpt.EFISystemPartition, Name: "efi"},
		{Index: 3, Start: at(42), End: at(122) - 1, Type: gpt.LinuxFilesystem, Name: "state"},
	}}
	writable, err := storage.Writable()
	require.NoError(t, err)
	require.NoError(t, table.Write(writable, 128*mib))

	esp, err := fat32.Create(storage, 40*mib, 2*mib, sector, "COS_GRUB", true)
	require.NoError(t, err)
	require.NoError(t, esp.Mkdir("/EFI/BOOT"))
	loader, err := esp.OpenFile("/EFI/BOOT/bootx64.efi", os.O_CREATE|os.O_RDWR)
	require.NoError(t, err)
	_, err = loader.Write([]byte("shim"))
	require.NoError(t, err)

	system, err := ext4.Create(storage, 80*mib, 42*mib, sector, &ext4.Params{VolumeName: "COS_STATE"})
	require.NoError(t, err)
	require.NoError(t, system.Mkdir("cOS"))
	for path, content := range state {
		f, err := system.OpenFile(path, os.O_CREATE|os.O_RDWR)
		require.NoError(t, err)
		_, err = f.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, storage.Close())
	return name
}
