package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/docker/go-units"
	"github.com/moby/buildkit/client"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/client/unpack"
)

const unpackHelp = `Write the files of an image into a directory, such as the disk in an image that
holds only a disk. The directory is made if it is missing, and is . by default.

IMAGE is an OCI layout, as a directory or an archive, an archive of docker save,
or an image in a registry, with the credentials of docker login and the mirrors and
the authority of --config. Files appear when
the checksums of all layers are right. None is replaced without --force.`

func unpackCommand() *cobra.Command {
	var opt unpack.Options
	var progress string
	var site siteFlags
	cmd := &cobra.Command{
		Use:   "unpack IMAGE [DIR]",
		Short: "Write the files of an image into a directory",
		Long:  unpackHelp,
		Example: `  flavorkit unpack quay.io/acme/edge:v1.1.7.img
  flavorkit unpack dist/edge.oci.tar rootfs`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			show, err := solve.NewProgress(cmd.ErrOrStderr(), progress)
			if err != nil {
				return &usageError{err}
			}
			if opt.Registries, err = site.registries(); err != nil {
				return err
			}
			dir := "."
			if len(args) > 1 {
				dir = args[1]
			}
			status := make(chan *client.SolveStatus)
			opt.Status = status
			var result unpack.Result
			var eg errgroup.Group
			eg.Go(func() (err error) {
				result, err = unpack.Unpack(cmd.Context(), args[0], dir, opt)
				return err
			})
			eg.Go(func() error { return show(status) })
			if err := eg.Wait(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s of %s into %s\n", count(result.Files, "file"), units.HumanSize(float64(result.Size)), dir)
			return err
		},
	}
	flags := cmd.Flags()
	site.add(flags)
	flags.StringVar(&opt.Arch, "arch", runtime.GOARCH, "architecture, if there are images for several, such as arm64")
	flags.BoolVar(&opt.Force, "force", false, "replace files that exist")
	flags.BoolVar(&opt.Owners, "same-owner", os.Geteuid() == 0, "keep owners, and setuid bits; the default for root")
	addProgress(flags, &progress)
	return cmd
}
