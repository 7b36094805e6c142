package qemu

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/internal/arch"
)

// MissingError means that the host lacks a program or file, and names the packages with it. Tests
// skip on it.
type MissingError struct {
	// What is missing: a program or a description of a file.
	What string
	// Packages with it, by family of distributions.
	Packages map[string]string
}

func (e *MissingError) Error() string {
	var install []string
	for family, name := range e.Packages {
		install = append(install, fmt.Sprintf("%s (%s)", name, cmp.Or(families()[family], family)))
	}
	if len(install) == 0 {
		return e.What + " not found"
	}
	slices.Sort(install)
	return fmt.Sprintf("%s not found: install %s", e.What, strings.Join(install, ", or "))
}

// families has the families of distributions with their names for people.
func families() map[string]string {
	return map[string]string{"debian": "Debian, Ubuntu", "redhat": "Fedora", "suse": "openSUSE", "alpine": "Alpine"}
}

// packages returns the packages with one part of an emulator, by family.
func packages(a arch.Arch, part func(arch.Packages) string) map[string]string {
	parts := map[string]string{}
	for family, p := range a.Emulator.Packages {
		parts[family] = part(p)
	}
	return parts
}
