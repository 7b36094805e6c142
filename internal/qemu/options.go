package qemu

import (
	"cmp"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/arch"
)

// Firmware is what starts the boot loader.
type Firmware string

const (
	// BIOS is SeaBIOS, which is part of QEMU. Only PCs have it.
	BIOS Firmware = "bios"
	// UEFI has no Secure Boot keys: it boots signed and unsigned boot loaders.
	UEFI Firmware = "uefi"
	// SecureBoot is UEFI with the keys of Microsoft and the distribution: it rejects unsigned boot
	// loaders.
	SecureBoot Firmware = "secureboot"
)

// Firmwares are all of them.
func Firmwares() []Firmware { return []Firmware{BIOS, UEFI, SecureBoot} }

// Accel says how the guest's CPU runs.
type Accel string

const (
	// Auto is KVM if it works for this kernel, otherwise TCG; see [Accelerator].
	Auto Accel = "auto"
	// KVM runs the guest on the host's CPU. It needs Linux and a guest of the host's architecture.
	KVM Accel = "kvm"
	// TCG emulates the CPU. It works everywhere, but is slow.
	TCG Accel = "tcg"
)

// Accels are all of them; the first is the default.
func Accels() []Accel { return []Accel{Auto, KVM, TCG} }

// among lists values for a message: a, b or c.
func among[T ~string](all []T) string {
	text := ""
	for i, v := range all {
		switch i {
		case 0:
		case len(all) - 1:
			text += " or "
		default:
			text += ", "
		}
		text += string(v)
	}
	return text
}

// TCGSlowdown is the default factor for timeouts under TCG; see [Options.Slowdown].
const TCGSlowdown = 8

// Options describe a VM and what it boots. A zero field means the default.
type Options struct {
	// Arch is the guest's architecture, from a catalog. There is no default.
	Arch arch.Arch
	// Firmware defaults to BIOS where the architecture has it, else to UEFI, or to none when Kernel
	// is set.
	Firmware Firmware
	// Accel defaults to Auto.
	Accel Accel
	// MemoryMiB is the guest's memory in MiB. Default: 2048.
	MemoryMiB int
	// CPUs is the number of virtual CPUs. Default: 2.
	CPUs int

	// ISO is the medium in the CD-ROM drive.
	ISO string
	// Disks are virtio disks: /dev/vda, /dev/vdb and so on, in this order.
	Disks []Disk
	// DiskFirst boots from the disks before the ISO. The firmware skips an empty disk, so a VM can
	// install from the ISO and reboot into the installed system.
	DiskFirst bool

	// Kernel, Initrd and Append boot a kernel directly, without a boot loader. Append is its
	// command line.
	Kernel, Initrd, Append string

	// Network adds a virtio network card behind QEMU's user mode NAT. Outgoing connections are
	// open, incoming ones only through Forwards.
	Network bool
	// Forwards are TCP ports of the host that are forwarded to the guest. They imply Network.
	Forwards []Forward

	// BIOSConsole makes SeaBIOS copy the text screen to the serial console. It shows boot loaders
	// that do not write to the serial console themselves. The output of those that do appears
	// twice, letter by letter.
	BIOSConsole bool
	// NoReboot stops the VM when the guest reboots.
	NoReboot bool

	// Fatal makes every wait on the console fail at once if the output matches, for example
	// [KernelPanic].
	Fatal *regexp.Regexp
	// Slowdown is the factor for all timeouts. Default: 1 under KVM, TCGSlowdown under TCG.
	Slowdown float64
	// TempDir is the directory for private files: firmware variables, scratch disks, sockets.
	// Default: os.TempDir. Because of the sockets, its path can have about 80 bytes at most.
	TempDir string
	// Log gets a copy of the serial console output, as it arrives: from another goroutine, until
	// Wait or Close returns.
	Log io.Writer
	// ExtraArgs are appended to QEMU's command line.
	ExtraArgs []string
}

// Disk is one virtio disk.
type Disk struct {
	// Path is the image file. Empty for a blank disk of SizeMiB, which is removed with the VM.
	Path string
	// Format is raw or qcow2. Default: qcow2 when Path ends in it, otherwise raw.
	Format string
	// ReadOnly does not let the guest write.
	ReadOnly bool
	// Scratch lets the guest write without changing the image. The changes are removed with the VM.
	Scratch bool
	// SizeMiB is the size in MiB of a blank disk, or the size that a Scratch disk grows to, like an
	// image on a larger device. It must not be less than that of the image.
	SizeMiB int
	// Serial makes the disk appear as /dev/disk/by-id/virtio-<Serial>. At most 20 bytes.
	Serial string
}

