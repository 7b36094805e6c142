package qemu

import (
	"fmt"
	"strconv"
	"strings"
)

// launch has what a VM's command line needs in addition to its resolved Options.
type launch struct {
	accel Accel
	// board are arguments that choose board, CPU and devices. The default is those of Options.Arch.
	board []string
	// firmware is nil for BIOS and for direct kernel boot without firmware.
	firmware *firmware
	// vars is the VM's copy of the firmware's variable store.
	vars string
	// disks are the image files, one for each of Options.Disks.
	disks []launchDisk
	// paused stops the VM before its first instruction.
	paused bool
	// console are the arguments that create the character device "console" and whatever else uses
	// it.
	console []string
}

// launchDisk is a disk with its image file.
type launchDisk struct {
	Disk
	// blank is true if the file was made for the VM and is removed with it.
	blank bool
}

// grows reports whether the disk is to be larger than its image.
func (d launchDisk) grows() bool { return !d.blank && d.SizeMiB > 0 }

// diskName is the name of a disk on QEMU's command line and monitor.
func diskName(i int) string { return fmt.Sprintf("disk%d", i) }

// arguments builds QEMU's command line, without the program itself.
func arguments(o Options, l launch) []string {
	args := []string{"-nodefaults", "-no-user-config", "-display", "none"}
	if l.board != nil {
		args = append(args, l.board...)
	} else {
		args = append(args, machineArgs(o, l)...)
	}
	args = append(args,
		"-accel", string(l.accel),
		"-m", strconv.Itoa(o.MemoryMiB),
		"-smp", strconv.Itoa(o.CPUs),
		"-device", "virtio-rng-pci",
	)
	args = append(args, l.console...)
	args = append(args, "-serial", "chardev:console")
	args = append(args, firmwareArgs(l)...)
	args = append(args, driveArgs(o, l)...)
	args = append(args, networkArgs(o)...)
	if o.Kernel != "" {
		args = append(args, "-kernel", o.Kernel)
	}
	if o.Initrd != "" {
		args = append(args, "-initrd", o.Initrd)
	}
	if o.Append != "" {
		args = append(args, "-append", o.Append)
	}
	if l.paused {
		args = append(args, "-S")
	}
	if o.NoReboot {
		args = append(args, "-no-reboot")
	}
	return append(args, o.ExtraArgs...)
}

// Step is a VM in a build step: all files have fixed paths, and nothing of the host is there.
type Step struct {
	// Board are the arguments that choose board, CPU and devices ([arch.Emulator.Arguments]).
	Board []string
	// CDROM is the device that reads Options.ISO.
	CDROM string
	// Code is the UEFI firmware and Variables its variable store, both raw. Empty for the firmware
	// of the board.
	Code, Variables string
	// Console is the file that receives the output of the serial console.
	Console string
}

// Arguments is QEMU's command line for the VM, without the program itself. The CPU is emulated:
// steps have no /dev/kvm. Disks need a path and a format.
func (s Step) Arguments(o Options) []string {
	l := launch{accel: TCG, board: s.Board, console: []string{"-chardev", "file,id=console,path=" + escape(s.Console)}}
	if s.Code != "" {
		l.firmware, l.vars = &firmware{code: s.Code, codeFormat: "raw", varsFormat: "raw"}, s.Variables
	}
	for _, d := range o.Disks {
		l.disks = append(l.disks, launchDisk{Disk: d})
	}
	o.Arch.Emulator.CDROM = s.CDROM
	return arguments(o, l)
}

// machineArgs choose board, CPU and devices. Only boards with a BIOS have the options graphics and
// smm.
func machineArgs(o Options, l launch) []string {
	e := o.Arch.Emulator
	if o.BIOSConsole {
		e.Machine += ",graphics=off"
	}
	if l.firmware != nil && l.firmware.smm {
		e.Machine += ",smm=on"
	}
	if l.accel == KVM {
		e.CPU = "host"
	}
	return e.Arguments()
}

func firmwareArgs(l launch) []string {
	if l.firmware == nil {
		return nil
	}
	args := []string{
		"-drive", "if=pflash,unit=0,readonly=on,format=" + l.firmware.codeFormat + ",file=" + escape(l.firmware.code),
		"-drive", "if=pflash,unit=1,format=" + l.firmware.varsFormat + ",file=" + escape(l.vars),
	}
	if l.firmware.smm {
		args = append(args, "-global", "driver=cfi.pflash01,property=secure,value=on",
			"-global", "ICH9-LPC.disable_s3=1")
	}
	return args
}

func driveArgs(o Options, l launch) []string {
	isoIndex, diskIndex := 0, 1
	if o.DiskFirst {
		isoIndex, diskIndex = len(l.disks), 0
	}

	var args []string
	if o.ISO != "" {
		args = append(args,
			"-drive", "if=none,id=iso,media=cdrom,readonly=on,format=raw,file="+escape(o.ISO),
			"-device", fmt.Sprintf("%s,drive=iso,bootindex=%d", o.Arch.Emulator.CDROM, isoIndex))
	}
	for i, d := range l.disks {
		drive := fmt.Sprintf("if=none,id=%s,format=%s", diskName(i), d.Format)
		if d.ReadOnly {
			drive += ",readonly=on"
		}
		if d.Scratch {
			drive += ",snapshot=on"
		}
		if d.blank {
			drive += ",cache=unsafe"
		}
		device := fmt.Sprintf("virtio-blk-pci,drive=%s,bootindex=%d", diskName(i), diskIndex+i)
		if d.Serial != "" {
			device += ",serial=" + escape(d.Serial)
		}
		args = append(args, "-drive", drive+",file="+escape(d.Path), "-device", device)
	}
	return args
}

// networkArgs leave out the card's boot ROM, so that firmware does not try the network and the ROM
// need not be installed.
func networkArgs(o Options) []string {
	if !o.Network {
		return nil
	}
	netdev := "user,id=net0"
	for _, f := range o.Forwards {
		netdev += fmt.Sprintf(",hostfwd=tcp:127.0.0.1:%d-:%d", f.Host, f.Guest)
	}
	return []string{"-netdev", netdev, "-device", "virtio-net-pci,netdev=net0,romfile="}
}

// socketConsole is for programs: the console is on one socket, QEMU's control protocol on another.
func socketConsole(console, control string) []string {
	return []string{
		"-chardev", "socket,id=console,path=" + escape(console),
		"-chardev", "socket,id=control,path=" + escape(control),
		"-mon", "chardev=control,mode=control",
	}
}

// terminalConsole is for people: console and monitor share the terminal, and Ctrl-a c switches
// between them. Ctrl-c goes to the guest.
func terminalConsole() []string {
	return []string{
		"-chardev", "stdio,id=console,mux=on,signal=off",
		"-mon", "chardev=console,mode=readline",
	}
}

// escape doubles commas, which separate the options of an argument.
func escape(value string) string { return strings.ReplaceAll(value, ",", ",,") }
