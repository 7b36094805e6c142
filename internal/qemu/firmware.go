package qemu

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// firmware is a pair of flash images.
type firmware struct {
	code, codeFormat string
	// vars is the template of the variable store, of which each machine gets a copy.
	vars, varsFormat string
	// smm says that the variable store is guarded by the system management mode, which QEMU must then provide.
	smm bool
}

// findFirmware looks for UEFI firmware: first by the descriptors that distributions install for programs like this
// one, then where it usually lies.
func findFirmware(arch string, kind Firmware) (firmware, error) {
	return pickFirmware(arch, kind, firmwareDescriptorDirs(), usualFirmware(arch, kind))
}

func pickFirmware(arch string, kind Firmware, descriptorDirs []string, usual []firmware) (firmware, error) {
	for _, f := range append(describedFirmware(arch, kind, descriptorDirs), usual...) {
		if isFile(f.code) && isFile(f.vars) {
			return f, nil
		}
	}
	if arch == "arm64" {
		return firmware{}, &MissingError{
			What:     string(kind) + " firmware for arm64 (AAVMF)",
			Debian:   "qemu-efi-aarch64",
			Fedora:   "edk2-aarch64",
			OpenSUSE: "qemu-uefi-aarch64",
			Alpine:   "aavmf",
		}
	}
	return firmware{}, &MissingError{
		What:     string(kind) + " firmware for amd64 (OVMF)",
		Debian:   "ovmf",
		Fedora:   "edk2-ovmf",
		OpenSUSE: "qemu-ovmf-x86_64",
		Alpine:   "ovmf",
	}
}

// firmwareDescriptorDirs are searched in the order of QEMU's docs/interop/firmware.json: the user's, the
// administrator's, the distribution's. Homebrew's and a local build's come last.
func firmwareDescriptorDirs() []string {
	dirs := []string{
		"/etc/qemu/firmware", "/usr/share/qemu/firmware", "/usr/local/share/qemu/firmware",
		"/opt/homebrew/share/qemu/firmware",
	}
	if config, err := os.UserConfigDir(); err == nil {
		dirs = append([]string{filepath.Join(config, "qemu", "firmware")}, dirs...)
	}
	return dirs
}

// firmwareDescriptor is the part of QEMU's docs/interop/firmware.json that matters here.
type firmwareDescriptor struct {
	Interfaces []string `json:"interface-types"`
	Mapping    struct {
		Device     string       `json:"device"`
		Mode       string       `json:"mode"`
		Executable firmwareFile `json:"executable"`
		Template   firmwareFile `json:"nvram-template"`
	} `json:"mapping"`
	Targets []struct {
		Architecture string   `json:"architecture"`
		Machines     []string `json:"machines"`
	} `json:"targets"`
	Features []string `json:"features"`
}

type firmwareFile struct {
	Filename string `json:"filename"`
	Format   string `json:"format"`
}

// describedFirmware returns what the descriptors offer, best first: they are ordered by file name over all
// directories, and a name in an earlier directory hides the same name in later ones.
func describedFirmware(arch string, kind Firmware, dirs []string) []firmware {
	paths := map[string]string{}
	for _, dir := range dirs {
		found, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			continue
		}
		for _, p := range found {
			if name := filepath.Base(p); paths[name] == "" {
				paths[name] = p
			}
		}
	}
	names := make([]string, 0, len(paths))
	for name := range paths {
		names = append(names, name)
	}
	slices.Sort(names)

	var out []firmware
	for _, name := range names {
		data, err := os.ReadFile(paths[name])
		if err != nil {
			continue
		}
		var d firmwareDescriptor
		if json.Unmarshal(data, &d) != nil || !d.suits(arch, kind) {
			continue
		}
		out = append(out, firmware{
			code: d.Mapping.Executable.Filename, codeFormat: d.Mapping.Executable.Format,
			vars: d.Mapping.Template.Filename, varsFormat: d.Mapping.Template.Format,
			smm: slices.Contains(d.Features, "requires-smm"),
		})
	}
	return out
}

