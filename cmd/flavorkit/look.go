package main

import (
	"fmt"
	"runtime"

	"github.com/moby/buildkit/client/llb"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// lookFlags are the flags of the commands that inspect a spec.
type lookFlags struct {
	file, context, arch string
	contexts            map[string]string
	catalog             *catalog.Catalog
}

func (f *lookFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	cmd.Flags().StringVar(&f.arch, "arch", runtime.GOARCH, "architecture to plan for, such as arm64")
	addContexts(cmd.Flags(), &f.contexts, "directory that stands for a named context: name=directory")
}

// plan resolves the spec of a command line.
func (f *lookFlags) plan(cmd *cobra.Command, args []string) (p *plan.Plan, err error) {
	if f.catalog, err = local.Catalog(f.contexts); err != nil {
		return nil, frontend.Locate(err)
	}
	if _, err := findArch(f.catalog, f.arch); err != nil {
		return nil, err
	}
	f.context = "."
	if len(args) > 0 {
		f.context = args[0]
	}
	if f.file, err = findSpec(f.context, f.file); err != nil {
		return nil, err
	}
	p, err = local.Plan(cmd.Context(), f.options())
	return p, frontend.Locate(err)
}

func (f *lookFlags) options() local.Options {
	return local.Options{File: f.file, Context: f.context, Arch: f.arch, Contexts: f.contexts, Catalog: f.catalog}
}

func planCommand() *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "plan [CONTEXT]",
		Short: "Show what a spec resolves to",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.plan(cmd, args)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), p)
			return err
		},
	}
	f.add(cmd)
	return cmd
}

func graphCommand() *cobra.Command {
	var f lookFlags
	var target string
	cmd := &cobra.Command{
		Use:   "graph [CONTEXT]",
		Short: "Show the build graph of a spec, a paragraph a step",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := findTarget(target); err != nil {
				return err
			}
			p, err := f.plan(cmd, args)
			if err != nil {
				return err
			}
			env := local.Graph(p, f.catalog, f.contexts)
			state, err := frontend.Generate(cmd.Context(), env, p, target)
			if err != nil {
				return err
			}
			def, err := state.Marshal(cmd.Context(), llb.Platform(env.Target))
			if err != nil {
				return err
			}
			g, err := graphtext.Of(def)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), g)
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&target, "target", "", "what to build: "+targetNames())
	return cmd
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Show the JSON schema of a spec, for editors",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(specs.Schema())
			return err
		},
	}
}
