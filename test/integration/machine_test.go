package integration

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/specs/matrix"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// installConfig makes a live medium install itself, unattended.
var installConfig = strings.Replace(machineConfig, "#cloud-config\n", `#cloud-config
install:
  auto: true
  device: /dev/vda
  reboot: true
`, 1)

// releases are images of a system, in a registry that VMs can reach.
type releases struct {
	registry *testkit.RegistryServer
	// good is newer than the installed release, and has one more package. broken does not boot.
	good, broken string
}

// publish builds and pushes the next release of a system of version v1.0.0, with more in its spec,
// and a broken one. compression is that of its layers: gzip or zstd.
func publish(t *testing.T, spec, more string, contexts map[string]string, compression string) releases {
	t.Helper()
	r := releases{registry: testkit.Registry(t)}
	o := options(t, map[string]string{"kairos.spec": strings.Replace(spec, "v1.0.0", "v1.1.0", 1) + "packages: {add: [tree]}\n" + more})
	o.Contexts = contexts
	watch(&o)
	layout := t.TempDir()
	archive := imageWith(t, embedded(t), o, compression)
	for _, l := range manifest(t, archive, arch).Layers {
		require.Equal(t, ocispecs.MediaTypeImageLayer+"+"+compression, l.MediaType)
	}
	ask(t, layout, "tar", "-xf", archive)
	r.good = r.registry.PushLayout(layout, "edge/debian:v1.1.0")

	good, err := name.ParseReference(r.good)
	require.NoError(t, err)
	img, err := remote.Image(good)
	require.NoError(t, err)
	// Not an initramfs: the kernel finds no root and panics.
	layer := file(t, "boot/initrd", []byte("this is no initramfs\n"))
	img, err = mutate.AppendLayers(img, layer)
	require.NoError(t, err)
	broken := good.Context().Tag("broken")
	require.NoError(t, remote.Write(broken, img))
	r.broken = broken.String()
	return r
}

// seen returns the name of an image for a VM, whose gateway is the host.
func (r releases) seen(ref string) string {
	_, port, _ := strings.Cut(r.registry.Addr(), ":")
	return "oci:" + strings.Replace(ref, r.registry.Addr(), "10.0.2.2:"+port, 1)
}

// file is a layer with one file.
func file(t *testing.T, path string, data []byte) v1.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(data))}))
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	require.NoError(t, err)
	return layer
}

// acmeSpec is the standard variant of the distribution in examples/private-distro/catalog.
const acmeSpec = `# syntax=ghcr.io/flavorkit/frontend:1
extends: acme
variant: standard
version: v1.0.0
`

// acmeContexts are what acmeSpec is built with.
func acmeContexts(t testing.TB) map[string]string {
	t.Helper()
	all := standardContexts(t)
	all["catalog"] = filepath.Join(testkit.RepoRoot(t), "examples", "private-distro", "catalog")
	return all
}

// TestMachine installs a VM with BIOS, which goes through an upgrade, a release that does not boot, the
// recovery system and a reset. It upgrades from the separate programs of Kairos to one program for
// all, from layers with zstd.
func TestMachine(t *testing.T) {
	t.Parallel()
	r := publish(t, debianSpec, "kairos: latest\n", with(t, contexts(t), "kairos"), "zstd")
	c := installation(t, qemu.BIOS, configOnDisk(t))
	c.run("test ! -d /sys/firmware/efi")
	c.core()
	c.liveOn(r)
}

// TestSecureBoot installs a VM that starts only what is signed, with a private distribution and the
// variant standard.
func TestSecureBoot(t *testing.T) {
	t.Parallel()
	c := installation(t, qemu.SecureBoot, configOnMedium(t))
	c.secure()
	c.acme()
}

// TestSecureRecovery upgrades the recovery system of a VM that starts only what is signed, from layers
// with gzip.
func TestSecureRecovery(t *testing.T) {
	t.Parallel()
	r := publish(t, debianSpec, "kairos: latest\n", with(t, contexts(t), "kairos"), "gzip")
	c := installation(t, qemu.SecureBoot, configOnDisk(t))
	c.secure()
	c.core()
	c.newRecovery(r)
}

