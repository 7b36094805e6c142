package main

import (
	"fmt"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
)

const planHelp = `Show what a spec resolves to: packages, kernel, components, files, services and
checks. --explain shows instead why something is there: the line of the spec or
of the catalog that asks for it, the reason, and what leaves it out.`

const planExample = `  flavorkit plan edge
  flavorkit plan --explain curl
  flavorkit plan --explain all --format json`

// everything is the name that explains all there is.
const everything = "all"

func planCommand() *cobra.Command {
	var f lookFlags
	var explain []string
	var format string
	cmd := &cobra.Command{
		Use:     "plan [CONTEXT | SPEC]",
		Short:   "Show what a spec resolves to, and why",
		Long:    planHelp,
		Example: planExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(explain) > 0 {
				return f.explain(cmd, args, explain, format)
			}
			p, err := f.plan(cmd, args)
			if err != nil {
				return err
			}
			if format == "json" {
				return printJSON(cmd.OutOrStdout(), p)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), p)
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().StringArrayVar(&explain, "explain", nil, "say why a package, service, file, kernel argument, component, key of the spec, requirement or stage of the build is there; all for everything")
	addFormat(cmd, &format, formatText, formatJSON)
	return cmd
}

// explain says why things are in the system of a spec.
func (f *lookFlags) explain(cmd *cobra.Command, args, names []string, format string) error {
	if err := f.find(cmd.Context(), args); err != nil {
		return err
	}
	all, err := local.Explain(cmd.Context(), f.options())
	if err != nil {
		return frontend.Locate(err)
	}
	var found []plan.Reason
	for _, name := range names {
		if name == everything {
			found = append(found, all...)
			continue
		}
		reasons, near := plan.Find(all, name)
		if len(reasons) == 0 {
			hint := "flavorkit packages lists what packages depend on"
			if near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return errors.Errorf("neither the spec nor the catalog asks for %q; %s", name, hint)
		}
		found = append(found, reasons...)
	}
	if format == "json" {
		return printJSON(cmd.OutOrStdout(), found)
	}
	for _, r := range found {
		fmt.Fprintln(cmd.OutOrStdout(), r)
	}
	return nil
}
