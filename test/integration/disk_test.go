package integration

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// machineConfig is the cloud-config of a machine: a user, because the agent neither installs nor
// upgrades without one, and a root shell for the tests.
const machineConfig = `#cloud-config
stages:
  initramfs:
    - name: "Owner"
      users:
        owner:
          groups: [admin]
          ssh_authorized_keys:
            - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPH0k9JlqHcVyzfBBAIrSMTbhBe5yWXkYh7xzyvhCeW9 owner@example.com
    - name: "Root shell on the serial console"
      directories:
        - path: /etc/systemd/system/serial-getty@.service.d
          permissions: 0755
      files:
        - path: /etc/systemd/system/serial-getty@.service.d/20-autologin.conf
          permissions: 0644
          content: |
            [Service]
            ExecStart=
            ExecStart=-/sbin/agetty --autologin root --keep-baud 115200,57600,38400,9600 %I $TERM
`

const diskName = "kairos-debian-12-core-amd64-generic-v1.0.0"

// buildDisk builds a target of a disk with options and returns its directory.
func buildDisk(t *testing.T, target, disk string) string {
	t.Helper()
	o := options(t, map[string]string{
		"kairos.spec": debianSpec + "artifacts: {disk: {" + disk + "cloudConfig: disk.yaml}}\n",
		"disk.yaml":   machineConfig,
	})
	o.Target = target
	watch(&o)
	dir := build(t, embedded(t), o)
	sums, err := filepath.Glob(filepath.Join(dir, "*.sha256"))
	require.NoError(t, err)
	for _, sum := range sums {
		ask(t, dir, "sha256sum", "-c", filepath.Base(sum))
	}
	return dir
}

// ask returns the output of a program in a directory.
func ask(t testing.TB, dir, program string, args ...string) string {
	t.Helper()
	testkit.Need(t, program, "run hack/deps.sh test")
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", program, out)
	return string(out)
}

// TestDiskFull boots the installed system, with BIOS, on a disk that is larger than its image.
// TestDiskRecovery boots with Secure Boot.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := buildDisk(t, "img", "layout: full, firmware: both, ")
	img := filepath.Join(dir, diskName+".img")
	ask(t, dir, "zstd", "-q", "-d", "--sparse", img+".zst")
	checkPartitions(t, img, "bios", "efi", "oem", "recovery", "state", "persistent")

	m := boot(t, qemu.Options{Firmware: qemu.BIOS, CPUs: 1, Disks: []qemu.Disk{{Path: img, Scratch: true, SizeMiB: 10 << 10}}})
	installed(t, console{t, m}, true)
}

// TestDiskRecovery boots the recovery system, which installs itself and reboots into the installed
// system.
func TestDiskRecovery(t *testing.T) {
	t.Parallel()
	dir := buildDisk(t, "qcow2", "")
	img := filepath.Join(dir, diskName+".qcow2")
	ask(t, dir, "qemu-img", "convert", "-O", "raw", img, "disk.img")
	checkPartitions(t, filepath.Join(dir, "disk.img"), "efi", "oem", "recovery")

	// The recovery system also has a prompt, and reboots when it is done.
	m := bootUntil(t, qemu.Options{Firmware: qemu.SecureBoot, CPUs: 1, Disks: []qemu.Disk{{Path: img, Scratch: true}}},
		`(?s)`+commandLine+`COS_ACTIVE.*root@[^ ]*:~# `, 5*time.Minute)
	c := console{t, m}
	installed(t, c, false)
	assert.Empty(t, c.run("ls /oem | grep reset || true"), "once is enough")
}

// TestDiskFormats builds the disk in an OCI image for a registry, and as a VHD.
func TestDiskFormats(t *testing.T) {
	t.Parallel()
	dir := buildDisk(t, "img-image", "")
	raw := filepath.Join(dir, "build", diskName+".img")
	checkPartitions(t, raw, "efi", "oem", "recovery")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, 1, "build and nothing else")

	dir = buildDisk(t, "vhd", "")
	vhd := filepath.Join(dir, diskName+".vhd")
	ask(t, dir, "zstd", "-q", "-d", "--sparse", vhd+".zst")
	info := ask(t, dir, "qemu-img", "info", "-f", "vpc", vhd)
	size := ask(t, dir, "stat", "-c", "%s", raw)
	assert.Contains(t, info, "("+strings.TrimSpace(size)+" bytes)")
	ask(t, dir, "qemu-img", "compare", "-f", "raw", "-F", "vpc", raw, vhd)

	dir = buildDisk(t, "vmdk", "")
	vmdk := filepath.Join(dir, diskName+".vmdk")
	ask(t, dir, "qemu-img", "check", "-f", "vmdk", vmdk)
	ask(t, dir, "qemu-img", "compare", "-f", "raw", "-F", "vmdk", raw, vmdk)

	dir = buildDisk(t, "gce", "")
	ask(t, dir, "tar", "-xSzf", diskName+".gce.tar.gz")
	ask(t, dir, "qemu-img", "compare", "-f", "raw", "-F", "raw", raw, "disk.raw")
}