// installation is a VM that a medium has installed, with its own system booted.
func installation(t *testing.T, firmware qemu.Firmware, o qemu.Options) console {
	t.Helper()
	o.Firmware, o.CPUs, o.DiskFirst = firmware, 1, true // an emulated machine keeps one core busy
	o.Disks = append([]qemu.Disk{{SizeMiB: 12 << 10}}, o.Disks...)
	c := console{t, start(t, o)}
	c.expect(prompt("COS_ACTIVE"), 4*time.Minute)
	installed(t, c, true)
	systemdUp(t, c)
	assert.Contains(t, c.run("id owner"), "(admin)")
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.0.0"`)
	c.run("test -f /oem/90_custom.yaml")
	return c
}

// acme checks a system of acmeSpec.
func (c console) acme() {
	c.t.Helper()
	standardUp(c.t, c)
	assert.Contains(c.t, c.run("cat /etc/kairos-release"), `KAIROS_NAME="kairos-standard-acme-1"`)
	assert.Contains(c.t, c.run("cat /etc/issue.d/02-acme.issue"), "Acme Linux 1", "a file of its overlay")
	c.run("echo '{}' | jq .") // a package of its group
}

// secure checks that Secure Boot is enforced.
func (c console) secure() {
	c.t.Helper()
	assert.Equal(c.t, "1", c.run("od -An -t u1 -j 4 -N 1 /sys/firmware/efi/efivars/SecureBoot-*|tr -d ' '"))
}

// core checks a system of debianSpec.
func (c console) core() {
	c.t.Helper()
	assert.Contains(c.t, c.run("cat /etc/kairos-release"), `KAIROS_NAME="kairos-core-debian-12"`)
}

// TestMachineByURL boots a VM over HTTP as the iPXE script does, and installs it with a
// cloud-config from the URL in the kernel arguments.
func TestMachineByURL(t *testing.T) {
	t.Parallel()
	disk := filepath.Join(t.TempDir(), "disk.img")
	require.NoError(t, os.WriteFile(disk, nil, 0o600))
	require.NoError(t, os.Truncate(disk, 12<<30))
	o, asked := netboot(t, netbootFiles(t), installConfig)
	o.Disks, o.NoReboot = []qemu.Disk{{Path: disk}}, true
	require.NoError(t, start(t, o).Wait(t.Context(), 4*time.Minute))
	assert.NotEmpty(t, asked, "the machine asked for the cloud-config")

	c := console{t, start(t, qemu.Options{Disks: o.Disks, CPUs: 1})}
	c.expect(prompt("COS_ACTIVE"), time.Minute)
	installed(t, c, true)
	assert.Contains(t, c.run("id owner"), "(admin)")
}

