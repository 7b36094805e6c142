package main

import (
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/specs"
)

func schemaCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Show the JSON schema of a spec, for editors",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(specs.Schema())
			return err
		},
	}
	addFormat(cmd, &format, formatText, formatJSON) // a schema is JSON in any case
	return cmd
}