// netbootFiles are those of the usual system, in a directory.
func netbootFiles(t *testing.T) string {
	t.Helper()
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	o.Target = "netboot"
	watch(&o)
	return build(t, embedded(t), o)
}

// netboot returns the options of a VM that boots over HTTP from a directory of netboot files, with
// a cloud-config by URL. asked gets each request for it.
func netboot(t *testing.T, dir, config string) (o qemu.Options, asked <-chan struct{}) {
	t.Helper()
	ask(t, dir, "sha256sum", "-c", diskName+".netboot.sha256")
	script, err := os.ReadFile(filepath.Join(dir, diskName+".ipxe"))
	require.NoError(t, err)
	kernel := regexp.MustCompile(`(?m)^kernel (\S+) (.*) \$\{config\}$`).FindSubmatch(script)
	require.NotNil(t, kernel, "%s", script)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "user.yaml"), []byte(config), 0o644))
	files, requests := http.FileServer(http.Dir(dir)), make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.ServeHTTP(w, r)
		if r.URL.Path == "/user.yaml" {
			requests <- struct{}{}
		}
	}))
	t.Cleanup(server.Close)
	// The VM's gateway is the host.
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	cmdline := string(kernel[2]) + " config_url=${cwduri}/user.yaml"
	return qemu.Options{
		Kernel: filepath.Join(dir, string(kernel[1])), Initrd: filepath.Join(dir, diskName+"-initrd"),
		Append: strings.ReplaceAll(cmdline, "${cwduri}", "http://10.0.2.2:"+port), MemoryMiB: 4096, CPUs: 1,
	}, requests
}

// TestDiskTooSmall checks that the error has the place in the spec, and comes before the system is
// packed.
func TestDiskTooSmall(t *testing.T) {
	t.Parallel()
	o := options(t, map[string]string{"kairos.spec": debianSpec + "artifacts: {disk: {layout: full, size: 3GiB}}\n"})
	o.Target = "img"
	r := watch(&o)
	_, err := solve.Build(t.Context(), embedded(t), o)
	require.Error(t, err)
	assert.Contains(t, r.log.String(), "the disk is too small: ")
	assert.Contains(t, r.log.String(), "artifacts.disk.size is 3072 MiB")
	assert.NotContains(t, r.ran(), "[disk] make a filesystem image of the system")
	sources := errdefs.Sources(err)
	require.NotEmpty(t, sources, "the error points at the spec")
	assert.EqualValues(t, 4, sources[0].Ranges[0].Start.Line)
}

// checkPartitions checks the partitions of a disk.
func checkPartitions(t *testing.T, img string, names ...string) {
	t.Helper()
	table := ask(t, "", "sfdisk", "--dump", img)
	ask(t, "", "sfdisk", "--verify", img)
	found := regexp.MustCompile(`start= *(\d+), size= *(\d+),.*name="(\w+)"`).FindAllStringSubmatch(table, -1)
	var got []string
	for _, m := range found {
		got = append(got, m[3])
		sector, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		offset := strconv.Itoa(sector * 512)
		switch m[3] {
		case "bios":
		case "efi":
			assert.Regexp(t, `::/EFI/BOOT/boot(x64|aa64)\.efi`, ask(t, "", "mdir", "-b", "-/", "-i", img+"@@"+offset, "::"))
		default:
			fs := img + "?offset=" + offset
			ask(t, "", "e2fsck", "-fn", fs)
			assert.Contains(t, ask(t, "", "dumpe2fs", "-h", fs), "COS_"+strings.ToUpper(m[3]))
		}
	}
	assert.Equal(t, names, got)
}

// installed checks an installed system (contract 1.14, 1.20).
func installed(t *testing.T, c console, grown bool) {
	t.Helper()
	c.run("test -e /run/cos/active_mode")
	assert.Contains(t, c.run("cat /proc/cmdline"), "root=LABEL=COS_ACTIVE cos-img/filename=/cOS/active.img")
	state := c.run("kairos-agent state")
	assert.Contains(t, state, "boot: active_boot")
	for at, label := range map[string]string{"/oem": "COS_OEM", "/usr/local": "COS_PERSISTENT", "/run/initramfs/cos-state": "COS_STATE"} {
		assert.Equal(t, label, c.run("findmnt -nro LABEL "+at), at)
	}
	c.run("ls /run/initramfs/cos-state/cOS/passive.img")
	c.run("ls /dev/disk/by-label/COS_RECOVERY")
	c.run("findmnt /var/lib/rancher && findmnt /etc/ssh")
	c.run("grep '^InitiatorName=iqn[.]' /etc/iscsi/initiatorname.iscsi && systemctl is-active iscsid")
	if grown {
		size, err := strconv.Atoi(c.run("findmnt -nbro SIZE /usr/local"))
		require.NoError(t, err)
		assert.Greater(t, size, 2<<30, "the persistent partition has grown")
	}
	failed := c.run("systemctl list-units --failed --plain --no-legend")
	assert.Empty(t, failed, "units failed: %s", failed)
}
