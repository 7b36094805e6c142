package qemu

import (
	"os/exec"

	"github.com/flavorkit/flavorkit/internal/arch"
)

// findQEMU returns the path of the system emulator for an architecture.
func findQEMU(a arch.Arch) (string, error) {
	path, err := exec.LookPath(a.Emulator.Program)
	if err != nil {
		return "", &MissingError{
			What:     a.Emulator.Program,
			Packages: packages(a, func(p arch.Packages) string { return p.QEMU }),
		}
	}
	return path, nil
}
