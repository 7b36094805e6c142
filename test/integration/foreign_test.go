package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestForeign builds for amd64 and arm64 in one build, one of them through an emulator, and boots
// that ISO.
func TestForeign(t *testing.T) {
	const foreign = "arm64"
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	emulate(t, &o, "debian-12", foreign)
	o.Platforms = []string{"linux/" + arch, "linux/" + foreign}
	r := watch(&o)
	archive := image(t, embedded(t), o)
	manifest(t, archive, arch)
	manifest(t, archive, foreign)
	assert.Contains(t, strings.Join(r.ran(), "\n"), "[linux/arm64 debian-12/kernel] install linux-image-arm64 ")

	o.Target, o.Platforms = "iso", []string{"linux/" + foreign}
	watch(&o)
	files, err := filepath.Glob(filepath.Join(build(t, embedded(t), o), "*-arm64-*.iso"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	testkit.Need(t, "qemu-system-aarch64", "run hack/deps.sh foreign")
	c := console{t, boot(t, qemu.Options{Arch: known(t, foreign), ISO: files[0]})}
	c.run("test -e /run/cos/live_mode")
	assert.Equal(t, "aarch64", c.run("uname -m"))
	systemdUp(t, c)
}

// TestForeignRISCV builds Debian 13 for riscv64 through an emulator, and boots the ISO in the build: a
// VM for it needs QEMU and firmware of Debian 13.
func TestForeignRISCV(t *testing.T) {
	o := options(t, map[string]string{"kairos.spec": `extends: debian-13
version: v1.0.0
test:
  timeout: 90m
  assertions:
    - {run: uname -m, matches: ^riscv64$}
    - {file: /run/cos/live_mode}
    - run: test -z "$(systemctl list-units --failed --plain --no-legend)"
    - {service: ssh}
`})
	emulate(t, &o, "debian-13", "riscv64")
	o.Target, o.Platforms = "test", []string{"linux/riscv64"}
	r := watch(&o)
	dir := build(t, embedded(t), o)
	ran := strings.Join(r.ran(), "\n")
	assert.Contains(t, ran, "[linux/riscv64 debian-13/kernel] install linux-image-riscv64 ")
	assert.Contains(t, ran, "-riscv64-generic-v1.0.0.iso and run the assertions")
	reports, err := filepath.Glob(filepath.Join(dir, "*-riscv64-*.test.txt"))
	require.NoError(t, err)
	require.Len(t, reports, 1)
	report, err := os.ReadFile(reports[0])
	require.NoError(t, err)
	assert.Equal(t, 4, strings.Count(string(report), "passed: "), "%s", report)
}

// emulate adds what a build for another architecture needs, on a Debian release.
func emulate(t *testing.T, o *solve.Options, release, foreign string) {
	t.Helper()
	testkit.NeedForeign(t, foreign)
	for _, name := range []string{"kairos-agent", "immucore"} {
		o.Contexts[name+"::linux/"+foreign] = testkit.Component(t, name, foreign)
	}
	image := strings.Replace(release, "-", ":", 1) + "-slim"
	o.Contexts[image+"::linux/"+foreign] = "oci-layout://" + testkit.Base(t, release, foreign)
}
