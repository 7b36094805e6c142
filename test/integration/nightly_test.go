package integration

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestNightlyUpgrade installs a machine with a flavor on its real base image and the real releases,
// and upgrades it to the next version. make nightly-entry runs it for one flavor of each family.
func TestNightlyUpgrade(t *testing.T) {
	flavor := os.Getenv("FLAVORKIT_NIGHTLY_FLAVOR")
	if flavor == "" {
		testkit.Missing(t, "FLAVORKIT_NIGHTLY_FLAVOR names no flavor")
	}
	spec := "extends: " + flavor + "\nversion: v1.0.0\n"
	r := publish(t, spec, "", nil, "gzip")
	o := options(t, map[string]string{"kairos.spec": spec})
	o.Target = "iso"
	// How terminals of OpenRC are told to give a root shell, as on a live medium.
	o.Contexts = map[string]string{"cloud-config": writeFiles(t, map[string]string{"config.yaml": installConfig + `    - name: "Root shell, with OpenRC"
      commands: [mkdir -p /run/kairos, touch /run/kairos/autologin]
`})}
	watch(&o)
	c := console{t, start(t, qemu.Options{
		ISO: glob(t, build(t, embedded(t), o), "*.iso"), Firmware: qemu.UEFI, CPUs: 1, DiskFirst: true, Disks: []qemu.Disk{{SizeMiB: 16 << 10}},
	})}
	c.expect(prompt("COS_ACTIVE"), 15*time.Minute)
	c.run("test -e /run/cos/active_mode")
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.0.0"`)
	c.upgrade(r.seen(r.good))
	c.reboot()
	c.expect(prompt("COS_ACTIVE"), 15*time.Minute)
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.1.0"`)
	assert.Contains(t, c.run("kairos-agent state"), "active_boot")
	assert.NotEmpty(t, strings.TrimSpace(c.run("command -v tree")), "a package of the new release")
}
