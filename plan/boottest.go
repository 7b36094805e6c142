package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/internal/arch"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Test is the boot test.
type Test struct {
	// Artifact to boot: iso or disk.
	Artifact string `json:"artifact" yaml:"artifact"`
	// Installs is true if the artifact installs itself at its first boot and then boots the
	// installed system.
	Installs bool     `json:"installs,omitempty" yaml:"installs,omitempty"`
	Emulator Emulator `json:"emulator" yaml:"emulator"`
	// Seconds is the timeout of the whole test.
	Seconds    int         `json:"seconds" yaml:"seconds"`
	Assertions []Assertion `json:"assertions,omitempty" yaml:"assertions,omitempty"`
	// Tools are the programs that boot the artifact.
	Tools Tools `json:"tools" yaml:"tools"`
}

// Emulator is the VM that boots the artifact.
type Emulator struct {
	// Program is QEMU's; Arguments choose board and processor.
	Program   string   `json:"program" yaml:"program"`
	Arguments []string `json:"arguments,omitempty" yaml:"arguments,omitempty"`
	// CDROM is the name of the CD-ROM device.
	CDROM string `json:"cdrom" yaml:"cdrom"`
	// Code and Variables are the firmware images; empty for QEMU's built-in firmware.
	Code      string `json:"code,omitempty" yaml:"code,omitempty"`
	Variables string `json:"variables,omitempty" yaml:"variables,omitempty"`
	// MiB is the memory.
	MiB int `json:"mib" yaml:"mib"`
}

// Assertion is a condition that must hold on the running system: one of Run, File, Service and
// Extension, and what its output or content matches.
type Assertion struct {
	Name    string `json:"name,omitempty" yaml:"name,omitempty"`
	Run     string `json:"run,omitempty" yaml:"run,omitempty"`
	File    string `json:"file,omitempty" yaml:"file,omitempty"`
	Service string `json:"service,omitempty" yaml:"service,omitempty"`
	// Extension is the name of the extension.
	Extension string `json:"extension,omitempty" yaml:"extension,omitempty"`
	// Matches is an extended regular expression.
	Matches string `json:"matches,omitempty" yaml:"matches,omitempty"`
	Seconds int    `json:"seconds" yaml:"seconds"`
}

const (
	artifactISO  = "iso"
	artifactDisk = "disk"

	defaultMemory = 2048
	// defaultTestSeconds and defaultAssertionSeconds are generous: an emulated VM takes minutes to
	// boot.
	defaultTestSeconds      = 30 * 60
	defaultAssertionSeconds = 5 * 60
)

func (r *resolver) test(p *Plan) *Test {
	spec := r.spec.Test
	t := &Test{
		Artifact: cmp.Or(spec.Artifact, artifactISO),
		Seconds:  seconds(spec.Timeout, defaultTestSeconds),
		Tools:    r.emulatorTools(),
	}
	t.Installs = t.Artifact == artifactDisk && p.Disk.Layout == layoutRecovery
	known := extensionNames(p.Extensions)
	for i, a := range spec.Assertions {
		t.Assertions = append(t.Assertions, Assertion{
			Name: a.Name, Run: string(a.Run), File: a.File, Service: a.Service, Extension: a.Extension, Matches: a.Matches,
			Seconds: seconds(a.Timeout, defaultAssertionSeconds),
		})
		if a.Extension != "" && !slices.Contains(known, a.Extension) && r.sure(key.Extension, key.Extensions) {
			hint := "describe it with the key extension"
			if len(known) > 0 {
				hint = specs.Suggest(a.Extension, known)
			}
			r.report(rules.UnknownName, key.TestAssertions.Item(i).Entry("extension"), hint, "the spec has no extension %q", a.Extension)
		}
	}
	t.Emulator = r.emulator(t.Artifact, p.Disk)
	t.Emulator.MiB = defaultMemory
	if mib, ok := specs.ParseSize(spec.Memory); ok {
		t.Emulator.MiB = mib
	}
	return t
}

// extensionNames are those that an assertion can be about.
func extensionNames(all []Extension) (names []string) {
	for _, e := range all {
		if e.Name != "" {
			names = append(names, e.Name)
		}
	}
	return names
}

// emulator returns a VM for the architecture, with firmware that can start the artifact.
func (r *resolver) emulator(artifact string, disk Disk) Emulator {
	known := r.arch.Emulator
	has := []string{firmwareEFI}
	if r.arch.BIOS {
		has = append(has, firmwareBIOS)
	}
	can := has
	if artifact == artifactDisk {
		can = slices.DeleteFunc(slices.Clone(has), func(firmware string) bool { return !disk.Has(firmware) })
	}
	name := r.spec.Test.Firmware
	if name == "" && slices.Contains(can, firmwareEFI) {
		name = firmwareEFI
	} else if name == "" {
		name = firmwareBIOS
	}
	var flash arch.Flash // QEMU has a built-in BIOS
	if name == firmwareEFI {
		flash = known.Firmware.EFI[0]
	}
	switch {
	case !slices.Contains(has, name):
		r.report(rules.UnsupportedArchitecture, key.TestFirmware, "write "+firmwareEFI+", or remove it", "%s has no %s", r.arch.Name, strings.ToUpper(name))
	case !slices.Contains(can, name) && r.sure(key.Test, key.Disk):
		r.report(rules.UnsupportedChoice, key.TestFirmware, fmt.Sprintf("write artifacts.disk.firmware: %s, or both", name), "the disk does not start from %s", strings.ToUpper(name))
	}
	return Emulator{
		Program: known.Program, Arguments: known.Arguments(), CDROM: known.CDROM,
		Code: flash.Code, Variables: flash.Variables,
	}
}

// emulatorTools returns the tools of a boot test, all from the distribution that has the emulator.
func (r *resolver) emulatorTools() Tools {
	from := cmp.Or(r.arch.Emulator.From, r.cat.Tools["test"].Distro)
	packages := r.arch.Emulator.Packages[r.cat.Distros[from].Family]
	return r.toolsFrom(from, "test", packages.QEMU, packages.Firmware)
}

// seconds parses a timeout, which was checked when the spec was loaded.
func seconds(timeout string, otherwise int) int {
	if s, ok := specs.ParseTimeout(timeout); ok {
		return s
	}
	return otherwise
}

// Title is the name of the assertion in reports: one line.
func (a Assertion) Title() string {
	if a.Name != "" {
		return a.Name
	}
	kind, value := a.asked()
	return kind + " " + value
}

// Failure describes how the assertion failed.
func (a Assertion) Failure() string {
	kind, value := a.asked()
	what := map[string]string{"run": "did not succeed", "file": "not there", "service": "not active", "extension": "not merged, or a service of it not active"}[kind]
	switch {
	case a.Matches != "" && a.Run != "":
		what = fmt.Sprintf("did not succeed with output that matches %q", a.Matches)
	case a.Matches != "":
		what = fmt.Sprintf("not there with a line that matches %q", a.Matches)
	}
	text := fmt.Sprintf("%s %s: %s after %ds", kind, value, what, a.Seconds)
	if a.Name != "" {
		text = a.Name + ": " + text
	}
	return text
}

// asked returns the kind of assertion and its subject; for a script, the first line.
func (a Assertion) asked() (kind, value string) {
	switch {
	case a.Run != "":
		line, rest, _ := strings.Cut(strings.TrimSpace(a.Run), "\n")
		if rest != "" {
			line += " …"
		}
		return "run", line
	case a.File != "":
		return "file", a.File
	case a.Extension != "":
		return "extension", a.Extension
	default:
		return "service", a.Service
	}
}
