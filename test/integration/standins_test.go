package integration

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/reference"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestStandIns builds all cells of the matrix for amd64 in one solve, by specs that
// name the real images. Where a distribution is out of reach, a stand-in takes the
// place of its image (hack/standins.sh). No check refuses any of them.
func TestStandIns(t *testing.T) {
	c := embedded(t)
	contexts := standIns(t)
	maps.Copy(contexts, standardContexts(t))
	t.Run("build", func(t *testing.T) {
		all, err := matrix.Read(matrix.Builtin(), matrix.Options{FlavorVersion: "v1.0.0"})
		require.NoError(t, err)
		all, err = matrix.Selection{Archs: []string{arch}}.Of(all)
		require.NoError(t, err)
		o := options(t, nil)
		o.Frontend, o.Contexts = together(all).Build, contexts
		r := watch(&o)
		if _, err := solve.Build(t.Context(), c, o); err != nil {
			t.Fatalf("build: %+v\n%v", err, o.Log)
		}
		checked := 0
		for _, name := range r.ran() {
			if strings.HasSuffix(name, "compat] check that kernel, initramfs and userland fit") {
				checked++
			}
		}
		assert.Greater(t, checked, 20, "the kernel of each cell is checked, but for what other tests have built")
	})
	t.Run("boot alpine-ubuntu", func(t *testing.T) {
		o := options(t, map[string]string{"kairos.spec": "extends: alpine-ubuntu\nversion: v1.0.0\n"})
		o.Contexts, o.Target = contexts, "iso"
		watch(&o)
		files, err := filepath.Glob(filepath.Join(build(t, c, o), "*.iso"))
		require.NoError(t, err)
		require.Len(t, files, 1)

		m := boot(t, qemu.Options{ISO: files[0]})
		run := func(command string) string {
			t.Helper()
			r, err := m.Run(t.Context(), command, 15*time.Second)
			require.NoError(t, err)
			require.Zero(t, r.ExitCode, "%s: %s", command, r.Output)
			return r.Output
		}
		run("test -e /run/cos/live_mode")
		assert.Contains(t, run("cat /etc/os-release"), `ID="alpine"`)
		assert.Contains(t, run("cat /etc/kairos-release"), `KAIROS_FLAVOR="alpine"`)
		for _, service := range []string{"connman", "ntpd", "sshd", "syslog", "udev", "cos-setup-boot", "cos-setup-network"} {
			run("rc-service " + service + " status") // fails unless it runs
		}
		assert.Equal(t, "/run/connman/resolv.conf", strings.TrimSpace(run("readlink /etc/resolv.conf")))
		run("(for i in $(seq 60); do ! grep -x 'nameserver 10.0.2.3' /etc/resolv.conf || exit 0; sleep 1; done; exit 1)")
		// The initramfs ran systemd, with an umask of 0.
		run("test ! -e /run/systemd")
		assert.Equal(t, "755", strings.TrimSpace(run("stat -c %a /run/sshd")))
		r, err := m.Run(t.Context(), "kairos-agent state", 30*time.Second)
		require.NoError(t, err)
		require.Zero(t, r.ExitCode, r.Output)
		assert.Contains(t, r.Output, "init: openrc")
	})
}

// standIns are named contexts for the base images of all distributions of the
// catalog: a stand-in for each that hack/base.sh does not make.
func standIns(t testing.TB) map[string]string {
	t.Helper()
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	all := contexts(t)
	for _, name := range catalog.Names(cat.Distros) {
		ref, err := reference.ParseNormalizedNamed(cat.Distros[name].Base)
		require.NoError(t, err)
		if _, ok := all[reference.FamiliarString(ref)]; !ok {
			all[reference.FamiliarString(ref)] = "oci-layout://" + testkit.StandIn(t, name)
		}
	}
	return all
}
