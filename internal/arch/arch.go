// Package arch has the type of an architecture, which the catalog reads (specs/catalog/archs) and
// VMs are made from.
package arch

// Arch is an architecture: archs/<name>.yaml of a catalog.
type Arch struct {
	// Name as Go and OCI have it, such as arm64.
	Name string `yaml:"name"`
	// Like names an architecture that this one is like, except for the fields that it sets.
	Like string `yaml:"like"`
	// Title for people.
	Title string `yaml:"title"`
	// Machine is the name in the kernel and QEMU, as in uname -m.
	Machine string `yaml:"machine"`
	// Deb is the name in Debian's packages.
	Deb string `yaml:"deb"`
	// Systemd is the name in systemd, such as x86-64 (os-release(5), ARCHITECTURE). Empty if there are
	// no extensions for it.
	Systemd string `yaml:"systemd"`
	// EFI is the name in file names of EFI programs: x64 in BOOTX64.EFI (UEFI specification 2.10,
	// 3.5.1.1).
	EFI string `yaml:"efi"`
	// BIOS is true if machines may have a BIOS: then media and disks get boot code for it.
	BIOS bool `yaml:"bios"`
	// Consoles are the kernel's serial consoles on usual machines; the first is that of VMs.
	Consoles []string `yaml:"consoles"`
	// Video are kernel arguments for the screen of live media.
	Video []string `yaml:"video"`
	// Emulator is the VM that boots artifacts.
	Emulator Emulator `yaml:"emulator"`
}

// Emulator says how QEMU emulates a machine (qemu(1)).
type Emulator struct {
	// Why this machine was chosen.
	Why string `yaml:"why"`
	// Program is the name of the QEMU program.
	Program string `yaml:"program"`
	// Machine is the board. Versioned is a name of it that matches the patterns in firmware
	// descriptors (QEMU, docs/interop/firmware.json).
	Machine   string `yaml:"machine"`
	Versioned string `yaml:"versioned"`
	// CPU to emulate. With KVM, it is that of the host.
	CPU string `yaml:"cpu"`
	// Devices to add to the board.
	Devices []string `yaml:"devices"`
	// CDROM is the name of the CD-ROM device.
	CDROM string `yaml:"cdrom"`
	// Firmware is the UEFI firmware.
	Firmware Firmware `yaml:"firmware"`
	// Packages with the program and the firmware, by family of distributions: debian, redhat, suse
	// and alpine.
	Packages map[string]Packages `yaml:"packages"`
	// From names the distribution that boot tests take these packages from, such as debian-13, if
	// the one with the other tools has none of them.
	From string `yaml:"from"`
}

// Arguments returns the QEMU arguments for board, processor and devices.
func (e Emulator) Arguments() []string {
	args := []string{"-machine", e.Machine, "-cpu", e.CPU}
	for _, device := range e.Devices {
		args = append(args, "-device", device)
	}
	return args
}

// Firmware lists the paths of flash images in distributions. The first is that of Debian, where
// boot tests run.
type Firmware struct {
	// Title for people.
	Title string `yaml:"title"`
	// EFI has no Secure Boot keys, so it boots signed and unsigned programs.
	EFI []Flash `yaml:"efi"`
	// SecureBoot has the keys of Microsoft and of the distribution.
	SecureBoot []Flash `yaml:"secureBoot"`
}

// Flash has two images of flash memory: the program and its initial variables.
type Flash struct {
	Code      string `yaml:"code"`
	Variables string `yaml:"variables"`
	// SMM is true if the system management mode protects the variables.
	SMM bool `yaml:"smm"`
}

// Packages has the names of two packages.
type Packages struct {
	QEMU     string `yaml:"qemu"`
	Firmware string `yaml:"firmware"`
}