// Forward forwards a TCP port of the host's loopback interface to a port of the guest.
type Forward struct {
	// Host is the port on 127.0.0.1.
	Host int
	// Guest is the port in the guest.
	Guest int
}

// KernelPanic matches a panic of Linux, for [Options.Fatal].
func KernelPanic() *regexp.Regexp {
	return regexp.MustCompile(`Kernel panic - not syncing: [^\n]*`)
}

// Check returns an error for options that cannot work on any host.
func (o Options) Check() error {
	_, err := o.resolve()
	return err
}

// resolve sets defaults and rejects options that cannot work. It does not change Accel.
func (o Options) resolve() (Options, error) {
	if o.Arch.Emulator.Program == "" {
		return o, errors.Errorf("architecture %q has no emulator", o.Arch.Name)
	}
	if o.Accel = cmp.Or(o.Accel, Auto); !slices.Contains(Accels(), o.Accel) {
		return o, errors.Errorf("accelerator %q is unknown: %s", o.Accel, among(Accels()))
	}
	switch o.Firmware {
	case "":
		switch {
		case o.Arch.BIOS:
			o.Firmware = BIOS
		case o.Kernel == "":
			o.Firmware = UEFI
		}
	case BIOS:
		if !o.Arch.BIOS {
			return o, errors.Errorf("%s has no BIOS, use uefi", o.Arch.Name)
		}
	case UEFI:
	case SecureBoot:
		if len(o.Arch.Emulator.Firmware.SecureBoot) == 0 {
			return o, errors.Errorf("%s has no firmware with Secure Boot, use uefi", o.Arch.Name)
		}
	default:
		return o, errors.Errorf("firmware %q is unknown: %s", o.Firmware, among(Firmwares()))
	}
	switch {
	case o.MemoryMiB < 0:
		return o, errors.Errorf("memory of %d MiB is not valid", o.MemoryMiB)
	case o.MemoryMiB == 0:
		o.MemoryMiB = 2048
	}
	switch {
	case o.CPUs < 0:
		return o, errors.Errorf("%d CPUs", o.CPUs)
	case o.CPUs == 0:
		o.CPUs = 2
	}
	if o.ISO == "" && len(o.Disks) == 0 && o.Kernel == "" {
		return o, errors.New("nothing to boot: set an ISO, a disk or a kernel")
	}
	if o.Kernel == "" && (o.Initrd != "" || o.Append != "") {
		return o, errors.New("an initrd or a command line needs a kernel")
	}

	disks := make([]Disk, len(o.Disks))
	for i, d := range o.Disks {
		d, err := d.resolve()
		if err != nil {
			return o, errors.Wrapf(err, "disk %d", i)
		}
		disks[i] = d
	}
	o.Disks = disks

	for _, f := range o.Forwards {
		if f.Guest <= 0 || f.Guest > 65535 || f.Host <= 0 || f.Host > 65535 {
			return o, errors.Errorf("port forward %d to %d: a port is between 1 and 65535", f.Host, f.Guest)
		}
		o.Network = true
	}
	return o, nil
}

func (d Disk) resolve() (Disk, error) {
	if d.Format == "" {
		d.Format = "raw"
		if strings.EqualFold(filepath.Ext(d.Path), ".qcow2") {
			d.Format = "qcow2"
		}
	}
	switch {
	case d.Format != "raw" && d.Format != "qcow2":
		return d, errors.Errorf("format %q is unknown: raw or qcow2", d.Format)
	case d.SizeMiB < 0:
		return d, errors.Errorf("size of %d MiB is not valid", d.SizeMiB)
	case d.Path == "" && d.SizeMiB == 0:
		return d, errors.New("has neither a path nor a size")
	case d.Path == "" && d.Format != "raw":
		return d, errors.New("a blank disk must be raw")
	case d.Scratch && d.ReadOnly:
		return d, errors.New("a disk cannot be both scratch and read-only")
	case d.Path != "" && d.SizeMiB != 0 && !d.Scratch:
		return d, errors.New("only a scratch disk can be grown, because its image is not changed")
	case len(d.Serial) > 20:
		return d, errors.Errorf("serial %q is longer than 20 bytes", d.Serial)
	}
	return d, nil
}

// slowdown returns the factor for timeouts under an accelerator.
func (o Options) slowdown(accel Accel) float64 {
	switch {
	case o.Slowdown > 0:
		return o.Slowdown
	case accel == TCG:
		return TCGSlowdown
	default:
		return 1
	}
}
