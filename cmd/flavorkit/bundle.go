package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/bundle"
	"github.com/flavorkit/flavorkit/frontend"
	planbundle "github.com/flavorkit/flavorkit/plan/bundle"
	"github.com/flavorkit/flavorkit/specs"
)

const bundleHelp = `Write everything that builds of a spec need into one file or directory, so that
they need no network: 'flavorkit build --from-bundle FILE' builds from it, and
so does docker buildx, as the README.md in the bundle says.

The spec must have a lock file, which says what the bundle has: images, packages
and downloads of all targets. Named contexts and the files that the spec takes
from the build context are in it, too. Build secrets and cloud-configs of
--cloud-config are not.

Equal inputs make equal bundles.`

const bundleExample = `  flavorkit lock
  flavorkit bundle -o edge.tar
  flavorkit build --from-bundle edge.tar --target iso`

// bundleFlags are the flags of the bundle command.
type bundleFlags struct {
	solveFlags
	output, frontend string
}

func bundleCommand() *cobra.Command {
	f := &bundleFlags{}
	cmd := &cobra.Command{
		Use:     "bundle [CONTEXT | SPEC] -o FILE.tar | DIRECTORY",
		Short:   "Write what builds of a spec need, for a place without a network",
		Long:    bundleHelp,
		Example: bundleExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Log = cmd.ErrOrStderr()
			if err := f.find(cmd.Context(), args); err != nil {
				return err
			}
			if err := f.complete(); err != nil {
				return err
			}
			return f.run(cmd.Context(), cmd)
		},
	}
	f.addBuilder(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.File, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	flags.StringVarP(&f.output, "output", "o", "", "where to: a name that ends with .tar is a file, any other a directory")
	flags.StringVar(&f.frontend, "frontend", "", "frontend image to add for docker buildx, such as "+frontend.Image()+" or oci-layout://path:tag")
	flags.StringSliceVar(&f.Platforms, "platform", nil, "platforms to build for, such as linux/amd64,linux/arm64")
	return cmd
}

func (f *bundleFlags) complete() error {
	if err := f.solveFlags.complete(); err != nil {
		return err
	}
	if f.output == "" {
		return usagef("name the bundle with -o, such as -o edge.tar")
	}
	if f.frontend != "" {
		value := f.frontend
		if !strings.Contains(value, "://") {
			value = "docker-image://" + value
		}
		f.addContext(planbundle.FrontendName, value)
	}
	return nil
}

func (f *bundleFlags) run(ctx context.Context, cmd *cobra.Command) error {
	return f.withClient(ctx, func(c *client.Client) error {
		has, err := bundle.Make(ctx, c, f.Options, f.output)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d downloads and %d images, for %s\n",
			f.output, len(has.Downloads), len(has.Images), strings.Join(has.Platforms, ", "))
		return err
	})
}

// fromBundle takes what the command line leaves open from a bundle. The caller removes what is returned.
func (f *buildFlags) fromBundle(ctx context.Context) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "flavorkit-"); err != nil {
		return "", errors.Wrap(err, "open the bundle")
	}
	b, err := bundle.Open(ctx, f.bundle, dir)
	if err != nil {
		return dir, err
	}
	if f.File == "" && f.Context == "" {
		f.File, f.Context = filepath.Join(b.Dir, planbundle.SpecDir, b.Spec), filepath.Join(b.Dir, planbundle.ContextDir)
	}
	var args []string
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		args = append(args, name+"="+b.Args[name])
	}
	f.args.list = append(args, f.args.list...) // the last one counts
	f.addContext(planbundle.ContextName, "oci-layout://"+b.Dir+"@"+b.Digest.String())
	return dir, nil
}
