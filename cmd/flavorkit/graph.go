package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/trace"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graphtext"
)

func graphCommand() *cobra.Command {
	var f lookFlags
	var target, format, record string
	formats := graphtext.Formats()
	var names []string
	for _, f := range formats {
		names = append(names, f.Name)
	}
	cmd := &cobra.Command{
		Use:   "graph [CONTEXT | SPEC]",
		Short: "Show the build graph of a spec",
		Long: `Show the steps that a build of a spec takes: as text, with all details, a
paragraph a step; as a tree; for Graphviz (dot) and Mermaid, which draw it; as a
picture (svg); or as a list for programs (json).

--trace is a file that 'flavorkit build --trace' has written for the same spec and
target, or what 'docker buildx build --progress rawjson' has printed: each step has
whether it ran or was cached, how long it took, and the bytes that were transferred.`,
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
			if record != "" {
				if err := noteTrace(&g, record); err != nil {
					return err
				}
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
	cmd.Flags().StringVar(&record, "trace", "", "trace of a build, to show what became of each step")
	return cmd
}

// readTrace reads a file about the steps of a build.
func readTrace(file string) (trace.Record, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return trace.Record{}, errors.Wrap(err, "read the trace")
	}
	r, err := trace.Read(data)
	return r, errors.Wrapf(err, "read %s", file)
}

// noteTrace adds what a trace says about the steps. Steps are found by name, because their digests
// depend on the builder.
func noteTrace(g *graphtext.Graph, file string) error {
	r, err := readTrace(file)
	if err != nil {
		return err
	}
	byName := map[string][]trace.Step{}
	for _, s := range r.Steps {
		byName[s.Name] = append(byName[s.Name], s)
	}
	known := false
	for d := range g.Ops {
		known = known || len(byName[g.Name(d)]) > 0
	}
	if !known {
		return errors.Errorf("%s has no step of this graph; give the spec, the target and the architecture of its build", file)
	}
	g.Note = func(names []string) graphtext.Note {
		var steps []trace.Step
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			steps = append(steps, byName[name]...)
		}
		sum := trace.Together(steps)
		return graphtext.Note{State: string(sum.State), Seconds: sum.Took.Seconds(), Bytes: sum.Bytes, Text: sum.String(), Look: sum.State.Look()}
	}
	return nil
}