func (d firmwareDescriptor) suits(arch string, kind Firmware) bool {
	if !slices.Contains(d.Interfaces, "uefi") || d.Mapping.Device != "flash" ||
		d.Mapping.Mode != "" && d.Mapping.Mode != "split" {
		return false
	}
	target, machine := "x86_64", "pc-q35-0"
	if arch == "arm64" {
		target, machine = "aarch64", "virt-0"
	}
	onMachine := false
	for _, t := range d.Targets {
		onMachine = onMachine || t.Architecture == target && slices.ContainsFunc(t.Machines, func(pattern string) bool {
			ok, err := path.Match(pattern, machine)
			return ok && err == nil
		})
	}
	secure, enrolled := slices.Contains(d.Features, "secure-boot"), slices.Contains(d.Features, "enrolled-keys")
	if kind == SecureBoot {
		return onMachine && secure && enrolled
	}
	return onMachine && !enrolled && !slices.Contains(d.Features, "requires-smm")
}

// usualFirmware lists where distributions without descriptors, or with broken ones, keep the files.
func usualFirmware(arch string, kind Firmware) []firmware {
	raw := func(dir, code, vars string) firmware {
		return firmware{
			code: filepath.Join(dir, code), codeFormat: "raw",
			vars: filepath.Join(dir, vars), varsFormat: "raw",
			smm: kind == SecureBoot && arch == "amd64",
		}
	}
	switch {
	case arch == "arm64" && kind == SecureBoot:
		return []firmware{
			raw("/usr/share/AAVMF", "AAVMF_CODE.ms.fd", "AAVMF_VARS.ms.fd"),
			raw("/usr/share/AAVMF", "AAVMF_CODE.secboot.fd", "AAVMF_VARS.ms.fd"),
			raw("/usr/share/qemu", "aavmf-aarch64-ms-code.bin", "aavmf-aarch64-ms-vars.bin"),
		}
	case arch == "arm64":
		return []firmware{
			raw("/usr/share/AAVMF", "AAVMF_CODE.fd", "AAVMF_VARS.fd"),
			raw("/usr/share/edk2/aarch64", "QEMU_EFI-pflash.raw", "vars-template-pflash.raw"),
			raw("/usr/share/edk2/aarch64", "QEMU_CODE.fd", "QEMU_VARS.fd"),
			raw("/usr/share/qemu", "aavmf-aarch64-code.bin", "aavmf-aarch64-vars.bin"),
			raw("/usr/share/qemu", "edk2-aarch64-code.fd", "edk2-arm-vars.fd"),
			raw("/usr/local/share/qemu", "edk2-aarch64-code.fd", "edk2-arm-vars.fd"),
			raw("/opt/homebrew/share/qemu", "edk2-aarch64-code.fd", "edk2-arm-vars.fd"),
		}
	case kind == SecureBoot:
		return []firmware{
			raw("/usr/share/OVMF", "OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd"),
			raw("/usr/share/OVMF", "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd"),
			raw("/usr/share/edk2/ovmf", "OVMF_CODE.secboot.fd", "OVMF_VARS.secboot.fd"),
			raw("/usr/share/qemu", "ovmf-x86_64-smm-ms-code.bin", "ovmf-x86_64-smm-ms-vars.bin"),
		}
	default:
		return []firmware{
			raw("/usr/share/OVMF", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
			raw("/usr/share/OVMF", "OVMF_CODE.fd", "OVMF_VARS.fd"),
			raw("/usr/share/edk2/ovmf", "OVMF_CODE.fd", "OVMF_VARS.fd"),
			raw("/usr/share/edk2/x64", "OVMF_CODE.4m.fd", "OVMF_VARS.4m.fd"),
			raw("/usr/share/edk2-ovmf", "OVMF_CODE.fd", "OVMF_VARS.fd"),
			raw("/usr/share/qemu", "ovmf-x86_64-code.bin", "ovmf-x86_64-vars.bin"),
			raw("/usr/share/qemu", "edk2-x86_64-code.fd", "edk2-i386-vars.fd"),
			raw("/usr/local/share/qemu", "edk2-x86_64-code.fd", "edk2-i386-vars.fd"),
			raw("/opt/homebrew/share/qemu", "edk2-x86_64-code.fd", "edk2-i386-vars.fd"),
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
