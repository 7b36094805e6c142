package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/bake"
	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/matrix"
)

const bakeHelp = `Write a file for docker buildx bake, with a target for each entry of a matrix, and
groups: default with all entries, and one for each variant, architecture and flavor.

Set the variables REGISTRY, VERSION and TARGET where bake runs. Bake does not need
flavorkit there: BuildKit fetches the frontend.`

const bakeExample = `  flavorkit bake --arch amd64
  REGISTRY=ghcr.io/acme VERSION=v1.4.0 docker buildx bake -f docker-bake.json --push core
  TARGET=iso docker buildx bake -f docker-bake.json --set '*.output=dist' core-debian-12-amd64-generic`

func bakeCommand() *cobra.Command {
	var f matrixFlags
	var o bake.Options
	var args argFlags
	var contexts contextFlags
	var output string
	cmd := &cobra.Command{
		Use:     "bake",
		Short:   "Write a matrix as a file for docker buildx bake",
		Long:    bakeHelp,
		Example: bakeExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.checkBake(cmd.Context(), o); err != nil {
				return err
			}
			if err := args.read(); err != nil {
				return err
			}
			f.given = args.values
			o.Version = cmp.Or(f.version, matrix.DefaultVersion)
			o.Targets = frontend.Targets()
			o.Context = filepath.ToSlash(f.dir())
			with, err := contexts.read(cmd.Context())
			if err != nil {
				return err
			}
			o.Contexts = contexts.contexts
			text, err := f.bake(cmd, o, with)
			if err != nil {
				return err
			}
			if output == "-" {
				_, err := cmd.OutOrStdout().Write(text)
				return err
			}
			if err := writeBake(output, text); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; build it with: docker buildx bake -f %s\n", output, quote(output))
			return err
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	args.add(flags)
	flags.StringVarP(&output, "output", "o", "docker-bake.json", "the file to write; - is standard output")
	flags.StringVar(&o.Frontend, "frontend", frontend.Image(), "image of the frontend")
	flags.StringVar(&o.Registry, "registry", "localhost:5000", "default of the variable REGISTRY")
	flags.StringVar(&o.Target, "target", "image", "default of the variable TARGET")
	contexts.add(cmd)
	flags.StringArrayVar(&o.CacheFrom, "cache-from", nil, "cache of all targets, such as type=registry,ref=ghcr.io/acme/cache:{entry}")
	flags.StringArrayVar(&o.CacheTo, "cache-to", nil, "cache that each target writes, such as type=registry,ref=ghcr.io/acme/cache:{entry},mode=max")
	return cmd
}

// checkBake checks the options that go into the file unchanged.
func (f *matrixFlags) checkBake(ctx context.Context, o bake.Options) error {
	if err := checkVersion(ctx, f.version); err != nil {
		return err
	}
	if _, err := findTarget(o.Target); err != nil {
		return err
	}
	if err := checkImage("frontend", o.Frontend); err != nil {
		return err
	}
	return checkRegistry(o.Registry)
}

// checkOwnCaches refuses a cache that several targets would overwrite. An inline cache is part of
// each image.
func checkOwnCaches(caches []string, targets int) error {
	for _, c := range caches {
		if targets > 1 && !strings.Contains(c, bake.OwnName) && !strings.Contains(c, "type=inline") {
			return usagef("--cache-to %q is the same cache for %d targets, which would overwrite each other; put %s into its name, such as ref=ghcr.io/acme/cache:%[3]s",
				c, targets, bake.OwnName)
		}
	}
	return nil
}

// writeBake writes a bake file. It overwrites only files that flavorkit wrote.
func writeBake(file string, text []byte) error {
	// A file that is not regular, such as a pipe, has nothing to lose.
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		former, err := os.ReadFile(file)
		if err != nil {
			return errors.Wrap(err, "read the former bake file")
		}
		if !bake.Ours(former) {
			return errors.Errorf("%s exists and was not written by flavorkit; choose another file with -o", file)
		}
	}
	return errors.Wrap(os.WriteFile(file, text, 0o644), "write the bake file")
}

// bake plans the entries with the placeholder version.
func (f *matrixFlags) bake(cmd *cobra.Command, o bake.Options, with local.Options) ([]byte, error) {
	if f.version == "" {
		f.flavorVersion = bake.Version
	} else {
		f.version = bake.Version
	}
	entries, all, err := f.entries(with.Catalog)
	if err != nil {
		return nil, err
	}
	if err := checkOwnCaches(o.CacheTo, len(entries)); err != nil {
		return nil, err
	}
	plans, err := f.planAll(cmd.Context(), entries, with)
	if err != nil {
		return nil, err
	}
	targets := make([]bake.Entry, len(entries))
	for i, r := range rows(entries, plans, f.names(cmd.Context(), entries, all, plans, with)) {
		targets[i] = bake.Entry{
			Name: r.Name, Spec: r.Spec, Image: r.Image, Arch: r.Arch, Args: f.argsOf(plans[i], plans),
			Groups: []string{r.Variant, r.Arch, entries[i].Flavor},
		}
	}
	return bake.File(targets, o)
}

// argsOf are the build arguments for a plan: all that are given, without those that only other
// entries declare.
func (f *matrixFlags) argsOf(p *plan.Plan, all []*plan.Plan) map[string]string {
	own, known := declared(p), declared(all...)
	args := maps.Clone(f.given)
	maps.DeleteFunc(args, func(name, _ string) bool { return slices.Contains(known, name) && !slices.Contains(own, name) })
	return args
}
