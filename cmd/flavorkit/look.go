package main

import (
	"context"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// lookFlags are the flags of the commands that inspect a spec.
type lookFlags struct {
	contextFlags
	file, context, arch string
	catalog             *catalog.Catalog
	site                siteFlags
	network             *specs.Source
	args                argFlags
}

func (f *lookFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	f.addArch(cmd)
}

// addArch adds the flags of commands that take specs as arguments.
func (f *lookFlags) addArch(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.arch, "arch", runtime.GOARCH, "architecture to plan for, such as arm64")
	f.args.add(cmd.Flags())
	f.site.add(cmd.Flags())
	f.contextFlags.add(cmd)
}

// plan resolves the spec of a command line. An error has the lines of the spec.
func (f *lookFlags) plan(cmd *cobra.Command, args []string) (*plan.Plan, error) {
	p, err := f.resolve(cmd, args)
	return p, frontend.Locate(err)
}

// resolve resolves the spec of a command line.
func (f *lookFlags) resolve(cmd *cobra.Command, args []string) (p *plan.Plan, err error) {
	if err := f.find(cmd.Context(), args); err != nil {
		return nil, err
	}
	return local.Plan(cmd.Context(), f.options())
}

// find finds the catalog and the spec of a command line.
func (f *lookFlags) find(ctx context.Context, args []string) (err error) {
	if err := f.inputs(ctx); err != nil {
		return err
	}
	f.context, f.file, err = findSpec(first(args), f.file)
	return err
}

// inputs reads what a command line gives all specs.
func (f *lookFlags) inputs(ctx context.Context) (err error) {
	if f.catalog, err = local.Catalog(ctx, f.options()); err != nil {
		return err
	}
	if _, err := findArch(f.catalog, f.arch); err != nil {
		return err
	}
	if f.network, _, err = f.site.read(); err != nil {
		return err
	}
	return f.args.read()
}

func (f *lookFlags) options() local.Options {
	return local.Options{File: f.file, Context: f.context, Arch: f.arch, Contexts: f.contexts, Fetch: f.fetched.fetch(), Catalog: f.catalog, Site: f.network, Args: f.args.values}
}
