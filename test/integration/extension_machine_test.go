package integration

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/qemu"
)

// Images of extensions, by the names that machines know them by.
const (
	helloImage = "hello-v2"
	spareImage = "spare-v1"
)

// helloParts have a package, a service, and a file where extensions of Kairos have theirs.
const helloParts = `
extension:
  name: hello
  version: v2
  packages: [hello]
  services: [hello.service]
  files:
    - path: /usr/lib/systemd/system/hello.service
      content: |
        [Service]
        ExecStart=/usr/local/bin/greet
    - path: /usr/local/bin/greet
      mode: "0755"
      content: |
        #!/bin/sh
        hello >/run/hello
        exec sleep infinity
`

const spareParts = `
extension:
  name: spare
  version: v1
  files: [{path: /usr/share/spare, content: spare part}]
`

// trusting is a spec of a system that merges extensions with a signature for a certificate.
func trusting(certificate string) string {
	return "# syntax=ghcr.io/flavorkit/frontend:1\nextends: debian-13\nversion: v1.0.0\nfiles:\n  - path: /usr/lib/verity.d/extensions.crt\n    content: |\n" +
		indented(6, certificate)
}

// indented puts spaces before each line.
func indented(spaces int, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Repeat(" ", spaces) + line)
	}
	return b.String()
}

// sysextOf builds an extension on top of a system, signed if there is a key, and returns its image.
func sysextOf(t *testing.T, system, parts, key, certificate string) []byte {
	t.Helper()
	if key != "" {
		parts += "  certificate:\n    content: |\n" + indented(6, certificate)
	}
	o := options(t, map[string]string{"kairos.spec": system + parts})
	o.Target = "sysext"
	o.Secrets = secretsprovider.FromMap(map[string][]byte{"sysext.key": []byte(key)})
	watch(&o)
	image, err := os.ReadFile(glob(t, build(t, embedded(t), o), "*.raw"))
	require.NoError(t, err)
	return image
}

// extensionImages are those of spareParts, by how they came about, and that of helloParts.
func extensionImages(t *testing.T, system, key, certificate string) map[string][]byte {
	t.Helper()
	otherKey, otherCertificate := signer(t)
	images := map[string][]byte{
		"signed/" + helloImage:   sysextOf(t, system, helloParts, key, certificate),
		"signed/" + spareImage:   sysextOf(t, system, spareParts, key, certificate),
		"forged/" + spareImage:   sysextOf(t, system, spareParts, otherKey, otherCertificate),
		"unsigned/" + spareImage: sysextOf(t, system, spareParts, "", ""),
	}
	// Only verity notices.
	signed := images["signed/"+spareImage]
	require.Equal(t, 1, bytes.Count(signed, []byte("spare part")))
	images["corrupted/"+spareImage] = bytes.Replace(signed, []byte("spare part"), []byte("wrong part"), 1)
	return images
}

// TestExtensionMachine follows a machine with extensions: from their installation over an upgrade of
// the system to the passive system, which has its own list. Images that are corrupted, that others
// have signed, or nobody, are refused and keep no other out. A system that trusts nobody in
// particular merges all but the corrupted.
func TestExtensionMachine(t *testing.T) {
	t.Parallel()
	key, certificate := signer(t)
	system := trusting(certificate)
	r := publish(t, system, "", contexts(t), "gzip")
	o := options(t, map[string]string{
		"kairos.spec": system + "artifacts: {disk: {layout: full, firmware: bios, compression: none, cloudConfig: disk.yaml}}\n",
		"disk.yaml":   machineConfig,
	})
	o.Target = "img"
	watch(&o)
	disk := glob(t, build(t, embedded(t), o), "*.img")
	extendMachine(t, disk, extensionImages(t, system, key, certificate), r)
}

