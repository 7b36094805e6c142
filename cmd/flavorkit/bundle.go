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

const matrixBundleHelp = `Write everything that builds of the entries of a matrix need into one file or
directory, so that they need no network: 'flavorkit matrix build --from-bundle
FILE' builds all entries from it, or some. What several entries need is in it
once.

The matrix must have a lock file. See 'flavorkit bundle --help'.`

const matrixBundleExample = `  flavorkit matrix lock --file edge.yaml
  flavorkit matrix bundle --file edge.yaml -o edge.tar
  flavorkit matrix build --from-bundle edge.tar --target iso`

const bundleExample = `  flavorkit lock
  flavorkit bundle -o edge.tar
  flavorkit build --from-bundle edge.tar --target iso`

// bundleFlags are the flags of the commands that bundle.
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
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.File, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	flags.StringVar(&f.frontend, "frontend", "", "frontend image to add for docker buildx, such as "+frontend.Image()+" or oci-layout://path:tag")
	flags.StringSliceVar(&f.Platforms, "platform", nil, "platforms to build for, such as linux/amd64,linux/arm64")
	return cmd
}

func matrixBundleCommand() *cobra.Command {
	f, m := &bundleFlags{}, &matrixFlags{}
	cmd := &cobra.Command{
		Use:     "bundle --file MATRIX -o FILE.tar | DIRECTORY",
		Short:   "Write what builds of a matrix need, for a place without a network",
		Long:    matrixBundleHelp,
		Example: matrixBundleExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Log = cmd.ErrOrStderr()
			if err := f.complete(); err != nil {
				return err
			}
			if err := m.whole(cmd.Context(), &f.solveFlags); err != nil {
				return err
			}
			return f.run(cmd.Context(), cmd)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&m.file, "file", "f", "", "the matrix")
	return cmd
}

// add adds the flags of all commands that bundle.
func (f *bundleFlags) add(cmd *cobra.Command) {
	f.addBuilder(cmd)
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "where to: a name that ends with .tar is a file, any other a directory")
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

// fromBundle opens a bundle, and takes build arguments and named contexts from it that the command line
// does not set. The caller removes dir.
func (f *solveFlags) fromBundle(ctx context.Context, name string) (b *bundle.Opened, dir string, err error) {
	if dir, err = os.MkdirTemp("", "flavorkit-"); err != nil {
		return nil, "", errors.Wrap(err, "open the bundle")
	}
	scratch := filepath.Join(dir, "bundle")
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return nil, dir, errors.Wrap(err, "open the bundle")
	}
	if b, err = bundle.Open(ctx, name, scratch); err != nil {
		return nil, dir, err
	}
	directories, err := b.Directories(ctx, dir)
	if err != nil {
		return nil, dir, err
	}
	for name := range f.Contexts {
		delete(directories, frontend.ContextKey(name))
	}
	for name, path := range directories {
		f.addContext(name, path)
	}
	f.addContext(planbundle.ContextName, "oci-layout://"+b.Dir+"@"+b.Digest.String())
	var args []string
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		args = append(args, name+"="+b.Args[name])
	}
	f.args.list = append(args, f.args.list...) // the last one counts
	return b, dir, nil
}
