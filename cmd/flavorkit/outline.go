package main

import (
	"bytes"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
)

func outlineCommand() *cobra.Command {
	var f lookFlags
	var target string
	cmd := answering(&f, func(cmd *cobra.Command) (*gwclient.Result, error) {
		t, err := findTarget(target)
		if err != nil {
			return nil, err
		}
		o, err := local.Outline(cmd.Context(), f.options(), t)
		if err != nil {
			return nil, err
		}
		return o.Result()
	})
	cmd.Use = "outline [CONTEXT]"
	cmd.Short = "List the arguments, secrets, named contexts and stages of a target"
	cmd.Long = `List the build arguments, secrets and named contexts that a target of a spec takes,
and the stages that it is made of: the place in the spec that each is for, and what
it is there for. docker buildx build --call=outline prints the same.`
	cmd.Example = `  flavorkit outline edge --target iso`
	cmd.Flags().StringVar(&target, "target", "", "what to build: "+targetNames())
	return cmd
}

func targetsCommand() *cobra.Command {
	var f lookFlags
	cmd := answering(&f, func(cmd *cobra.Command) (*gwclient.Result, error) {
		s, err := local.Sketch(cmd.Context(), f.options())
		if err != nil {
			return nil, err
		}
		return frontend.TargetsOf(cmd.Context(), s).ToResult()
	})
	cmd.Use = "targets [CONTEXT]"
	cmd.Short = "List what a spec can be built as"
	cmd.Long = `List all targets: what a spec can be built as with --target, and why it cannot be
built as the others. docker buildx build --call=targets prints the same.`
	cmd.Example = `  flavorkit targets edge`
	return cmd
}

// answering is a command about a spec that prints what a subrequest of the frontend answers.
func answering(f *lookFlags, answer func(*cobra.Command) (*gwclient.Result, error)) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.find(cmd.Context(), args); err != nil {
				return err
			}
			res, err := answer(cmd)
			if err != nil {
				return frontend.Locate(err)
			}
			part := frontend.ResultText
			if format == formatJSON {
				part = frontend.ResultJSON
			}
			_, err = cmd.OutOrStdout().Write(append(bytes.TrimSpace(res.Metadata[part]), '\n'))
			return err
		},
	}
	f.add(cmd)
	addFormat(cmd, &format, formatText, formatJSON)
	return cmd
}