// extendMachine boots a disk and follows the machine.
func extendMachine(t *testing.T, disk string, images map[string][]byte, r releases) {
	t.Helper()
	files := map[string]string{}
	for name, image := range images {
		files[name+".sysext.raw"] = string(image)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(writeFiles(t, files))))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	c := extended{console{t, start(t, qemu.Options{
		Firmware: qemu.BIOS, CPUs: 1, Disks: []qemu.Disk{{Path: disk, Scratch: true, SizeMiB: 10 << 10}},
	})}, "http://10.0.2.2:" + port + "/"} // the VM's gateway is the host

	c.expect(prompt("COS_ACTIVE"), 2*time.Minute)
	installed(t, c.console, true)
	c.run("systemctl start network-online.target")
	c.install("signed/" + helloImage)
	assert.Contains(t, c.sysext("list"), helloImage)
	c.sysext("enable --common --now " + helloImage)
	assert.Contains(t, c.sysext("list --common"), helloImage)
	c.greets()
	for _, kind := range []string{"corrupted/", "forged/", "unsigned/"} {
		c.refuses(kind + spareImage)
	}
	c.install("signed/" + spareImage)
	c.sysext("enable --active --now " + spareImage)
	c.hasSpare(true)

	c.upgrade(r.seen(r.good))
	c.reboot()
	c.expect(prompt("COS_ACTIVE"), 2*time.Minute)
	installed(t, c.console, true) // and no unit has failed
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.1.0"`)
	c.greets()
	c.hasSpare(true)

	c.run("grub2-editenv /oem/grubenv set next_entry=fallback")
	c.reboot()
	c.inPassive()
}

// extended is a machine with extensions, which it gets from a URL.
type extended struct {
	console
	from string
}

func (c extended) sysext(command string) string {
	c.t.Helper()
	return c.run("kairos-agent sysext " + command)
}

func (c extended) install(image string) {
	c.t.Helper()
	c.sysext("install " + c.from + image + ".sysext.raw")
}

// greets waits for the service of the extension.
func (c extended) greets() {
	c.t.Helper()
	c.run(`for i in $(seq 60); do
  systemctl -q is-active hello && grep -qx 'Hello, world!' /run/hello && exit 0
  sleep 1
done
systemctl status hello systemd-sysext; exit 1`)
}

// hasSpare checks whether the other extension is merged.
func (c extended) hasSpare(merged bool) {
	c.t.Helper()
	if merged {
		assert.Equal(c.t, "spare part", c.run("cat /usr/share/spare"))
	} else {
		c.run("test ! -e /usr/share/spare")
	}
}

// refuses installs an image that is not merged, and removes it.
func (c extended) refuses(image string) {
	c.t.Helper()
	c.install(image)
	name := filepath.Base(image)
	output, code := c.try("kairos-agent sysext enable --common --now " + name)
	assert.NotZero(c.t, code, "%s: %s", image, output)
	c.hasSpare(false)
	assert.Contains(c.t, c.run("systemctl status systemd-sysext || true"), "refuses "+name+".sysext.raw", image)
	if strings.Contains(c.run("kairos-agent sysext list"), helloImage) {
		c.greets()
	}
	c.sysext("remove " + name)
	c.run("systemctl restart systemd-sysext")
}

// inPassive checks the passive system, which has a list of its own.
func (c extended) inPassive() {
	c.t.Helper()
	c.expect(prompt("COS_PASSIVE"), 2*time.Minute)
	c.run("test -e /run/cos/passive_mode")
	c.greets()
	c.hasSpare(false)
	assert.NotContains(c.t, c.sysext("list --passive"), spareImage)
	c.sysext("enable --passive --now " + spareImage)
	c.hasSpare(true)
	c.sysext("disable --passive --now " + spareImage)
	c.hasSpare(false)
	c.greets()
	c.sysext("remove --now " + helloImage)
	c.run("! command -v hello && ! command -v greet && touch /usr/local/bin/mine")
	assert.NotContains(c.t, c.sysext("list"), helloImage)
	assert.NotContains(c.t, c.sysext("list --common"), helloImage)

	c.run("mount -t tmpfs none /usr/lib/verity.d")
	c.refuses("corrupted/" + spareImage)
	for _, kind := range []string{"unsigned/", "forged/"} {
		c.install(kind + spareImage)
		c.sysext("enable --common --now " + spareImage)
		c.hasSpare(true)
		c.sysext("remove --now " + spareImage)
		c.hasSpare(false)
	}
}
