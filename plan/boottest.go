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
	// Artifact that is booted: iso or disk.
	Artifact string `json:"artifact" yaml:"artifact"`
	// Installs tells that the artifact installs itself at its first boot, and
	// starts what it has installed.
	Installs bool     `json:"installs,omitempty" yaml:"installs,omitempty"`
	Emulator Emulator `json:"emulator" yaml:"emulator"`
	// Seconds for all of it.
	Seconds    int         `json:"seconds" yaml:"seconds"`
	Assertions []Assertion `json:"assertions,omitempty" yaml:"assertions,omitempty"`
	// Tools boot the artifact.
	Tools Tools `json:"tools" yaml:"tools"`
}

// Emulator is the machine that the artifact is booted in.
type Emulator struct {
	// Program is that of QEMU, Arguments choose board and processor.
	Program   string   `json:"program" yaml:"program"`
	Arguments []string `json:"arguments,omitempty" yaml:"arguments,omitempty"`
	// CDROM is the device that reads a medium.
	CDROM string `json:"cdrom" yaml:"cdrom"`
	// Code and Variables of the firmware; empty is what QEMU comes with.
	Code      string `json:"code,omitempty" yaml:"code,omitempty"`
	Variables string `json:"variables,omitempty" yaml:"variables,omitempty"`
	// MiB of memory.
	MiB int `json:"mib" yaml:"mib"`
}

// Assertion is what must hold on the running system: one of Run, File and
// Service, and what its text matches.
type Assertion struct {
	Name    string `json:"name,omitempty" yaml:"name,omitempty"`
	Run     string `json:"run,omitempty" yaml:"run,omitempty"`
	File    string `json:"file,omitempty" yaml:"file,omitempty"`
	Service string `json:"service,omitempty" yaml:"service,omitempty"`
	// Matches is an extended regular expression.
	Matches string `json:"matches,omitempty" yaml:"matches,omitempty"`
	Seconds int    `json:"seconds" yaml:"seconds"`
}

const (
	artifactISO  = "iso"
	artifactDisk = "disk"

	defaultMemory = 2048
	// defaultTestSeconds and defaultAssertionSeconds are generous: a machine that
	// is emulated takes minutes to boot.
	defaultTestSeconds      = 30 * 60
	defaultAssertionSeconds = 5 * 60
)

func (r *resolver) test(disk Disk) *Test {
	spec := r.spec.Test
	t := &Test{
		Artifact: cmp.Or(spec.Artifact, artifactISO),
		Seconds:  seconds(spec.Timeout, defaultTestSeconds),
		Tools:    r.emulatorTools(),
	}
	t.Installs = t.Artifact == artifactDisk && disk.Layout == layoutRecovery
	for _, a := range spec.Assertions {
		t.Assertions = append(t.Assertions, Assertion{
			Name: a.Name, Run: a.Run, File: a.File, Service: a.Service, Matches: a.Matches,
			Seconds: seconds(a.Timeout, defaultAssertionSeconds),
		})
	}
	t.Emulator = r.emulator(t.Artifact, disk)
	t.Emulator.MiB = defaultMemory
	if mib, ok := specs.ParseSize(spec.Memory); ok {
		t.Emulator.MiB = mib
	}
	return t
}

// emulator is a machine for the architecture, with firmware that starts the
// artifact.
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
	var flash arch.Flash // QEMU comes with a BIOS
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

// emulatorTools are those of a boot test, with the emulator as the distribution of
// the tools packages it.
func (r *resolver) emulatorTools() Tools {
	family := r.cat.Distros[r.cat.Tools["test"].Distro].Family
	packages := r.arch.Emulator.Packages[family]
	return r.tools("test", packages.QEMU, packages.Firmware)
}

// seconds of a timeout, which was checked when the spec was loaded.
func seconds(timeout string, otherwise int) int {
	if s, ok := specs.ParseTimeout(timeout); ok {
		return s
	}
	return otherwise
}

// Title is what reports call the assertion by: one line.
func (a Assertion) Title() string {
	if a.Name != "" {
		return a.Name
	}
	kind, value := a.asked()
	return kind + " " + value
}

// Failure says that the assertion did not come true.
func (a Assertion) Failure() string {
	kind, value := a.asked()
	what := map[string]string{"run": "did not succeed", "file": "not there", "service": "not active"}[kind]
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

// asked is what kind of assertion it is, and of what: of a script the first line.
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
	default:
		return "service", a.Service
	}
}
