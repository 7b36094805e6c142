package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/qemu"
)

const kubernetesExtensionSpec = `# syntax=ghcr.io/flavorkit/frontend:1
extends: debian-13
version: v1.0.0
variant: standard
kubernetes: {version: v1.36.4+k3s1, as: extension}
`

// kubernetesImage is the name by which machines know the extension of the spec.
const kubernetesImage = "k3s-v1.36.4-k3s1"

// runningUnit has k3s, which is a substitute, do nothing for long, as the provider changes its command.
const runningUnit = `mkdir -p /etc/systemd/system/k3s.service.d
printf '[Service]\nType=exec\nExecStart=\nExecStart=/usr/bin/sleep infinity\n' >/etc/systemd/system/k3s.service.d/override.conf
systemctl daemon-reload
systemctl enable k3s`

// TestKubernetesExtension has Kubernetes in an extension of its own. The installer puts that of its
// medium on the machine, where the active and the passive system merge it and start what is enabled.
func TestKubernetesExtension(t *testing.T) {
	t.Parallel()
	sysext := options(t, map[string]string{"kairos.spec": kubernetesExtensionSpec})
	sysext.Contexts, sysext.Target = standardContexts(t), "sysext"
	watch(&sysext)
	root := dissect(t, glob(t, build(t, embedded(t), sysext), kubernetesImage+".sysext.raw"))[0].data
	for _, want := range []string{
		"ID=_any\nARCHITECTURE=x86-64\nEXTENSION_RELOAD_MANAGER=1\n",
		"[Unit]\nUpholds=kairos-enabled@edgevpn@.service kairos-enabled@k3s-agent.service kairos-enabled@k3s.service\n",
		"ExecStart=/usr/bin/k3s server\n", "ExecStart=/usr/bin/k3s agent\n", "agent-provider-kairos", "kubectl", "edgevpn",
	} {
		assert.Contains(t, string(root), want)
	}

	medium := options(t, map[string]string{"kairos.spec": kubernetesExtensionSpec})
	medium.Contexts, medium.Target = standardContexts(t), "iso"
	medium.Contexts["cloud-config"] = writeFiles(t, map[string]string{"config.yaml": installConfig})
	watch(&medium)
	c := console{t, start(t, qemu.Options{
		ISO: glob(t, build(t, embedded(t), medium), "*.iso"), Firmware: qemu.BIOS, CPUs: 1, DiskFirst: true, Disks: []qemu.Disk{{SizeMiB: 12 << 10}},
	})}
	c.expect(prompt("COS_ACTIVE"), 4*time.Minute)
	installed(t, c, true)
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VARIANT="core"`)
	c.hasKubernetes()
	c.run("kairos-agent sysext list --active | grep " + kubernetesImage)
	c.run("kairos-agent sysext list --passive | grep " + kubernetesImage)

	c.run(runningUnit)
	c.run("grub2-editenv /oem/grubenv set next_entry=fallback")
	c.reboot()
	c.expect(prompt("COS_PASSIVE"), 2*time.Minute)
	c.run("test -e /run/cos/passive_mode")
	c.hasKubernetes()
	c.run("for i in $(seq 25); do ! systemctl -q is-active k3s || exit 0; sleep 1; done; systemctl status k3s kairos-enabled@k3s; exit 1")
	c.run("! systemctl -q is-active k3s-agent")

	c.run("kairos-agent sysext disable --active " + kubernetesImage)
	c.reboot()
	c.expect(prompt("COS_ACTIVE"), 2*time.Minute)
	c.run("test ! -e /usr/bin/k3s && test ! -e /usr/bin/agent-provider-kairos")
	c.run("kairos-agent sysext list --passive | grep " + kubernetesImage)
}

// hasKubernetes checks what the extension has, and that it is not in the system below.
func (c console) hasKubernetes() {
	c.t.Helper()
	require.Contains(c.t, c.run("k3s --version"), "k3s version ")
	for _, command := range []string{"kubectl", "crictl", "ctr", "edgevpn", "agent-provider-kairos", "kairos"} {
		c.run("command -v " + command)
	}
	c.run("systemctl cat k3s.service k3s-agent.service edgevpn@.service >/dev/null")
	c.run("test -e /usr/lib/extension-release.d/extension-release." + kubernetesImage)
	c.run("test ! -e /system/providers/agent-provider-kairos")
}
