package main

import (
	"context"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
)

const packagesHelp = `Show what every stage of a spec would install: names, versions, architectures,
sizes and repositories. The package managers are asked in the base images that
a build would use, and nothing is installed. All missing packages are reported
together, each with the line that names it and the nearest name.

Without --builder, the built-in BuildKit is used, as for a build.`

func packagesCommand() *cobra.Command {
	f := &solveFlags{}
	var format string
	cmd := &cobra.Command{
		Use:   "packages [CONTEXT | SPEC]",
		Short: "Show what every stage of a spec would install",
		Long:  packagesHelp,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Log = cmd.ErrOrStderr()
			if err := f.find(cmd.Context(), args); err != nil {
				return err
			}
			if err := f.complete(); err != nil {
				return err
			}
			return f.withClient(cmd.Context(), func(c *client.Client) error {
				return solve.AskLong(cmd.Context(), c, f.Options, frontend.PackagesRequest, func(res *gwclient.Result) error {
					_, err := cmd.OutOrStdout().Write(res.Metadata["result."+map[string]string{"text": "txt", "json": "json"}[format]])
					return err
				})
			})
		},
	}
	f.addBuilder(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.File, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	flags.StringSliceVar(&f.Platforms, "platform", nil, "platforms to look for, such as linux/amd64,linux/arm64")
	addFormat(cmd, &format, formatText, formatJSON)
	return cmd
}

// find sets the spec and its context.
func (f *solveFlags) find(ctx context.Context, args []string) (err error) {
	if f.Context, f.File, err = findSpec(first(args), f.File); err != nil {
		return err
	}
	return checkPlatforms(ctx, f.Platforms, f.Contexts)
}
