package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// bootFlags are the flags of the boot command.
type bootFlags struct {
	qemu.Options
	arch, firmware, accel string
	progress              string
	disk                  int
	publish               []string
}

func bootCommand() *cobra.Command {
	f := &bootFlags{}
	cmd := &cobra.Command{
		Use:   "boot FILE",
		Short: "Boot an ISO or a disk in QEMU, on this terminal",
		Long: `Boot an ISO or a disk in QEMU, with its serial console on this terminal.
Ctrl-a x ends the machine. KVM is used where it works with the kernel of the artifact, which flavorkit tries once.
Otherwise the processor is emulated, which is slow.`,
		Example: "  flavorkit boot dist/kairos-debian-12-core-amd64-generic-v1.0.0.iso\n  flavorkit boot --firmware uefi --disk 20 dist/….iso",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := args[0]
			if err := f.complete(file); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "booting %s; Ctrl-a x ends it\n", file)
			var reason string
			var err error
			f.Accel, err = step(cmd, f.progress, "try KVM", func() (accel qemu.Accel, _ error) {
				accel, reason = qemu.Accelerator(cmd.Context(), f.Options)
				return accel, nil
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "with %s (%s)\n", f.Accel, reason)
			return qemu.Interactive(cmd.Context(), f.Options, os.Stdin, os.Stdout)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.firmware, "firmware", "", strings.Join(texts(qemu.Firmwares()), ", ")+" (default: bios where the architecture has it, else uefi)")
	setChoices(flags, "firmware", texts(qemu.Firmwares()))
	flags.StringVar(&f.arch, "arch", runtime.GOARCH, "architecture of the artifact, such as arm64")
	flags.StringVar(&f.accel, "accel", string(qemu.Auto), strings.Join(texts(qemu.Accels()), ", "))
	setChoices(flags, "accel", texts(qemu.Accels()))
	addProgress(flags, &f.progress)
	flags.IntVar(&f.MemoryMiB, "memory", 2048, "memory in MiB")
	flags.IntVar(&f.CPUs, "cpus", 2, "virtual CPUs")
	flags.StringArrayVarP(&f.publish, "publish", "p", nil, "forward a port of 127.0.0.1 to the machine, such as 2222:22 for ssh")
	flags.IntVar(&f.disk, "disk", 0, "attach an empty disk of this many GiB, to install on")
	return cmd
}

// leastMemory is the memory in MiB below which no system starts.
const leastMemory = 256

// complete checks the flags and returns the machine that boots the file.
func (f *bootFlags) complete(file string) error {
	switch {
	case f.MemoryMiB < leastMemory:
		return usagef("--memory %d is too little; give at least %d, in MiB", f.MemoryMiB, leastMemory)
	case f.CPUs < 1:
		return usagef("--cpus %d is too few; give at least 1", f.CPUs)
	case f.disk < 0:
		return usagef("--disk %d is not a size in GiB", f.disk)
	}
	cat, err := catalog.Builtin()
	if err != nil {
		return err
	}
	if f.Arch, err = findArch(cat, f.arch); err != nil {
		return err
	}
	if strings.HasSuffix(file, ".iso") {
		f.ISO = file
	} else {
		f.Disks = append(f.Disks, qemu.Disk{Path: file, Scratch: true})
	}
	if f.disk > 0 {
		f.Disks = append(f.Disks, qemu.Disk{SizeMiB: f.disk * 1024})
	}
	for _, s := range f.publish {
		forward, err := parsePublish(s)
		if err != nil {
			return err
		}
		f.Forwards = append(f.Forwards, forward)
	}
	f.Firmware, f.Accel, f.Network = qemu.Firmware(f.firmware), qemu.Accel(f.accel), true
	if err := f.Check(); err != nil {
		return &usageError{err}
	}
	return checkArtifact(file)
}

// parsePublish reads two ports, HOST:GUEST.
func parsePublish(s string) (qemu.Forward, error) {
	host, guest, ok := strings.Cut(s, ":")
	from, errHost := strconv.ParseUint(host, 10, 16)
	to, errGuest := strconv.ParseUint(guest, 10, 16)
	if !ok || errHost != nil || errGuest != nil || from == 0 || to == 0 {
		return qemu.Forward{}, usagef("--publish %q is not two ports; write it such as 2222:22", s)
	}
	return qemu.Forward{Host: int(from), Guest: int(to)}, nil
}

// checkArtifact refuses files that no machine boots from.
func checkArtifact(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return errors.Wrap(err, "open the artifact")
	}
	if info.IsDir() {
		return errors.Errorf("%s is a directory; name an ISO or a disk in it", file)
	}
	if unpack, packed := unpacked()[filepath.Ext(file)]; packed {
		return errors.Errorf("%s is compressed; unpack it first: %s %s", file, unpack, quote(file))
	}
	return nil
}

// unpacked has the command that unpacks a disk image, by file extension.
func unpacked() map[string]string {
	return map[string]string{".zst": "zstd -d --sparse", ".xz": "xz -dk"}
}
