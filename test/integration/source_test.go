package integration

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/test/testkit"
)

const sourceHead = "# syntax=ghcr.io/flavorkit/frontend:1\n"

// filesLayer is a layer with files by path. A text that begins with -> is a link.
func filesLayer(t *testing.T, files map[string]string) v1.Layer {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(files[path]))}
		target, link := strings.CutPrefix(files[path], "->")
		if link {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		require.NoError(t, w.WriteHeader(h))
		if !link {
			_, err := io.WriteString(w, files[path])
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data.Bytes())), nil }, tarball.WithMediaType(types.OCILayer))
	require.NoError(t, err)
	return layer
}

// inRoot returns the files of a root filesystem in an archive: the targets of links, and the small
// files that are asked for.
func inRoot(t *testing.T, archive string, texts ...string) (links, files map[string]string) {
	t.Helper()
	links, files = map[string]string{}, map[string]string{}
	f, err := os.Open(archive)
	require.NoError(t, err)
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return links, files
		}
		require.NoError(t, err)
		links[strings.TrimSuffix(h.Name, "/")] = h.Linkname
		if slices.Contains(texts, h.Name) {
			data, err := io.ReadAll(r)
			require.NoError(t, err)
			files[h.Name] = string(data)
		}
	}
}

// TestSource makes an ISO and a disk of an image of this project, and an ISO of one in the layout of
// upstream, out of a registry. The system on them is that of the image.
func TestSource(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	own := options(t, map[string]string{"kairos.spec": debianSpec})
	watch(&own)
	root := rootArchive(t, own)
	links, _ := inRoot(t, root)
	dir := t.TempDir()
	ask(t, dir, "tar", "-xf", image(t, c, own))
	registry := testkit.Registry(t)
	ref := registry.PushLayout(dir, "edge/debian:v1.0.0")
	require.NoError(t, os.RemoveAll(dir))

	from := func(ref, target, more string) string {
		o := options(t, map[string]string{"kairos.spec": sourceHead + "source: " + ref + "\nname: edge\nversion: v1.0.0\n" + more})
		o.Target = target
		watch(&o)
		return build(t, c, o)
	}
	// system unpacks the system of an ISO, and checks what the ISO starts it from.
	system := func(file string) string {
		dir := t.TempDir()
		ask(t, dir, "xorriso", "-osirrox", "on", "-indev", file, "-extract", "/", ".")
		ask(t, dir, "chmod", "-R", "u+w", ".")
		ask(t, dir, "unsquashfs", "-q", "-n", "-d", "system", "rootfs.squashfs")
		ask(t, dir, "cmp", "boot/kernel", "system/boot/vmlinuz")
		ask(t, dir, "cmp", "boot/initrd", "system/boot/initrd")
		ask(t, dir, "cmp", "EFI/BOOT/bootx64.efi", "system/usr/lib/shim/shimx64.efi.signed")
		ask(t, dir, "cmp", "EFI/BOOT/grubx64.efi", "system/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed")
		return filepath.Join(dir, "system")
	}

	file := glob(t, from(ref, "iso", "artifacts: {iso: {label: ACME_EDGE}}\n"), "*.iso")
	assert.Equal(t, "edge-v1.0.0-amd64.iso", filepath.Base(file))
	assert.Regexp(t, `Volume Id\s*: ACME_EDGE`, ask(t, "", "xorriso", "-indev", file, "-pvd_info"))
	unpacked := system(file)
	// What makes room for kernel and initramfs in a squashfs is in every one.
	require.NoError(t, os.RemoveAll(filepath.Join(unpacked, "boot/.alignment")))
	// Times differ: a pushed image has no later ones than the epoch.
	differ := ask(t, "", "sh", "-c", `tar --compare --file "$1" --directory "$2" 2>&1 | grep -v ': Mod time differs$' || true`, "sh", root, unpacked)
	assert.Equal(t, "etc/kairos-release: Contents differ", strings.TrimSpace(differ), "the version of the spec is in it")
	paths := strings.Fields(ask(t, unpacked, "find", ".", "-mindepth", "1", "-printf", "x\n"))
	assert.Len(t, paths, len(links), "nothing else is there")
	require.NoError(t, os.RemoveAll(filepath.Dir(unpacked)))

	disk := glob(t, from(ref, "img", "artifacts: {disk: {compression: none, cloudConfig: {content: \"#cloud-config\\n\"}}}\n"), "*.img")
	checkPartitions(t, disk, "efi", "oem", "recovery")
	require.NoError(t, os.Remove(disk))

	// Upstream's layout: links are absolute, values have no quotes, and one program is all programs.
	reference, err := name.ParseReference(ref)
	require.NoError(t, err)
	img, err := remote.Image(reference)
	require.NoError(t, err)
	img, err = mutate.AppendLayers(img, filesLayer(t, map[string]string{
		"boot/vmlinuz":          "->/boot/" + links["boot/vmlinuz"],
		"etc/kairos-release":    "KAIROS_ARCH=\"amd64\"\nKAIROS_FLAVOR_RELEASE=12\nKAIROS_ID=kairos\nKAIROS_MODEL=generic\nKAIROS_RELEASE=\"v0.9.0\"\nKAIROS_VERSION=v0.9.0\n",
		"usr/bin/kairos":        "all programs",
		"usr/bin/kairos-agent":  "->/usr/bin/kairos",
		"usr/bin/immucore":      "->/usr/bin/kairos",
		"system/oem/upstream.y": "x",
	}))
	require.NoError(t, err)
	upstream := reference.Context().Tag("upstream")
	require.NoError(t, remote.Write(upstream, img))
	unpacked = system(glob(t, from(upstream.String(), "iso", "files: [{path: /etc/acme, content: a}]\ncloudConfig: {content: \"#cloud-config\\n\"}\n"), "*.iso"))
	for name, want := range map[string]string{
		"boot/vmlinuz": links["boot/vmlinuz"], "usr/bin/kairos-agent": "/usr/bin/kairos", "usr/bin/immucore": "/usr/bin/kairos",
	} {
		target, err := os.Readlink(filepath.Join(unpacked, name))
		require.NoError(t, err)
		assert.Equal(t, want, target)
	}
	for name, want := range map[string]string{
		"etc/kairos-release": "KAIROS_ARCH=\"amd64\"\nKAIROS_FLAVOR_RELEASE=12\nKAIROS_ID=kairos\nKAIROS_MODEL=generic\nKAIROS_VERSION=\"v1.0.0\"\nKAIROS_RELEASE=\"v1.0.0\"\n",
		"etc/acme":           "a", "system/oem/90_spec.yaml": "#cloud-config\n", "system/oem/upstream.y": "x",
	} {
		data, err := os.ReadFile(filepath.Join(unpacked, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(data), name)
	}
}

// smallImage writes an image with some files into an OCI layout.
func smallImage(t *testing.T, arch string, files map[string]string) string {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.AppendLayers(img, filesLayer(t, files))
	require.NoError(t, err)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	config.OS, config.Architecture = "linux", arch
	img, err = mutate.ConfigFile(img, config)
	require.NoError(t, err)
	dir := t.TempDir()
	index, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, index.AppendImage(img))
	return dir
}

