package main

import (
	"context"
	"encoding/json"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

func catalogCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "Work with the catalog of distributions",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return usagef("unknown command %q; %s", "catalog "+args[0], specs.Suggest(args[0], []string{"check", "outdated"}))
		},
	}
	cmd.AddCommand(catalogCheckCommand(), catalogOutdatedCommand())
	return cmd
}

const catalogCheckHelp = `Check the catalog against the repositories of its distributions, or of those that
you name: every package, and every command, firmware file, boot loader and
service if the repositories list files. Nothing is installed, except with
--install: it installs the usual system of each distribution and throws it away,
to look for the files that no repository lists.

right        exists
moved        is a file that exists at another path
wrong        does not exist
unlisted     is a file that the repositories do not list
unreachable  could not be checked

The exit code is 1 if something is moved or wrong, or else 3 if something was
unreachable.`

func catalogCheckCommand() *cobra.Command {
	f := &solveFlags{}
	var format string
	var check frontend.CatalogCheck
	var all bool
	cmd := &cobra.Command{
		Use:   "check [DISTRO…]",
		Short: "Check the catalog against the repositories of its distributions",
		Long:  catalogCheckHelp,
		Args:  cobra.ArbitraryArgs,

		ValidArgsFunction: completeArgs(func(cat *catalog.Catalog) []string { return catalog.Names(cat.Distros) }),
		RunE: func(cmd *cobra.Command, args []string) error {
			check.Distros = args
			if err := checkSubjects(cmd.Context(), check.Distros, check.Archs, f.Contexts); err != nil {
				return err
			}
			f.Log, f.Context = cmd.ErrOrStderr(), "."
			if err := f.complete(); err != nil {
				return err
			}
			f.Frontend = frontend.New(frontend.Options{}).CheckCatalog(check)
			var found []catalog.Finding
			err := f.withClient(cmd.Context(), func(c *client.Client) error {
				return solve.AskLong(cmd.Context(), c, f.Options, "", func(res *gwclient.Result) error {
					return errors.Wrap(json.Unmarshal(res.Metadata[frontend.ResultJSON], &found), "read the findings")
				})
			})
			if err != nil {
				return err
			}
			if err := reportFormats()[format](cmd.OutOrStdout(), catalogReport{summary: checkStates(), all: all}, found); err != nil {
				return err
			}
			return verdict(found)
		},
	}
	f.addBuilder(cmd)
	flags := cmd.Flags()
	addFormat(cmd, &format, catalog.Names(reportFormats())...)
	flags.StringSliceVar(&check.Archs, "arch", nil, "architectures to check, such as amd64,arm64 (default: all)")
	flags.BoolVar(&check.Install, "install", false, "install what the repositories list no files of, to look for them")
	flags.BoolVar(&all, "all", false, "show what is right, too; json always does")
	return cmd
}

// checkSubjects checks what is to be checked, when the catalog is a local directory.
func checkSubjects(ctx context.Context, distros, archs []string, contexts map[string]string) error {
	cat, err := local.Catalog(ctx, local.Options{Contexts: contexts})
	if errors.Is(err, local.ErrNotLocal) {
		return nil
	}
	if err != nil {
		return frontend.Locate(err)
	}
	for _, name := range distros {
		if cat.Distros[name] == nil {
			return usagef("unknown distribution %q; %s", name, specs.Suggest(name, catalog.Names(cat.Distros)))
		}
	}
	for _, arch := range archs {
		if _, err := findArch(cat, arch); err != nil {
			return err
		}
	}
	return nil
}

// codeError is an error with an exit code of its own.
type codeError struct {
	error
	code int
}

// checkStates are the states of the check, in the order of its summary.
func checkStates() []catalog.State {
	return []catalog.State{catalog.Right, catalog.Moved, catalog.Wrong, catalog.Unlisted, catalog.Unreachable}
}

// verdict is the error that the findings amount to.
func verdict(found []catalog.Finding) error {
	count := counted(found)
	switch bad := count[catalog.Wrong] + count[catalog.Moved]; {
	case bad > 0:
		return errors.Errorf("the catalog is wrong in %d places", bad)
	case count[catalog.Unreachable] > 0:
		return &codeError{errors.Errorf("%d could not be looked at", count[catalog.Unreachable]), exitUnreachable}
	default:
		return nil
	}
}
