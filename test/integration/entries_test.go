package integration

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// standardContexts are the programs of the standard variant. k3s and the provider are substitutes
// (hack/components/standin).
func standardContexts(t testing.TB) map[string]string {
	t.Helper()
	return with(t, contexts(t), "edgevpn", "k3s", "provider-kairos")
}

// with adds components to contexts.
func with(t testing.TB, contexts map[string]string, components ...string) map[string]string {
	t.Helper()
	for _, name := range components {
		contexts[name] = testkit.Component(t, name, arch)
	}
	return contexts
}

// console runs commands on the root prompt of a machine.
type console struct {
	t *testing.T
	m *qemu.Machine
}

// run returns the output of a command that must succeed.
func (c console) run(command string) string {
	c.t.Helper()
	output, code := c.try(command)
	require.Zero(c.t, code, "%s: %s", command, output)
	return output
}

// try returns the output of a command and its exit code.
func (c console) try(command string) (string, int) {
	c.t.Helper()
	r, err := c.m.Run(c.t.Context(), command, 30*time.Second)
	require.NoError(c.t, err)
	return r.Output, r.ExitCode
}

// TestStandardOpenRC boots the standard variant with OpenRC and the kernel of another distribution:
// systemd in the donor's initramfs starts OpenRC. TestMachine tests the standard variant with
// systemd.
func TestStandardOpenRC(t *testing.T) {
	t.Parallel()
	file := isoOf(t, "extends: debian-12-openrc\nvariant: standard\nversion: v1.0.0\nkernel: debian-13\nupgrade: {cache: true}\n")
	c := console{t, boot(t, qemu.Options{ISO: file, CPUs: 1})}
	live(t, c)
	openrcUp(t, c)
	standardUp(t, c)
	c.run("rc-service layer-cache status")
	assert.Contains(t, c.run("uname -r"), "deb13")
	assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_FLAVOR_RELEASE="12"`)
}

// systemdUp checks a system with systemd.
func systemdUp(t *testing.T, c console) {
	t.Helper()
	c.run("systemctl is-active ssh systemd-networkd systemd-resolved systemd-timesyncd cos-setup-boot cos-setup-network")
	failed := c.run("systemctl list-units --failed --plain --no-legend")
	assert.Empty(t, failed, "units failed")
	assert.Contains(t, c.run("kairos-agent state"), "init: systemd")
}

// openrcUp checks a live system with OpenRC.
func openrcUp(t *testing.T, c console) {
	t.Helper()
	assert.Contains(t, c.run("rc-status --servicelist"), "started")
	for _, service := range []string{"ssh", "udev", "cgroups", "chrony", "busybox-syslogd", "iscsid", "cos-setup-boot", "cos-setup-network"} {
		c.run("rc-service " + service + " status") // fails unless it runs
	}
	// The script of dhcpcd looks for its process in the wrong place.
	c.run("pgrep -x dhcpcd")
	assert.NotEmpty(t, c.run("ip -4 -o address show scope global"), "an address by DHCP")
	assert.Contains(t, c.run("cat /sys/fs/cgroup/cgroup.controllers"), "memory", "one tree of cgroups")
	crashed := c.run("rc-status --crashed || true")
	assert.Empty(t, strings.TrimSpace(crashed), "services crashed")
	assert.Contains(t, c.run("kairos-agent state"), "init: openrc")
}

// standardUp checks the versions of the programs of the standard variant. None of them runs until a
// cloud-config enables it.
func standardUp(t *testing.T, c console) {
	t.Helper()
	assert.Contains(t, c.run("k3s --version"), "v1.36.4+k3s1")
	assert.Contains(t, c.run("kubectl --version"), "k3s", "a link to k3s")
	assert.Contains(t, c.run("edgevpn --help"), "v0.35.3")
	c.run("test -x /system/providers/agent-provider-kairos")
	release := c.run("cat /etc/kairos-release")
	for _, line := range []string{`KAIROS_VARIANT="standard"`, `KAIROS_SOFTWARE_VERSION="v1.36.4+k3s1"`, `KAIROS_SOFTWARE_VERSION_PREFIX="k3s"`} {
		assert.Regexp(t, "(?m)^"+regexp.QuoteMeta(line), release)
	}
	switch _, code := c.try("command -v systemctl"); code {
	case 0:
		for _, unit := range []string{"k3s", "k3s-agent", "edgevpn@kairos"} {
			state, _ := c.try("systemctl is-enabled " + unit)
			assert.Equal(t, "disabled", state, unit)
			c.run("systemd-analyze verify " + unit + ".service")
		}
	default:
		for _, service := range []string{"k3s", "k3s-agent", "edgevpn"} {
			c.run("rc-service --exists " + service)
			assert.NotContains(t, c.run("rc-update show --all || rc-update show"), service)
		}
	}
	_, code := c.try("pgrep -x 'k3s|edgevpn'")
	assert.Equal(t, 1, code, "nothing runs")
}
