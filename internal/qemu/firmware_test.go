package qemu

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/arch"
)

func TestPickFirmware(t *testing.T) {
	files, user, system := t.TempDir(), t.TempDir(), t.TempDir()
	path := func(name string) string { return filepath.Join(files, name) }
	touch := func(name string) { require.NoError(t, os.WriteFile(path(name), nil, 0o600)) }
	describe := func(dir, name, device, arch, machine, code, format string, features ...string) {
		data := fmt.Sprintf(`{"interface-types": ["uefi"], "features": ["%s"],
			"mapping": {"device": %q, "executable": {"filename": %q, "format": %q},
			            "nvram-template": {"filename": %q, "format": %q}},
			"targets": [{"architecture": %q, "machines": [%q]}]}`,
			strings.Join(features, `", "`), device, path(code), format, path(code+".vars"), format, arch, machine)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600))
	}
	for _, code := range []string{"ms", "smm", "plain", "tdx", "micro", "aarch64", "hidden", "usual"} {
		touch(code)
		touch(code + ".vars")
	}
	describe(system, "10-tdx.json", "memory", "x86_64", "pc-q35-*", "tdx", "raw", "secure-boot", "enrolled-keys")
	describe(system, "20-micro.json", "flash", "x86_64", "microvm", "micro", "raw")
	describe(system, "30-gone.json", "flash", "x86_64", "pc-q35-*", "gone", "raw")
	describe(system, "40-ms.json", "flash", "x86_64", "pc-q35-*", "ms", "raw",
		"secure-boot", "enrolled-keys", "requires-smm")
	describe(system, "50-smm.json", "flash", "x86_64", "pc-q35-*", "smm", "raw", "secure-boot", "requires-smm")
	describe(system, "60-plain.json", "flash", "x86_64", "pc-q35-*", "hidden", "raw", "acpi-s3")
	describe(user, "60-plain.json", "flash", "x86_64", "pc-q35-*", "plain", "qcow2", "acpi-s3")
	describe(system, "70-arm.json", "flash", "aarch64", "virt-*", "aarch64", "raw")
	require.NoError(t, os.WriteFile(filepath.Join(system, "05-broken.json"), []byte("{"), 0o600))
	dirs := []string{user, filepath.Join(user, "missing"), system}

	for _, tc := range []struct {
		arch string
		kind Firmware
		want firmware
	}{
		{"amd64", UEFI, firmware{path("plain"), "qcow2", path("plain.vars"), "qcow2", false}},
		{"amd64", SecureBoot, firmware{path("ms"), "raw", path("ms.vars"), "raw", true}},
		{"arm64", UEFI, firmware{path("aarch64"), "raw", path("aarch64.vars"), "raw", false}},
	} {
		got, err := pickFirmware(without(t, tc.arch), tc.kind, dirs)
		require.NoError(t, err)
		require.Equal(t, tc.want, got, "%s %s", tc.arch, tc.kind)
	}

	arm := without(t, "arm64")
	arm.Emulator.Firmware.SecureBoot = []arch.Flash{{Code: path("gone"), Variables: path("gone")}, {Code: path("usual"), Variables: path("usual.vars"), SMM: true}}
	got, err := pickFirmware(arm, SecureBoot, dirs)
	require.NoError(t, err)
	require.Equal(t, firmware{path("usual"), "raw", path("usual.vars"), "raw", true}, got)

	_, err = pickFirmware(without(t, "arm64"), SecureBoot, dirs)
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	require.EqualError(t, err, "secureboot firmware for arm64 (AAVMF) not found: install aavmf (Alpine), "+
		"or edk2-aarch64 (Fedora), or qemu-efi-aarch64 (Debian, Ubuntu), or qemu-uefi-aarch64 (openSUSE)")
	_, err = pickFirmware(without(t, "amd64"), UEFI, nil)
	require.ErrorContains(t, err, "ovmf (Debian, Ubuntu)")
}

// without is an architecture of the catalog, without the files that may be on this machine.
func without(t *testing.T, name string) arch.Arch {
	t.Helper()
	a := known(t, name)
	a.Emulator.Firmware.EFI, a.Emulator.Firmware.SecureBoot = nil, nil
	return a
}
