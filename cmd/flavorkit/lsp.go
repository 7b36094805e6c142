package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/lsp"
)

// restBeforeCheck is how long nobody may type before a spec is checked.
const restBeforeCheck = 200 * time.Millisecond

func lspCommand() *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "lsp [CONTEXT]",
		Short: "Run a language server for specs, which editors start",
		Long: `Run a language server for specs on standard input and output. Editors start it;
docs/editors.md has their settings. It finds what flavorkit check finds while you
type, describes and completes keys and names, and opens what a spec extends.

CONTEXT is the build context. The default is the directory of each spec.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.inputs(cmd.Context()); err != nil {
				return err
			}
			if len(args) > 0 {
				f.context = args[0]
			}
			return lsp.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), lsp.Options{
				Local: f.options(), Now: buildTime, Delay: restBeforeCheck, Version: version, Log: cmd.ErrOrStderr(),
			})
		},
	}
	f.addArch(cmd)
	return cmd
}
