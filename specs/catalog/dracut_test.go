package catalog_test

import (
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// drivers are the requirements that are about what media and disks are behind.
var drivers = []string{"pc", "rpi", "virtual"}

// TestDriversByName has dracut asked by name for each driver that media and disks need, one at a
// time: which it finds by itself depends on its release and on that of the kernel.
func TestDriversByName(t *testing.T) {
	out, err := exec.Command("bash", "-euc", `
		instmods() { echo "$*"; }
		. overlay/dracut/usr/lib/dracut/modules.d/28immucore/module-setup.sh
		installkernel
	`).CombinedOutput()
	require.NoError(t, err, string(out))
	asked := strings.Split(strings.ReplaceAll(string(out), "-", "_"), "\n")
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	for _, name := range drivers {
		needs := cat.Requirements[name].Needs[catalog.NeedInitramfsModules]
		require.NotEmpty(t, needs, name)
		for _, module := range catalog.Names(needs) {
			for _, name := range append([]string{module}, needs[module].Or...) {
				assert.Contains(t, asked, name)
			}
		}
	}
}

// TestCompression has the same level for a dracut that runs the command and for one that takes only
// its name, and would use 15.
func TestCompression(t *testing.T) {
	out, err := exec.Command("bash", "-euc", `. overlay/dracut/etc/dracut.conf.d/99-immucore.conf; echo "$compress; $compress_level_zstd"`).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "zstd -9 -q -T0; 9\n", string(out))
}

// TestMkinitfs has each program looked for in /usr as well, where a distribution with merged
// directories has it, and none of the drivers of graphics, whose firmware is larger than all else.
func TestMkinitfs(t *testing.T) {
	text, err := os.ReadFile("overlay/mkinitfs/etc/mkinitfs/features.d/immucore.files")
	require.NoError(t, err)
	files := strings.Fields(string(text))
	for _, file := range files {
		if dir := path.Dir(file); dir == "/bin" || dir == "/sbin" {
			assert.Contains(t, files, "/usr"+file)
		}
	}
	for _, command := range []string{"tune2fs", "resize2fs", "multipath"} {
		assert.True(t, slices.ContainsFunc(files, func(f string) bool { return path.Base(f) == command }), command)
	}
	config, err := exec.Command("sh", "-euc", ". ./overlay/mkinitfs/etc/mkinitfs/mkinitfs.conf; echo $features").Output()
	require.NoError(t, err)
	assert.NotContains(t, strings.Fields(string(config)), "kms")
}

// TestNetworkOfInitramfs has dracut leave the network out, though its tools are in the stage,
// unless the configuration for it is there.
func TestNetworkOfInitramfs(t *testing.T) {
	dir := t.TempDir()
	read := func() (add, omit []string) {
		out, err := exec.Command("bash", "-euc", `
			add_dracutmodules= omit_dracutmodules=
			for conf in "$1"/*.conf; do . "$conf"; done
			echo "$add_dracutmodules"; echo "$omit_dracutmodules"
		`, "bash", dir).CombinedOutput()
		require.NoError(t, err, string(out))
		lines := strings.Split(string(out), "\n")
		return strings.Fields(lines[0]), strings.Fields(lines[1])
	}
	put := func(overlay, name string) {
		text, err := os.ReadFile(path.Join("overlay", overlay, "etc/dracut.conf.d", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path.Join(dir, name), text, 0o644))
	}
	modules := []string{"network", "livenet"}

	put("dracut", "99-immucore.conf")
	add, omit := read()
	assert.Subset(t, omit, modules)
	assert.Contains(t, add, "immucore")
	assert.NotContains(t, add, "network")

	put("dracut-network", "99-network.conf")
	add, omit = read()
	assert.Subset(t, add, modules)
	for _, name := range modules {
		assert.NotContains(t, omit, name)
	}
}
