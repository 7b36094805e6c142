package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/matrix"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// liveAssertions hold on a live system of any family.
const liveAssertions = `  assertions:
    - file: /run/cos/live_mode
    - {run: kairos-agent state, matches: livecd_boot}
    - service: sshd
    - name: nothing failed
      run: |
        if command -v systemctl; then
          systemctl list-units --failed --plain --no-legend >/tmp/failed
        else
          rc-status --crashed >/tmp/failed || true
        fi
        cat /tmp/failed
        test -z "$(tr -d '[:space:]' </tmp/failed)"
`

// fixedAddress holds on a system with the first interface of docs/network.md.
const fixedAddress = `    - {run: ip -4 -o address show dev enp0s2, matches: 'inet 192[.]0[.]2[.]10/24'}
    - {run: ip -4 route show default, matches: 'via 192[.]0[.]2[.]1 '}
    - {run: grep . /etc/resolv.conf /run/systemd/resolve/resolv.conf, matches: 'nameserver 192[.]0[.]2[.]53'}
`

// bonded holds on a system with the bond of docs/network.md, whose port is made up: what is tested
// is the configuration, not a cable.
const bonded = `    - name: the bond has its port
      run: |
        ip link show dev enp2s0 || ip link add enp2s0 type dummy
        cat /proc/net/bonding/bond0
      matches: 'Slave Interface: enp2s0'
    - {run: cat /sys/class/net/bond0/bonding/mode, matches: active-backup}
`

// TestFamilies builds one system each with zypper, dnf and apk, on local substitutes of the images
// (hack/standins.sh), and boots them in the build: two with a network from docs/network.md.
func TestFamilies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flavor, id, firmware, network, assertions string }{
		{"alpine", "alpine", "efi", "connman", fixedAddress},
		{"opensuse", "opensuse-leap", "bios", "systemd-networkd", fixedAddress + bonded},
		{"fedora", "fedora", "efi", "", "    - {run: ip -4 -o address show scope global, matches: 'inet 10[.]0[.]2[.]'}\n"},
	} {
		t.Run(tt.flavor, func(t *testing.T) {
			entries := nativeEntries(t)
			at := slices.IndexFunc(entries, func(c matrix.Entry) bool { return strings.HasPrefix(c.Name, "core-"+tt.flavor+"-") })
			require.GreaterOrEqual(t, at, 0)
			spec := "extends: " + tt.flavor + "\nversion: v1.0.0\n"
			files := map[string]string{}
			if tt.network != "" {
				spec += "cloudConfig: network.yaml\n"
				files["network.yaml"] = networkExample(t, tt.network)
			}
			files["kairos.spec"] = spec + "test:\n  firmware: " + tt.firmware + "\n" + liveAssertions + "    - {file: /etc/os-release, matches: '^ID=\"?" + tt.id + "'}\n" + tt.assertions
			o := options(t, files)
			o.Contexts, o.Target = standIns(t, entries[at]), "test"
			watch(&o)
			began := time.Now()
			report, err := os.ReadFile(glob(t, build(t, embedded(t), o), "*.test.txt"))
			require.NoError(t, err)
			t.Logf("built and booted in %s:\n%s", time.Since(began).Round(time.Second), report)
		})
	}
}

// networkExample is the first cloud-config below a heading of docs/network.md, for the interface of a
// VM.
func networkExample(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(testkit.RepoRoot(t), "docs", "network.md"))
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)\n## " + heading + "\n.*?```yaml\n(#cloud-config\n.*?)```\n").FindSubmatch(page)
	require.NotNil(t, found, "docs/network.md has an example for %s", heading)
	return strings.ReplaceAll(string(found[1]), "enp1s0", "enp0s2")
}