// TestBadSource has the error name the image, at its place in the spec.
func TestBadSource(t *testing.T) {
	t.Parallel()
	registry := testkit.Registry(t)
	kairos := func(more map[string]string) map[string]string {
		files := map[string]string{
			"etc/kairos-release": "KAIROS_ARCH=amd64\n", "etc/cos/grub.cfg": "menu", "boot/vmlinuz-6": "kernel", "boot/vmlinuz": "->vmlinuz-6", "boot/initrd": "no initramfs",
		}
		maps.Copy(files, more)
		maps.DeleteFunc(files, func(_, text string) bool { return text == "" })
		return files
	}
	for name, c := range map[string]struct {
		files     map[string]string
		arch      string
		err, said string
	}{
		"foreign": {
			files: map[string]string{"etc/os-release": "ID=debian\n"},
			err:   "the image REF is no image of Kairos; the log of the step says more; name an image of a system of Kairos; a system of a distribution is built with extends or distro",
			said:  "check failed: /etc/kairos-release: missing, and /etc/os-release says nothing about Kairos",
		},
		"platform": {
			files: kairos(nil), arch: "arm64",
			err: "the image REF is for arm64, not for amd64; name an image for amd64, or build for the platform of this one with --platform",
		},
		"architecture": {
			files: kairos(map[string]string{"etc/kairos-release": "KAIROS_ARCH=\"arm64\"\n"}),
			err:   "the image REF is for another architecture, not for amd64; name an image for amd64, or build for the platform of this one with --platform",
			said:  "check failed: /etc/kairos-release: KAIROS_ARCH is arm64, not amd64",
		},
		"trusted": {
			files: kairos(map[string]string{"etc/kairos-release": "KAIROS_TRUSTED_BOOT=\"true\"\n", "boot/initrd": ""}),
			err:   "the image REF is for trusted boot: it has no initramfs, and boots as one signed file; the log of the step says more; name one that boots with GRUB",
		},
		"kernel": {
			files: kairos(map[string]string{"boot/vmlinuz-6": ""}),
			err:   "the image REF has no kernel in /boot; the log of the step says more; name an image that a machine can boot; images of containers have no kernel",
		},
		"kernels": {
			files: kairos(map[string]string{"boot/vmlinuz": "", "boot/vmlinuz-5": "kernel"}),
			err:   "the image REF has more than one kernel in /boot; the log of the step says more; build the image again with one kernel, or with a link /boot/vmlinuz to the one to boot",
			said:  "check failed: /boot: has /boot/vmlinuz-5 /boot/vmlinuz-6, and no vmlinuz that says which",
		},
		"initramfs": {
			files: kairos(map[string]string{"boot/initrd": ""}),
			err:   "the image REF has no initramfs in /boot; the log of the step says more; name an image that a machine can boot, or build the image again with an initramfs",
		},
		"live": {
			files: kairos(nil),
			err:   "the image REF has an initramfs that cannot boot a live medium; the log of the step says more; build the image again with an initramfs that has the module dmsquash-live of dracut",
		},
	} {
		t.Run(name, func(t *testing.T) {
			arch := arch
			if c.arch != "" {
				arch = c.arch
			}
			ref := registry.PushLayout(smallImage(t, arch, c.files), path.Join("bad", name)+":v1")
			o := options(t, map[string]string{"kairos.spec": sourceHead + "source: " + ref + "\n"})
			r := watch(&o)
			_, err := solve.Build(t.Context(), embedded(t), o)
			require.ErrorContains(t, err, "kairos.spec:2:9: source: "+strings.ReplaceAll(c.err, "REF", ref))
			assert.Contains(t, r.log.String(), c.said)
			sources := errdefs.Sources(err)
			require.NotEmpty(t, sources, "the error points at the spec")
			assert.EqualValues(t, 2, sources[0].Ranges[0].Start.Line)
		})
	}
	t.Run("missing", func(t *testing.T) {
		o := options(t, map[string]string{"kairos.spec": sourceHead + "source: " + registry.Addr() + "/edge/none:v1\n"})
		watch(&o)
		_, err := solve.Build(t.Context(), embedded(t), o)
		require.ErrorContains(t, err, "kairos.spec:2:9: ")
		require.ErrorContains(t, err, registry.Addr()+"/edge/none:v1: not found")
	})
}
