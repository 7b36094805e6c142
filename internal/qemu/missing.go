package qemu

import "fmt"

// MissingError says that the host lacks something, and which package brings it. Tests skip on it.
type MissingError struct {
	// What is missing: a program, or a description of a file.
	What string
	// Debian (and Ubuntu), Fedora, OpenSUSE and Alpine name the package of that distribution.
	Debian, Fedora, OpenSUSE, Alpine string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s not found: install %s (Debian, Ubuntu), %s (Fedora), %s (openSUSE) or %s (Alpine)",
		e.What, e.Debian, e.Fedora, e.OpenSUSE, e.Alpine)
}
