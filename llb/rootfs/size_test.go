package rootfs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/spectest"
)

// measure runs size.sh on a root with files of these sizes in KiB.
func measure(t *testing.T, files map[string]int64, limits ...string) (said string, code int) {
	t.Helper()
	dir := t.TempDir()
	for name, kib := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		require.NoError(t, os.Truncate(path, kib<<10))
	}
	require.NoError(t, os.WriteFile(dir+"/initramfs/initrd.sizes", []byte("3145728\t/usr/lib/modules/6.1.0/kernel/drivers/ata/ahci.ko\n1048576\t/usr/bin/a\n1048576\t/usr/bin/b\n"), 0o644))
	require.NoError(t, os.Link(dir+"/root/usr/bin/one", dir+"/root/usr/bin/two"))
	script := filepath.Join(dir, "size.sh")
	require.NoError(t, os.WriteFile(script, sizeScript, 0o755))
	out, err := exec.Command("/bin/sh", append([]string{script, dir + "/root", dir + "/initramfs"}, limits...)...).CombinedOutput()
	if err == nil {
		return string(out), 0
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return string(out), exit.ExitCode()
}

// TestSize names the largest parts of what is larger than its limit.
func TestSize(t *testing.T) {
	files := map[string]int64{
		"initramfs/initrd":  2048,
		"root/usr/bin/one":  1024,
		"root/boot/vmlinuz": 8192,
		"root/usr/lib/modules/6.1.0/kernel/drivers/net/ethernet/big.ko":  5120,
		"root/usr/lib/modules/6.1.0/kernel/drivers/net/wireless/wifi.ko": 1024,
		"root/usr/lib/modules/6.1.0/modules.dep":                         1024,
		"root/usr/lib/firmware/amdgpu/a/b.bin":                           512,
		"root/usr/lib/x86_64-linux-gnu/libc.so":                          1536,
		"root/usr/lib/x86_64-linux-gnu/gconv/utf.so":                     512,
		"root/etc/hostname":                                              1,
		"root/init":                                                      1,
	}
	for i := range 4 {
		files["root/usr/share/"+strings.Repeat("x", i+1)+"/doc"] = int64(16 * (i + 1))
	}
	said, code := measure(t, files, "size.root", "20", "64", "size.initramfs", "2", "65")
	assert.Zero(t, code, said)
	assert.Equal(t, "the root filesystem has 18.7 MiB of 20 MiB\nthe initramfs has 2.0 MiB of 2 MiB\n", said)

	said, code = measure(t, files, "size.root", "18", "64", "size.initramfs", "1", "65")
	assert.Equal(t, 64, code, "the first decides")
	assert.Equal(t, `check failed: size.root: the root filesystem has 18.7 MiB, the limit is 18 MiB. Its largest parts, unpacked:
      8.0 MiB  /boot/vmlinuz
      6.0 MiB  /usr/lib/modules/6.1.0/kernel/drivers/net/
      2.0 MiB  /usr/lib/x86_64-linux-gnu/
      1.0 MiB  /usr/bin/
      1.0 MiB  /usr/lib/modules/
      0.5 MiB  /usr/lib/firmware/amdgpu/
      0.1 MiB  /usr/share/xxxx/
      0.0 MiB  /usr/share/xxx/
      0.0 MiB  /usr/share/xx/
      0.0 MiB  /usr/share/x/
check failed: size.initramfs: the initramfs has 2.0 MiB, the limit is 1 MiB. Its largest parts, unpacked:
      3.0 MiB  /usr/lib/modules/6.1.0/kernel/drivers/ata/
      2.0 MiB  /usr/bin/
`, said)
	_, code = measure(t, files, "size.root", "20", "64", "size.initramfs", "1", "65")
	assert.Equal(t, 65, code)
}

// TestSizeExplained points at the limit.
func TestSizeExplained(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nsize:\n  root: 300MiB\n  initramfs: 1GiB\n", nil, "amd64")
	const hint = `; the lines after "check failed" of the step are its largest parts; see docs/size.md`
	assert.EqualError(t, explainSize(p, 64), "kairos.spec:4:9: size.root: the root filesystem is larger than 300 MiB"+hint)
	assert.EqualError(t, explainSize(p, 65), "kairos.spec:5:14: size.initramfs: the initramfs is larger than 1024 MiB"+hint)
	assert.NoError(t, explainSize(p, 1))
}
