package qemu

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/internal/arch"
)

// MissingError says that the host lacks something, and which package brings it. Tests skip on it.
type MissingError struct {
	// What is missing: a program, or a description of a file.
	What string
	// Packages bring it, by the family of distributions.
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

// families are what people call the families of distributions.
func families() map[string]string {
	return map[string]string{"debian": "Debian, Ubuntu", "redhat": "Fedora", "suse": "openSUSE", "alpine": "Alpine"}
}

// packages are those of an emulator that have one of its parts, by family.
func packages(a arch.Arch, part func(arch.Packages) string) map[string]string {
	parts := map[string]string{}
	for family, p := range a.Emulator.Packages {
		parts[family] = part(p)
	}
	return parts
}
