package local_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/plan"
)

// riscv64 is an architecture that the built-in catalog has not.
const riscv64 = `name: riscv64
title: 64-bit RISC-V
machine: riscv64
deb: riscv64
efi: riscv64
consoles: [ttyS0]
emulator:
  program: qemu-system-riscv64
  machine: virt
  versioned: virt-0
  cpu: max
  devices: [virtio-scsi-pci]
  cdrom: scsi-cd
  firmware:
    title: EDK II
    efi:
      - {code: /usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd, variables: /usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd}
  packages:
    debian: {qemu: qemu-system-misc, firmware: qemu-efi-riscv64}
`

// trixie is Debian 13 with what it has for that architecture: no signed programs.
const trixie = `name: debian-13
like: debian-13
architectures: [amd64, arm64, riscv64]
groups:
  - name: boot-riscv64
    why: GRUB for EFI
    arch: [riscv64]
    packages:
      grub-efi-riscv64-bin: modules that the agent copies
kernel:
  packages:
    riscv64: [linux-image-riscv64]
loaders:
  riscv64:
    grub: /usr/lib/grub/riscv64-efi/monolithic/grubriscv64.efi
`

// TestNewArchitecture adds an architecture by one file of a catalog, beside what
// a distribution has for it.
func TestNewArchitecture(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	write("catalog/archs/riscv64.yaml", riscv64)
	write("catalog/distros/debian-13.yaml", trixie)
	write("kairos.spec", "extends: debian-13\nversion: v1.0.0\ntest: {assertions: [{service: ssh}]}\n")
	contexts := map[string]string{"catalog": filepath.Join(dir, "catalog")}
	cat, err := local.Catalog(contexts)
	require.NoError(t, err)
	o := local.Options{File: filepath.Join(dir, "kairos.spec"), Arch: "riscv64", Context: dir, Contexts: contexts, Catalog: cat}
	p, err := local.Plan(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, "kairos-debian-13-core-riscv64-generic-v1.0.0", p.File)
	assert.Contains(t, p.Userland.Packages, plan.Package{Name: "grub-efi-riscv64-bin"})
	assert.NotContains(t, p.Userland.Packages, plan.Package{Name: "grub-pc-bin"})
	assert.Equal(t, "linux-image-riscv64", p.Kernel.Packages[0].Name)
	assert.Equal(t, []plan.Package{{Name: "qemu-efi-riscv64"}, {Name: "qemu-system-misc"}, {Name: "xorriso"}}, p.Test.Tools.Packages)
	assert.True(t, p.ISO.Tools.Native, "no tool is made for the architecture")
	assert.False(t, p.ISO.BIOS)

	for _, target := range []string{"image", "iso", "img", "netboot", "test"} {
		g := local.Graph(p, cat, contexts)
		state, err := frontend.Generate(t.Context(), g, p, target)
		require.NoError(t, err, target)
		def, err := state.Marshal(t.Context(), llb.Platform(g.Target))
		require.NoError(t, err, target)
		text, err := graphtext.Of(def)
		require.NoError(t, err, target)
		assert.Contains(t, text.String(), "  on linux/riscv64\n", target)
		assert.Contains(t, text.String(), "immucore-v0.20.4-linux-riscv64.tar.gz", target)
		switch target {
		case "iso", "img":
			assert.Contains(t, text.String(), "/bootriscv64.efi", target)
			assert.NotContains(t, text.String(), "boot code", target)
		case "test":
			assert.Contains(t, text.String(), " qemu-system-riscv64 ")
			assert.Contains(t, text.String(), " scsi-cd,drive=artifact")
		}
	}

	machine := qemu.Options{Arch: *cat.Archs["riscv64"], ISO: "a.iso"}
	require.NoError(t, machine.Check())
	machine.Firmware = qemu.BIOS
	require.EqualError(t, machine.Check(), "riscv64 has no BIOS, use uefi")

	o.Arch = "risc64"
	_, err = local.Plan(t.Context(), o)
	require.EqualError(t, err, `kairos.spec:1:10: unknown architecture "risc64"; did you mean "riscv64"? valid: amd64, arm64, riscv64`)
	write("kairos.spec", "extends: debian-12\nversion: v1.0.0\n")
	o.Arch = "riscv64"
	_, err = local.Plan(t.Context(), o)
	require.EqualError(t, err, `kairos.spec:1:10: distro.name: Debian 12 (bookworm) has no riscv64; it has amd64, arm64`)
}
