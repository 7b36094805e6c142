package qemu

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/flavorkit/flavorkit/internal/arch"
)

// firmware is a pair of flash images.
type firmware struct {
	code, codeFormat string
	// vars is the template of the variable store. Each VM gets a copy.
	vars, varsFormat string
	// smm is true if the system management mode protects the variable store; QEMU must then provide
	// it.
	smm bool
}

// findFirmware looks for UEFI firmware: first in the descriptors that distributions install, then
// at its usual paths.
func findFirmware(a arch.Arch, kind Firmware) (firmware, error) {
	return pickFirmware(a, kind, firmwareDescriptorDirs())
}

func pickFirmware(a arch.Arch, kind Firmware, descriptorDirs []string) (firmware, error) {
	for _, f := range append(describedFirmware(a, kind, descriptorDirs), usualFirmware(a, kind)...) {
		if isFile(f.code) && isFile(f.vars) {
			return f, nil
		}
	}
	return firmware{}, &MissingError{
		What:     fmt.Sprintf("%s firmware for %s (%s)", kind, a.Name, a.Emulator.Firmware.Title),
		Packages: packages(a, func(p arch.Packages) string { return p.Firmware }),
	}
}

// firmwareDescriptorDirs are searched in the order of QEMU's docs/interop/firmware.json: the
// user's, the administrator's, the distribution's. Homebrew's and a local build's come last.
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

// firmwareDescriptor is the part of QEMU's docs/interop/firmware.json that is used here.
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

// describedFirmware returns the firmware in the descriptors, best first: they are ordered by file
// name over all directories, and a name in an earlier directory hides the same name in later ones.
func describedFirmware(a arch.Arch, kind Firmware, dirs []string) []firmware {
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
		if json.Unmarshal(data, &d) != nil || !d.suits(a, kind) {
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

func (d firmwareDescriptor) suits(a arch.Arch, kind Firmware) bool {
	if !slices.Contains(d.Interfaces, "uefi") || d.Mapping.Device != "flash" ||
		d.Mapping.Mode != "" && d.Mapping.Mode != "split" {
		return false
	}
	onMachine := false
	for _, t := range d.Targets {
		onMachine = onMachine || t.Architecture == a.Machine && slices.ContainsFunc(t.Machines, func(pattern string) bool {
			ok, err := path.Match(pattern, a.Emulator.Versioned)
			return ok && err == nil
		})
	}
	secure, enrolled := slices.Contains(d.Features, "secure-boot"), slices.Contains(d.Features, "enrolled-keys")
	if kind == SecureBoot {
		return onMachine && secure && enrolled
	}
	return onMachine && !enrolled && !slices.Contains(d.Features, "requires-smm")
}

// usualFirmware lists the paths in distributions without descriptors, or with broken ones.
func usualFirmware(a arch.Arch, kind Firmware) []firmware {
	flashes := a.Emulator.Firmware.EFI
	if kind == SecureBoot {
		flashes = a.Emulator.Firmware.SecureBoot
	}
	var usual []firmware
	for _, f := range flashes {
		usual = append(usual, firmware{code: f.Code, codeFormat: "raw", vars: f.Variables, varsFormat: "raw", smm: f.SMM})
	}
	return usual
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
