package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/inspect"
)

const inspectHelp = `Show what is inside a built Kairos system, of flavorkit or of upstream: release,
packages, kernel, initramfs, boot loaders, services, cloud-config, and the layers
of an image or the partitions and the boot menu of a medium. Needs no root, mounts
nothing and runs nothing.

SYSTEM is an OCI layout, as a directory or an archive, an archive of docker save,
an image in a registry, an ISO, a raw disk, a squashfs, or a directory with a root
filesystem. What is compressed with zstd or xz is unpacked into a temporary file.`

func inspectCommand() *cobra.Command {
	var opt inspect.Options
	var format, progress string
	var site siteFlags
	cmd := &cobra.Command{
		Use:   "inspect SYSTEM",
		Short: "Show what is inside an image, an ISO or a disk",
		Long:  inspectHelp,
		Example: `  flavorkit inspect dist/kairos-debian-12-core-amd64-generic-v1.0.0.iso
  flavorkit inspect quay.io/kairos/debian:12-core-amd64-generic-v3.5.0 --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if opt.Registries, err = site.registries(); err != nil {
				return err
			}
			report, err := step(cmd, progress, reading(args[0]), func() (*inspect.Report, error) {
				return inspect.Read(cmd.Context(), args[0], opt)
			})
			if err != nil {
				return err
			}
			if format == "json" {
				return printJSON(cmd.OutOrStdout(), report)
			}
			return report.WriteText(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&opt.Arch, "arch", runtime.GOARCH, "architecture, if there are images for several, such as arm64")
	site.add(cmd.Flags())
	addFormat(cmd, &format, formatText, formatJSON)
	addProgress(cmd.Flags(), &progress)
	return cmd
}
