package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/internal/vmtest"
)

func bootCommand() *cobra.Command {
	var o vmtest.Options
	var firmware, accel string
	var disk int
	cmd := &cobra.Command{
		Use:   "boot FILE",
		Short: "Boot an ISO or a disk in QEMU, on this terminal",
		Long: `Boot an ISO or a disk in QEMU, with its serial console on this terminal.
Ctrl-a x ends the machine. KVM is used where it works for the kernel of the
artifact, which is tried out once; else the machine is emulated, and slow.`,
		Example: "  flavorkit boot dist/kairos-debian-12-core-amd64-generic-v1.0.0.iso\n  flavorkit boot --firmware uefi --disk 20 dist/….iso",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := args[0]
			if _, err := os.Stat(file); err != nil {
				return errors.Wrap(err, "open the artifact")
			}
			switch unpack, packed := unpacked()[filepath.Ext(file)]; {
			case packed:
				return errors.Errorf("%s is compressed; unpack it first: %s %s", file, unpack, file)
			case strings.HasSuffix(file, ".iso"):
				o.ISO = file
			default:
				o.Disks = append(o.Disks, vmtest.Disk{Path: file, Scratch: true})
			}
			if disk > 0 {
				o.Disks = append(o.Disks, vmtest.Disk{SizeMiB: disk * 1024})
			}
			o.Firmware, o.Accel, o.Network = vmtest.Firmware(firmware), vmtest.Accel(accel), true
			chosen, reason := vmtest.Accelerator(cmd.Context(), o)
			if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "booting %s with %s (%s); Ctrl-a x ends it\n", file, chosen, reason); err != nil {
				return err
			}
			o.Accel = chosen
			return vmtest.Interactive(cmd.Context(), o, os.Stdin, os.Stdout)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&firmware, "firmware", "", "bios, uefi or secureboot (default: bios on amd64, uefi on arm64)")
	flags.StringVar(&o.Arch, "arch", "amd64", "architecture of the artifact: amd64 or arm64")
	flags.StringVar(&accel, "accel", "auto", "auto, kvm or tcg")
	flags.IntVar(&o.MemoryMiB, "memory", 2048, "memory in MiB")
	flags.IntVar(&o.CPUs, "cpus", 2, "virtual CPUs")
	flags.IntVar(&disk, "disk", 0, "attach an empty disk of this many GiB, to install on")
	return cmd
}

// unpacked are the commands that unpack a disk image, by the ending of its name.
func unpacked() map[string]string {
	return map[string]string{".zst": "zstd -d --sparse", ".xz": "xz -dk"}
}
