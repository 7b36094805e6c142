package qemu

import (
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/arch"
)

// Firmware is what runs before the boot loader.
type Firmware string

const (
	// BIOS is SeaBIOS, which QEMU carries itself. Only PCs have it.
	BIOS Firmware = "bios"
	// UEFI is firmware for EFI without keys: it boots signed and unsigned loaders.
	UEFI Firmware = "uefi"
	// SecureBoot is UEFI with Microsoft's and the distribution's keys enrolled: it refuses unsigned loaders.
	SecureBoot Firmware = "secureboot"
)

// Accel is how the guest's CPU is run.
type Accel string

const (
	// Auto is KVM where it works for this kernel, otherwise TCG; see [Accelerator].
	Auto Accel = "auto"
	// KVM runs the guest on the host's CPU. It needs Linux and a guest of the host's architecture.
	KVM Accel = "kvm"
	// TCG emulates the CPU. It works everywhere, and slowly.
	TCG Accel = "tcg"
)

// TCGSlowdown is the factor by which deadlines grow under TCG, unless [Options.Slowdown] says otherwise.
const TCGSlowdown = 8

// Options describe the machine and what it boots. The zero value of a field is its default.
type Options struct {
	// Arch is the guest's architecture. It has no default: catalogs have them.
	Arch arch.Arch
	// Firmware defaults to BIOS where the architecture has it, else to UEFI, or to none when Kernel is set.
	Firmware Firmware
	// Accel defaults to Auto.
	Accel Accel
	// MemoryMiB is the guest's memory in MiB. Default: 2048.
	MemoryMiB int
	// CPUs is the number of virtual CPUs. Default: 2.
	CPUs int

	// ISO is put into a CD-ROM drive.
	ISO string
	// Disks are virtio disks: /dev/vda, /dev/vdb and so on, in this order.
	Disks []Disk
	// DiskFirst tries the disks before the ISO. An empty disk falls through to the ISO, so an installation can be
	// followed across its reboot into the installed system.
	DiskFirst bool

	// Kernel, Initrd and Append boot a kernel directly, without a boot loader. Append is its command line.
	Kernel, Initrd, Append string

	// Network attaches a virtio network card behind QEMU's user mode NAT: out is open, in only through Forwards.
	Network bool
	// Forwards are TCP ports of the host that lead into the guest. Any implies Network.
	Forwards []Forward

	// BIOSConsole makes SeaBIOS mirror the text screen to the serial console. It shows boot loaders that do not speak
	// serial themselves; those that do appear twice, letter by letter.
	BIOSConsole bool
	// NoReboot ends the machine when the guest reboots.
	NoReboot bool

	// Fatal makes every wait on the console fail at once when it appears, say [KernelPanic].
	Fatal *regexp.Regexp
	// Slowdown is the factor by which all deadlines grow. Default: 1 under KVM, TCGSlowdown under TCG.
	Slowdown float64
	// TempDir is where private files live: firmware variables, scratch disks, sockets. Default: os.TempDir. Sockets
	// limit the length of its path to about 80 bytes.
	TempDir string
	// Log gets a copy of everything the serial console prints, as it is printed: from another goroutine, until Wait
	// or Close returns.
	Log io.Writer
	// ExtraArgs are appended to QEMU's command line.
	ExtraArgs []string
}

// Disk is one virtio disk.
type Disk struct {
	// Path is the image file. Empty: a blank disk of SizeMiB that lives as long as the machine.
	Path string
	// Format is raw or qcow2. Default: qcow2 when Path ends in it, otherwise raw.
	Format string
	// ReadOnly forbids the guest to write.
	ReadOnly bool
	// Scratch lets the guest write without changing the image; what it wrote ends with the machine.
	Scratch bool
	// SizeMiB is the size in MiB of a blank disk, or what a Scratch disk is grown to, as when an image is written to
	// a larger device. It is not less than that of the image.
	SizeMiB int
	// Serial is what the guest finds as /dev/disk/by-id/virtio-<Serial>. At most 20 bytes.
	Serial string
}

// Forward leads a TCP port of the host's loopback interface to a port of the guest.
type Forward struct {
	// Host is the port on 127.0.0.1.
	Host int
	// Guest is the port in the guest.
	Guest int
}

// KernelPanic matches what Linux prints when it gives up. It suits [Options.Fatal].
func KernelPanic() *regexp.Regexp {
	return regexp.MustCompile(`Kernel panic - not syncing: [^\n]*`)
}

// Check tells what cannot work, whatever the host has.
func (o Options) Check() error {
	_, err := o.resolve()
	return err
}

// resolve fills in defaults and rejects what cannot work. Accel stays as it is.
func (o Options) resolve() (Options, error) {
	if o.Arch.Emulator.Program == "" {
		return o, errors.Errorf("architecture %q has no emulator", o.Arch.Name)
	}
	switch o.Accel {
	case "":
		o.Accel = Auto
	case Auto, KVM, TCG:
	default:
		return o, errors.Errorf("accelerator %q is unknown: auto, kvm or tcg", o.Accel)
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
	case UEFI, SecureBoot:
	default:
		return o, errors.Errorf("firmware %q is unknown: bios, uefi or secureboot", o.Firmware)
	}
	switch {
	case o.MemoryMiB < 0:
		return o, errors.Errorf("memory of %d MiB", o.MemoryMiB)
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
		return o, errors.New("nothing to boot: no ISO, no disk, no kernel")
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
		return d, errors.Errorf("size of %d MiB", d.SizeMiB)
	case d.Path == "" && d.SizeMiB == 0:
		return d, errors.New("neither a path nor a size")
	case d.Path == "" && d.Format != "raw":
		return d, errors.New("a blank disk is raw")
	case d.Scratch && d.ReadOnly:
		return d, errors.New("a disk is either scratch or read-only")
	case d.Path != "" && d.SizeMiB != 0 && !d.Scratch:
		return d, errors.New("only a scratch disk can be grown, the image itself is not touched")
	case len(d.Serial) > 20:
		return d, errors.Errorf("serial %q is longer than 20 bytes", d.Serial)
	}
	return d, nil
}

// slowdown is the factor for deadlines under an accelerator.
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
