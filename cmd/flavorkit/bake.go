package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/internal/bake"
	"github.com/flavorkit/flavorkit/internal/matrix"
)

const bakeHelp = `Write a file for docker buildx bake, with a target for each cell of a matrix, and
groups: default with all cells, and one for each variant, architecture and flavor.

The variables REGISTRY, VERSION and TARGET are set where bake runs. Bake needs no
flavorkit there: BuildKit fetches the frontend.`

const bakeExample = `  flavorkit bake --arch amd64
  REGISTRY=ghcr.io/acme VERSION=v1.4.0 docker buildx bake -f docker-bake.json --push core
  TARGET=iso docker buildx bake -f docker-bake.json --set '*.output=dist' core-debian-12-amd64-generic`

func bakeCommand() *cobra.Command {
	var f matrixFlags
	var o bake.Options
	var output string
	cmd := &cobra.Command{
		Use:     "bake",
		Short:   "Write a matrix as a file for docker buildx bake",
		Long:    bakeHelp,
		Example: bakeExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Version = cmp.Or(f.version, matrix.DefaultVersion)
			o.Context = filepath.ToSlash(f.folder())
			text, err := f.bake(cmd, o)
			if err != nil {
				return err
			}
			if output == "-" {
				_, err := cmd.OutOrStdout().Write(text)
				return err
			}
			if err := os.WriteFile(output, text, 0o644); err != nil {
				return errors.Wrap(err, "write the bake file")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; build it with: docker buildx bake -f %s\n", output, output)
			return err
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "docker-bake.json", "the file to write; - is standard output")
	flags.StringVar(&o.Frontend, "frontend", "ghcr.io/flavorkit/frontend:1", "image of the frontend")
	flags.StringVar(&o.Registry, "registry", "localhost:5000", "default of the variable REGISTRY")
	flags.StringVar(&o.Target, "target", "image", "default of the variable TARGET")
	flags.StringToStringVar(&o.Contexts, "build-context", nil, "named context of all targets: name=folder, name=docker-image://ref")
	flags.StringArrayVar(&o.CacheFrom, "cache-from", nil, "cache of all targets, such as type=registry,ref=…")
	flags.StringArrayVar(&o.CacheTo, "cache-to", nil, "cache that all targets write, such as type=registry,ref=…,mode=max")
	return cmd
}

// bake plans the cells with the version that bake fills in.
func (f *matrixFlags) bake(cmd *cobra.Command, o bake.Options) ([]byte, error) {
	if f.version == "" {
		f.flavorVersion = bake.Version
	} else {
		f.version = bake.Version
	}
	cells, err := f.cells()
	if err != nil {
		return nil, err
	}
	plans, err := f.plans(cmd.Context(), cells, o.Contexts)
	if err != nil {
		return nil, err
	}
	targets := make([]bake.Cell, len(cells))
	for i, r := range rows(cells, plans) {
		targets[i] = bake.Cell{
			Name: r.Name, Spec: r.Spec, Image: r.Image, Arch: r.Arch,
			Groups: []string{r.Variant, r.Arch, cells[i].Flavor},
		}
	}
	return bake.File(targets, o)
}
