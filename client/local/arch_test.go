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

// loong64 is an architecture that the built-in catalog does not have.
const loong64 = `name: loong64
title: 64-bit LoongArch
machine: loongarch64
deb: loong64
efi: loongarch64
consoles: [ttyS0]
emulator:
  program: qemu-system-loongarch64
  machine: virt
  versioned: virt-0
  cpu: max
  devices: [virtio-scsi-pci]
  cdrom: scsi-cd
  firmware:
    title: EDK II
    efi:
      - {code: /usr/share/qemu-efi-loongarch64/QEMU_EFI.fd, variables: /usr/share/qemu-efi-loongarch64/QEMU_VARS.fd}
  from: debian-13
  packages:
    debian: {qemu: qemu-system-loongarch, firmware: qemu-efi-loongarch64}
`

// later is Debian 13 as if it had that architecture, without signed programs.
const later = `name: debian-13
like: debian-13
architectures: [amd64, loong64]
groups:
  - name: boot-loong64
    why: GRUB for EFI
    arch: [loong64]
    packages:
      grub-efi-loong64-bin: modules that the agent copies
kernel:
  packages:
    loong64: [linux-image-loong64]
loaders:
  loong64:
    grub: /usr/lib/grub/loongarch64-efi/monolithic/grubloongarch64.efi
`

// TestNewArchitecture adds an architecture with one file, and what a distribution has for it.
func TestNewArchitecture(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	write("catalog/archs/loong64.yaml", loong64)
	write("catalog/distros/debian-13.yaml", later)
	write("kairos.spec", "extends: debian-13\nversion: v1.0.0\ntest: {assertions: [{service: ssh}]}\n")
	contexts := map[string]string{"catalog": filepath.Join(dir, "catalog")}
	cat, err := local.Catalog(t.Context(), local.Options{Contexts: contexts})
	require.NoError(t, err)
	o := local.Options{File: filepath.Join(dir, "kairos.spec"), Arch: "loong64", Context: dir, Contexts: contexts, Catalog: cat}
	p, err := local.Plan(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, "kairos-debian-13-core-loong64-generic-v1.0.0", p.File)
	assert.Contains(t, p.Userland.Packages, plan.Package{Name: "grub-efi-loong64-bin"})
	assert.NotContains(t, p.Userland.Packages, plan.Package{Name: "grub-pc-bin"})
	assert.Equal(t, "linux-image-loong64", p.Kernel.Packages[0].Name)
	assert.Equal(t, []plan.Package{{Name: "qemu-efi-loongarch64"}, {Name: "qemu-system-loongarch"}, {Name: "xorriso"}}, p.Test.Tools.Packages)
	assert.True(t, p.ISO.Tools.Native, "no tool is made for the architecture")
	assert.False(t, p.ISO.BIOS)

	_, err = frontend.Generate(t.Context(), local.Graph(p, cat, contexts), p, "image")
	require.Error(t, err)
	assert.Regexp(t, `kairos-agent is not published for loong64; pass it with --build-context kairos-agent=…, or name its source in components$|`+
		`immucore is not published for loong64; `, err.Error())
	for _, name := range []string{"kairos-agent", "immucore"} {
		write(name+"/"+name, "a program")
		contexts[name] = filepath.Join(dir, name)
	}
	for _, target := range []string{"image", "iso", "img", "netboot", "test"} {
		g := local.Graph(p, cat, contexts)
		state, err := frontend.Generate(t.Context(), g, p, target)
		require.NoError(t, err, target)
		def, err := state.Marshal(t.Context(), llb.Platform(g.Target))
		require.NoError(t, err, target)
		text, err := graphtext.Of(def)
		require.NoError(t, err, target)
		assert.Contains(t, text.String(), "  on linux/loong64\n", target)
		assert.Contains(t, text.String(), "copy immucore from the named context immucore", target)
		switch target {
		case "iso", "img":
			assert.Contains(t, text.String(), "/bootloongarch64.efi", target)
			assert.NotContains(t, text.String(), "boot code", target)
		case "test":
			assert.Contains(t, text.String(), " qemu-system-loongarch64 ")
			assert.Contains(t, text.String(), " scsi-cd,drive=iso,")
		}
	}

	machine := qemu.Options{Arch: *cat.Archs["loong64"], ISO: "a.iso"}
	require.NoError(t, machine.Check())
	machine.Firmware = qemu.BIOS
	require.EqualError(t, machine.Check(), "loong64 has no BIOS, use uefi")

	o.Arch = "long64"
	_, err = local.Plan(t.Context(), o)
	require.EqualError(t, err, `kairos.spec:1:10: unknown architecture "long64"; did you mean "loong64"? valid: amd64, arm64, loong64, riscv64`)
	write("kairos.spec", "extends: debian-12\nversion: v1.0.0\n")
	o.Arch = "loong64"
	_, err = local.Plan(t.Context(), o)
	require.EqualError(t, err, `kairos.spec:1:10: distro.name: Debian 12 (bookworm) has no loong64; it has amd64, arm64`)
}
