package qemu

import "os/exec"

// findQEMU returns the path of the system emulator for an architecture.
func findQEMU(arch string) (string, error) {
	missing := &MissingError{
		What:     "qemu-system-x86_64",
		Debian:   "qemu-system-x86",
		Fedora:   "qemu-system-x86-core",
		OpenSUSE: "qemu-x86",
		Alpine:   "qemu-system-x86_64",
	}
	if arch == "arm64" {
		missing = &MissingError{
			What:     "qemu-system-aarch64",
			Debian:   "qemu-system-arm",
			Fedora:   "qemu-system-aarch64-core",
			OpenSUSE: "qemu-arm",
			Alpine:   "qemu-system-aarch64",
		}
	}
	path, err := exec.LookPath(missing.What)
	if err != nil {
		return "", missing
	}
	return path, nil
}