// TestMachineLent installs a system with the EFI programs of another distribution, which the agent
// must find. It has the one program of Kairos.
func TestMachineLent(t *testing.T) {
	t.Parallel()
	entries := nativeEntries(t)
	at := slices.IndexFunc(entries, func(c matrix.Entry) bool { return strings.HasPrefix(c.Name, "core-alpine-ubuntu-") })
	require.GreaterOrEqual(t, at, 0)
	o := options(t, map[string]string{"kairos.spec": "extends: alpine-ubuntu\nversion: v1.0.0\nkairos: latest\n"})
	o.Contexts, o.Target = with(t, standIns(t, entries[at]), "kairos"), "iso"
	// How terminals of OpenRC are told to give a root shell, as on a live medium.
	o.Contexts["cloud-config"] = writeFiles(t, map[string]string{"config.yaml": installConfig + `    - name: "Root shell, with OpenRC"
      commands: [mkdir -p /run/kairos, touch /run/kairos/autologin]
`})
	watch(&o)
	file := glob(t, build(t, embedded(t), o), "*.iso")
	c := console{t, start(t, qemu.Options{
		ISO: file, Firmware: qemu.UEFI, CPUs: 1, DiskFirst: true, Disks: []qemu.Disk{{SizeMiB: 12 << 10}},
	})}
	c.expect(prompt("COS_ACTIVE"), 4*time.Minute)
	c.run("test -e /run/cos/active_mode")
	assert.Contains(t, c.run("cat /etc/os-release"), `ID="alpine"`)
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_FLAVOR="alpine"`)
	assert.Contains(t, c.run("id owner"), "(admin)")
	assert.Contains(t, c.run("kairos-agent state"), "init: openrc")
	for _, service := range []string{"connman", "ntpd", "sshd", "syslog", "udev", "cos-setup-boot", "cos-setup-network"} {
		c.run("rc-service " + service + " status") // fails unless it runs
	}
	c.oneProgram()
	assert.Equal(t, "/run/connman/resolv.conf", strings.TrimSpace(c.run("readlink /etc/resolv.conf")))
	r, err := c.m.Run(t.Context(), "for i in $(seq 60); do ! grep -x 'nameserver 10.0.2.3' /etc/resolv.conf || exit 0; sleep 1; done; false", 2*time.Minute)
	require.NoError(t, err)
	require.Zero(t, r.ExitCode, r.Output)
	// The initramfs ran systemd, with an umask of 0.
	c.run("test ! -e /run/systemd")
	assert.Equal(t, "755", strings.TrimSpace(c.run("stat -c %a /run/sshd")))
}

// configOnMedium returns an ISO with the cloud-config on it.
func configOnMedium(t *testing.T) qemu.Options {
	t.Helper()
	o := options(t, map[string]string{"kairos.spec": acmeSpec + "artifacts: {iso: {label: MY_EDGE}}\n"})
	o.Contexts = acmeContexts(t)
	o.Contexts["cloud-config"] = writeFiles(t, map[string]string{"config.yaml": installConfig})
	o.Target = "iso"
	watch(&o)
	return qemu.Options{ISO: glob(t, build(t, embedded(t), o), "*.iso")}
}

// configOnDisk returns the usual ISO, and a second medium like those of clouds and hypervisors.
func configOnDisk(t *testing.T) qemu.Options {
	t.Helper()
	dir := writeFiles(t, map[string]string{"user-data": installConfig, "meta-data": "instance-id: test\n"})
	ask(t, dir, "xorriso", "-as", "mkisofs", "-quiet", "-V", "cidata", "-J", "-R", "-o", "cidata.iso", "user-data", "meta-data")
	return qemu.Options{ISO: iso(t), Disks: []qemu.Disk{{Path: filepath.Join(dir, "cidata.iso"), ReadOnly: true}}}
}

// liveOn takes an installed system through upgrades, recovery and reset.
func (c console) liveOn(r releases) {
	t := c.t
	c.run("! command -v tree")
	hostKey := c.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
	// The names that the acceptance tests of Kairos look for.
	c.run("grep -q bootfile_loc /run/initramfs/cos-state/grubcustom")
	c.run("grep -q boot_assessment_blk /run/initramfs/cos-state/grub_boot_assessment")
	for _, dir := range []string{"/home/owner", "/usr/local", "/oem", "/root", "/var"} {
		c.run("echo kept > " + dir + "/mine")
	}

	c.upgrade(r.seen(r.good))
	c.reboot()
	c.expect(prompt("COS_ACTIVE"), time.Minute)
	installed(t, c, true)
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.1.0"`)
	c.run("command -v tree")
	c.oneProgram()
	assert.Equal(t, hostKey, c.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"), "the machine is known by its key")
	for _, dir := range []string{"/home/owner", "/usr/local", "/oem", "/root"} {
		assert.Equal(t, "kept", c.run("cat "+dir+"/mine"))
	}
	c.run("test ! -e /var/mine") // in memory
	assert.Equal(t, "COS_PASSIVE", c.run("blkid -s LABEL -o value /run/initramfs/cos-state/cOS/passive.img"))
	assert.Contains(t, c.run("mount -o loop,ro /run/initramfs/cos-state/cOS/passive.img /mnt && cat /mnt/etc/kairos-release && umount /mnt"),
		`KAIROS_VERSION="v1.0.0"`, "what was active is passive")
	c.run("test ! -e /run/initramfs/cos-state/cOS/transition.img")
	assert.NotContains(t, c.run("grub2-editenv /run/initramfs/cos-state/boot_assessment list"), "=", "the new system has passed")

	c.upgrade(r.seen(r.broken))
	c.reboot()
	c.expect(commandLine+`COS_ACTIVE`, time.Minute)
	c.expect(`Kernel panic - not syncing`, time.Minute)
	c.expect(prompt("COS_PASSIVE[^\n]* upgrade_failure"), time.Minute)
	c.run("test -e /run/cos/passive_mode")
	assert.Contains(t, c.run("kairos-agent state"), "boot: passive_boot")
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.1.0"`, "the last that has booted")
	assert.Equal(t, "kept", c.run("cat /home/owner/mine"))

	c.run("grub2-editenv /oem/grubenv set next_entry=recovery")
	c.reboot()
	c.expect(prompt("COS_SYSTEM"), time.Minute)
	c.run("test -e /run/cos/recovery_mode")
	assert.Contains(t, c.run("kairos-agent state"), "boot: recovery_boot")
	assert.Equal(t, "cos-recovery", c.run("hostname"))
	assert.Equal(t, "kept", c.run("cat /oem/mine"))

	c.run("grub2-editenv /oem/grubenv set next_entry=statereset")
	c.reboot()
	c.expect(commandLine+`COS_SYSTEM[^\n]* kairos\.reset`, time.Minute)
	c.expect(prompt("COS_ACTIVE"), 4*time.Minute)
	installed(t, c, true)
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.0.0"`, "that of the recovery system")
	c.run("test ! -e /home/owner/mine && test ! -e /usr/local/mine && test ! -e /root/mine")
	assert.Equal(t, "kept", c.run("cat /oem/mine"))
	assert.NotEqual(t, hostKey, c.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"))
	assert.Contains(t, c.run("id owner"), "(admin)")
}

// newRecovery upgrades only the recovery system.
func (c console) newRecovery(r releases) {
	t := c.t
	c.upgrade(r.seen(r.good), "--recovery")
	c.run("grub2-editenv /oem/grubenv set next_entry=recovery")
	c.reboot()
	c.expect(prompt("COS_SYSTEM"), time.Minute)
	c.run("test -e /run/cos/recovery_mode")
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.1.0"`)
	c.oneProgram()

	c.reboot()
	c.expect(prompt("COS_ACTIVE"), time.Minute)
	installed(t, c, true)
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.0.0"`)
	assert.NotContains(t, c.run("grub2-editenv /run/initramfs/cos-state/boot_assessment list"), "=", "nothing is on probation")
}

// commandLine begins a pattern for the kernel command line. The kernel prints it as "Command line"
// and as "Kernel command line", and either will do: a busy serial console loses a character now and
// then.
const commandLine = `ommand line: [^\n]*`

// prompt returns a pattern for the root prompt of a system that was booted with this on its kernel
// command line.
func prompt(cmdline string) string {
	return `(?s)` + commandLine + cmdline + `.*?root@[^ \n]*:~# `
}

// expect waits until the console shows a pattern.
func (c console) expect(pattern string, limit time.Duration) {
	c.t.Helper()
	defer c.took("seeing " + pattern)()
	if _, err := c.m.Expect(c.t.Context(), regexp.MustCompile(pattern), limit); err != nil {
		for range 3 { // a loop shows, or that it stands still
			registers, err := c.m.Registers(c.t.Context())
			c.t.Logf("registers (%v):\n%s", err, registers)
			time.Sleep(time.Second)
		}
		c.t.Fatalf("%v\n\n%s", err, strings.ToValidUTF8(c.m.Text(), "?"))
	}
}

// took logs how long a step of a machine takes. The file of a test lane has it (.cache/lanes).
func (c console) took(what string) (done func()) {
	c.t.Helper()
	start := time.Now()
	return func() {
		c.t.Helper()
		c.t.Logf("%s took %s", what, time.Since(start).Round(time.Second))
	}
}

// upgrade installs an image next to the running system.
func (c console) upgrade(source string, flags ...string) {
	c.t.Helper()
	defer c.took("the upgrade to " + source)()
	command := strings.Join(append([]string{"kairos-agent upgrade --source", source}, flags...), " ")
	r, err := c.m.Run(c.t.Context(), command, 3*time.Minute)
	require.NoError(c.t, err)
	require.Zero(c.t, r.ExitCode, r.Output)
	assert.Contains(c.t, r.Output, "Upgrade completed")
}

// reboot starts a reboot and does not wait.
func (c console) reboot() {
	c.t.Helper()
	require.NoError(c.t, c.m.Send("reboot\n"))
}
