package qemu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/arch"
)

func TestResolve(t *testing.T) {
	pc, arm := known(t, "amd64"), known(t, "arm64")
	o, err := Options{
		Arch: pc, ISO: "a.iso", Disks: []Disk{{Path: "b.QCOW2"}, {SizeMiB: 1}}, Forwards: []Forward{{Host: 2222, Guest: 22}},
	}.resolve()
	require.NoError(t, err)
	require.Equal(t, Options{
		Arch: pc, Firmware: BIOS, Accel: Auto, MemoryMiB: 2048, CPUs: 2, ISO: "a.iso",
		Disks:   []Disk{{Path: "b.QCOW2", Format: "qcow2"}, {Format: "raw", SizeMiB: 1}},
		Network: true, Forwards: []Forward{{Host: 2222, Guest: 22}},
	}, o)

	o, err = Options{Arch: arm, ISO: "a.iso"}.resolve()
	require.NoError(t, err)
	require.Equal(t, UEFI, o.Firmware)

	o, err = Options{Arch: arm, Kernel: "vmlinuz"}.resolve()
	require.NoError(t, err)
	require.Equal(t, Firmware(""), o.Firmware)
}

func TestResolveRejects(t *testing.T) {
	for want, o := range map[string]Options{
		"nothing to boot":      {},
		`architecture "sparc"`: {Arch: arch.Arch{Name: "sparc"}, ISO: "a.iso"},
		`accelerator "hvf"`:    {Accel: "hvf", ISO: "a.iso"},
		`firmware "efi"`:       {Firmware: "efi", ISO: "a.iso"},
		"riscv64 has no firmware with Secure Boot, use uefi": {Arch: known(t, "riscv64"), Firmware: SecureBoot, ISO: "a.iso"},
		"arm64 has no BIOS":   {Arch: known(t, "arm64"), Firmware: BIOS, ISO: "a.iso"},
		"memory of -1 MiB":    {MemoryMiB: -1, ISO: "a.iso"},
		"-2 CPUs":             {CPUs: -2, ISO: "a.iso"},
		"size of -1024 MiB":   {Disks: []Disk{{SizeMiB: -1024}}},
		"needs a kernel":      {ISO: "a.iso", Append: "quiet"},
		"disk 1: has neither": {Disks: []Disk{{Path: "a"}, {}}},
		`format "vmdk"`:       {Disks: []Disk{{Path: "a", Format: "vmdk"}}},
		"cannot be both":      {Disks: []Disk{{Path: "a", Scratch: true, ReadOnly: true}}},
		"only a scratch disk": {Disks: []Disk{{Path: "a", SizeMiB: 10}}},
		"port forward 0 to 0": {ISO: "a.iso", Forwards: []Forward{{}}},
	} {
		if o.Arch.Name == "" {
			o.Arch = known(t, "amd64")
		}
		require.ErrorContains(t, o.Check(), want)
	}
}

func TestSlowdown(t *testing.T) {
	require.InDelta(t, 1, Options{}.slowdown(KVM), 0)
	require.InDelta(t, TCGSlowdown, Options{}.slowdown(TCG), 0)
	require.InDelta(t, 3, Options{Slowdown: 3}.slowdown(TCG), 0)
}
