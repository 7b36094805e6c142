package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
)

func checkCommand() *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "check [CONTEXT]",
		Short: "Check a spec without building it",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.plan(cmd, args)
			if err != nil {
				return err
			}
			warnings, err := local.Check(cmd.Context(), p, f.options())
			if err != nil {
				return frontend.Locate(err)
			}
			for _, w := range warnings {
				fmt.Fprintf(cmd.ErrOrStderr(), "flavorkit: warning: %v\n", w)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is right: %s, %d packages, kernel of %s\n", f.file, p.File, len(p.Userland.Packages), p.Kernel.Distro)
			return err
		},
	}
	f.add(cmd)
	return cmd
}
