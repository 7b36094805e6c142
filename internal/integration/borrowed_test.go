package integration

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/vmtest"
)

// TestBorrowedKernel boots an OpenRC userland on the kernel of another release:
// systemd in the donor's initramfs hands over to OpenRC.
func TestBorrowedKernel(t *testing.T) {
	o := options(t, map[string]string{"kairos.spec": "extends: debian-12-openrc\nversion: v1.0.0\nkernel: debian-13\n"})
	o.Target = "iso"
	watch(&o)
	files, err := filepath.Glob(filepath.Join(build(t, embedded(t), o), "*.iso"))
	require.NoError(t, err)
	require.Len(t, files, 1)

	m := boot(t, vmtest.Options{ISO: files[0]})
	run := func(command string) string {
		t.Helper()
		r, err := m.Run(t.Context(), command, 15*time.Second)
		require.NoError(t, err)
		require.Zero(t, r.ExitCode, "%s: %s", command, r.Output)
		return r.Output
	}
	run("test -e /run/cos/live_mode")
	assert.Contains(t, run("uname -r"), "deb13")
	assert.Contains(t, run("cat /etc/kairos-release"), `KAIROS_FLAVOR_RELEASE="12"`)
	assert.Contains(t, run("rc-status --servicelist"), "started")
	for _, service := range []string{"ssh", "udev", "cos-setup-boot", "cos-setup-network"} {
		run("rc-service " + service + " status") // fails unless it runs
	}
	r, err := m.Run(t.Context(), "kairos-agent state", 30*time.Second)
	require.NoError(t, err)
	require.Zero(t, r.ExitCode, r.Output)
	assert.Contains(t, r.Output, "init: openrc")
}
