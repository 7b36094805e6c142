// Package arch has the type of what is known of an architecture. The catalog
// reads it (specs/catalog/archs), and virtual machines are made from it.
package arch

// Arch is an architecture: archs/<name>.yaml of a catalog.
type Arch struct {
	// Name as Go and OCI have it, such as arm64.
	Name string `yaml:"name"`
	// Like names an architecture that this one differs from by what it says itself.
	Like string `yaml:"like"`
	// Title for people.
	Title string `yaml:"title"`
	// Machine is what the kernel and QEMU call it: uname -m.
	Machine string `yaml:"machine"`
	// Deb is what Debian's packages call it.
	Deb string `yaml:"deb"`
	// EFI is what the names of EFI programs call it: BOOTX64.EFI has x64 (UEFI
	// specification 2.10, 3.5.1.1).
	EFI string `yaml:"efi"`
	// BIOS tells that machines may start from BIOS: media and disks get boot code
	// for it.
	BIOS bool `yaml:"bios"`
	// Consoles are the serial consoles of the kernel on the usual machines; the
	// first is that of virtual machines.
	Consoles []string `yaml:"consoles"`
	// Emulator is the machine that artifacts are booted in.
	Emulator Emulator `yaml:"emulator"`
}

// Emulator is how QEMU emulates a machine (qemu(1)).
type Emulator struct {
	// Why it is this machine.
	Why string `yaml:"why"`
	// Program is the name of QEMU's program.
	Program string `yaml:"program"`
	// Machine is the board, and Versioned a name of it that descriptors of firmware
	// match with their patterns (QEMU, docs/interop/firmware.json).
	Machine   string `yaml:"machine"`
	Versioned string `yaml:"versioned"`
	// CPU that is emulated. KVM has that of the host.
	CPU string `yaml:"cpu"`
	// Devices that the board has beside its own.
	Devices []string `yaml:"devices"`
	// CDROM is the device that reads a medium.
	CDROM string `yaml:"cdrom"`
	// Firmware is that for EFI.
	Firmware Firmware `yaml:"firmware"`
	// Packages have the program and the firmware, by the family of distributions:
	// debian, redhat, suse and alpine.
	Packages map[string]Packages `yaml:"packages"`
}

// Arguments of QEMU choose board, processor and devices.
func (e Emulator) Arguments() []string {
	args := []string{"-machine", e.Machine, "-cpu", e.CPU}
	for _, device := range e.Devices {
		args = append(args, "-device", device)
	}
	return args
}

// Firmware lists where distributions keep flash images, the most usual first.
// That is where Debian has them, in which boot tests run.
type Firmware struct {
	// Title for people.
	Title string `yaml:"title"`
	// EFI has no keys, so it boots signed and unsigned programs.
	EFI []Flash `yaml:"efi"`
	// SecureBoot has the keys of Microsoft and of the distribution.
	SecureBoot []Flash `yaml:"secureBoot"`
}

// Flash are two images of flash memory: the program, and the variables that it
// starts with.
type Flash struct {
	Code      string `yaml:"code"`
	Variables string `yaml:"variables"`
	// SMM tells that the system management mode guards the variables.
	SMM bool `yaml:"smm"`
}

// Packages are the names of two packages.
type Packages struct {
	QEMU     string `yaml:"qemu"`
	Firmware string `yaml:"firmware"`
}
