package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestForeign builds for amd64 and arm64 in one build, where the programs of
// one of them run through an emulator, and boots the medium of the other.
func TestForeign(t *testing.T) {
	const foreign = "arm64"
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	emulate(t, &o, foreign)
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
	c := console{t, boot(t, qemu.Options{Arch: known(t, foreign), ISO: files[0]})}
	c.run("test -e /run/cos/live_mode")
	assert.Equal(t, "aarch64", c.run("uname -m"))
	systemdUp(t, c)
}

// emulate adds what a build for another architecture needs, whose programs run
// through an emulator.
func emulate(t *testing.T, o *solve.Options, foreign string) {
	t.Helper()
	testkit.NeedForeign(t, foreign)
	testkit.Need(t, "qemu-system-aarch64", "run hack/deps.sh foreign")
	for _, name := range []string{"kairos-agent", "immucore"} {
		o.Contexts[name+"::linux/"+foreign] = testkit.Component(t, name, foreign)
	}
	o.Contexts["debian:12-slim::linux/"+foreign] = "oci-layout://" + testkit.Base(t, "debian-12", foreign)
}
