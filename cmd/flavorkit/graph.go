package main

import (
	"fmt"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graphtext"
)

func graphCommand() *cobra.Command {
	var f lookFlags
	var target, format string
	formats := graphtext.Formats()
	var names []string
	for _, f := range formats {
		names = append(names, f.Name)
	}
	cmd := &cobra.Command{
		Use:   "graph [CONTEXT]",
		Short: "Show the build graph of a spec",
		Long: `Show the steps that a build of a spec takes: as text, with all details, a
paragraph a step; as a tree; for Graphviz (dot) and Mermaid, which draw it; as a
picture (svg); or as a list for programs (json).`,
		Example: `  flavorkit graph --target iso --format tree
  flavorkit graph --target iso --format svg > graph.svg`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := findTarget(target); err != nil {
				return err
			}
			p, err := f.plan(cmd, args)
			if err != nil {
				return err
			}
			env := local.Graph(p, f.catalog, f.contexts)
			if env.Lock, err = local.Lock(f.file); err != nil {
				return frontend.Locate(err)
			}
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
			text, err := formats[slices.Index(names, format)].Write(g)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
	f.add(cmd)
	addFormat(cmd, &format, names...)
	cmd.Flags().StringVar(&target, "target", "", "what to build: "+targetNames())
	return cmd
}
