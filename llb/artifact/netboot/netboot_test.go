package netboot

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/scripttest"
)

func TestNetboot(t *testing.T) {
	b := scripttest.New(t)
	b.Write("in/squashfs/rootfs.squashfs", "system")
	b.Write("in/kernel/vmlinuz-1", "kernel")
	require.NoError(t, os.Symlink("vmlinuz-1", b.Path("in/kernel/vmlinuz")))
	b.Write("in/initramfs/initrd", "initramfs")
	b.Mkdir("out")
	b.Run(netbootScript(), []string{"FLAVORKIT_CMDLINE=ip=dhcp netboot"}, "in", "out", "name")
	assert.Equal(t, "kernel", b.Read("out/name-kernel"))
	assert.Equal(t, "initramfs", b.Read("out/name-initrd"))
	assert.Equal(t, "system", b.Read("out/name.squashfs"))
	script := b.Read("out/name.ipxe")
	assert.True(t, strings.HasPrefix(script, "#!ipxe\n"))
	assert.Contains(t, script, "\nkernel name-kernel initrd=name-initrd root=live:${cwduri}/name.squashfs rd.live.squashimg=name.squashfs ip=dhcp netboot ${config}\n")
	b.Ask("sh", "-c", "cd out && sha256sum -c name.netboot.sha256")
}
