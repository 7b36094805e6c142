package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
)

const compatName = "[compat] check that kernel, initramfs and userland fit"

// TestCompatRefuses uses Debian's kernel without some modules as a custom kernel. The error names
// them, and the line that sets the kernel. llb/compat tests other failures.
func TestCompatRefuses(t *testing.T) {
	t.Parallel()
	const spec = debianSpec + "# ours\nkernel:\n  context: mykernel\n"
	c := embedded(t)
	good := debianKernel(t)
	version := strings.TrimPrefix(filepath.Base(glob(t, good, "boot/vmlinuz-*")), "vmlinuz-")
	const remedy = "; mend the kernel in that context, or choose another"
	for _, tt := range []struct {
		name   string
		change func(kernel string)
		want   []string
	}{
		{
			name: "modules missing",
			change: func(kernel string) {
				require.NoError(t, os.Remove(glob(t, kernel, "usr/lib/modules/*/kernel/fs/overlayfs/overlay.ko*")))
				require.NoError(t, os.Remove(glob(t, kernel, "usr/lib/modules/*/kernel/drivers/nvme/host/nvme.ko*")))
			},
			want: []string{
				"check failed: kernel module overlay: the kernel " + version + " of the named context mykernel has none, built in or loadable; needed for the writable directories over a read-only root" + remedy,
				"check failed: kernel module nvme: the kernel " + version + " of the named context mykernel has none, built in or loadable; needed for NVMe disks" + remedy,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kernel := filepath.Join(t.TempDir(), "kernel")
			require.NoError(t, exec.Command("cp", "-a", good, kernel).Run())
			tt.change(kernel)
			o := options(t, map[string]string{"kairos.spec": spec})
			o.Contexts["mykernel"] = kernel
			o.Target = "iso"
			r := watch(&o)
			_, err := solve.Build(t.Context(), c, o)
			require.Error(t, err)
			var failed []string
			for line := range strings.Lines(r.log.String()) {
				// The log of a step has the time before each line.
				if _, said, ok := strings.Cut(line, "check failed: "); ok && strings.HasPrefix(line, "#") {
					failed = append(failed, "check failed: "+strings.TrimSpace(said))
				}
			}
			assert.ElementsMatch(t, tt.want, failed)
			sources := errdefs.Sources(err)
			require.NotEmpty(t, sources, "the error points at the spec")
			assert.EqualValues(t, 6, sources[0].Ranges[0].Start.Line)
			assert.NotContains(t, r.ran(), "[iso] write kairos-debian-12-core-amd64-generic-v1.0.0.iso")
		})
	}
}

// TestCompatPasses uses kernels that fit: Debian's as a custom kernel, and those of the two
// releases. TestStandardOpenRC uses one of another distribution.
func TestCompatPasses(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	kernel := debianKernel(t)
	for name, spec := range map[string]string{
		"debian-13":  "extends: debian-13\nversion: v1.0.0\n",
		"own kernel": debianSpec + "kernel: {context: mykernel}\n",
		"for clouds": debianSpec + "model: virtual\nkernel: {package: linux-image-cloud-" + arch + "}\n",
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, map[string]string{"kairos.spec": spec})
			o.Contexts["mykernel"] = kernel
			o.NoCacheStages = []string{"compat"} // another test may have built the same system
			r := watch(&o)
			solved(t, c, o)
			assert.Contains(t, r.ran(), compatName)
			assert.NotContains(t, r.log.String(), "check skipped")
		})
	}
}

// debianKernel returns the kernel of Debian 12 as a user would pass it: a directory with the layer
// of the kernel.
func debianKernel(t *testing.T) string {
	t.Helper()
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	watch(&o)
	dir := t.TempDir()
	run := func(args ...string) {
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	run("tar", "-xf", image(t, embedded(t), o), "-C", dir)
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs/sha256/*"))
	require.NoError(t, err)
	for _, blob := range blobs {
		files, err := exec.Command("tar", "-tf", blob).Output()
		if err != nil || !strings.Contains("\n"+string(files), "\nboot/vmlinuz-") {
			continue // a manifest, or another layer
		}
		kernel := filepath.Join(dir, "kernel")
		require.NoError(t, os.Mkdir(kernel, 0o755))
		run("tar", "-xf", blob, "-C", kernel, "boot", "usr/lib/modules")
		return kernel
	}
	t.Fatal("no layer holds a kernel")
	return ""
}

// glob returns the only file below a directory that matches a pattern.
func glob(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1, pattern)
	return found[0]
}
