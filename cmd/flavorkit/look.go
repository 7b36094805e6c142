package main

import (
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
	file, context, arch string
	contexts            map[string]string
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
	addContexts(cmd.Flags(), &f.contexts, "directory that stands for a named context: name=directory")
}

// plan resolves the spec of a command line. An error has the lines of the spec.
func (f *lookFlags) plan(cmd *cobra.Command, args []string) (*plan.Plan, error) {
	p, err := f.resolve(cmd, args)
	return p, frontend.Locate(err)
}

// resolve resolves the spec of a command line.
func (f *lookFlags) resolve(cmd *cobra.Command, args []string) (p *plan.Plan, err error) {
	if err := f.find(args); err != nil {
		return nil, err
	}
	return local.Plan(cmd.Context(), f.options())
}

// find finds the catalog and the spec of a command line.
func (f *lookFlags) find(args []string) (err error) {
	if err := f.inputs(); err != nil {
		return err
	}
	f.context, f.file, err = findSpec(first(args), f.file)
	return err
}

// inputs reads what a command line gives all specs.
func (f *lookFlags) inputs() (err error) {
	if f.catalog, err = local.Catalog(f.contexts); err != nil {
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
	return local.Options{File: f.file, Context: f.context, Arch: f.arch, Contexts: f.contexts, Catalog: f.catalog, Site: f.network, Args: f.args.values}
}
