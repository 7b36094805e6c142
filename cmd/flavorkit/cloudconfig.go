package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
)

const cloudConfigHelp = `Show what the cloud-configs of a system do, in the order in which a machine does
it: those of the catalog, of the spec, and of its medium or disk. The first stages
are those of every boot; the installer and upgrades run the others.

Below each stage are its steps: the file on the machine with the line, the name of
the step, and what it acts by. A step with conditions runs only if they hold.`

func cloudConfigCommand() *cobra.Command {
	var f lookFlags
	var stages []string
	var format string
	cmd := &cobra.Command{
		Use:   "cloud-config [CONTEXT | SPEC]",
		Short: "Show what the cloud-configs of a system do at which stage",
		Long:  cloudConfigHelp,
		Example: `  flavorkit cloud-config
  flavorkit cloud-config --stage network,network.after`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.find(cmd.Context(), args); err != nil {
				return err
			}
			all, err := local.MachineSteps(cmd.Context(), f.options())
			if err != nil {
				return frontend.Locate(err)
			}
			known := specs.Stages()
			for _, s := range all.Steps {
				known = append(known, s.Stage)
			}
			for _, stage := range stages {
				if !slices.Contains(known, stage) {
					return usagef("unknown stage %q; %s", stage, specs.Suggest(stage, slices.Compact(slices.Sorted(slices.Values(known)))))
				}
			}
			if len(stages) > 0 {
				all.Steps = slices.DeleteFunc(all.Steps, func(s frontend.MachineStep) bool { return !slices.Contains(stages, s.Stage) })
			}
			if format == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(all)
			}
			return printSteps(cmd.OutOrStdout(), all)
		},
	}
	f.add(cmd)
	cmd.Flags().StringSliceVar(&stages, "stage", nil, "only these stages, such as boot,network.after")
	addFormat(cmd, &format, formatText, formatJSON)
	return cmd
}

// printSteps prints steps below their stages.
func printSteps(w io.Writer, all frontend.MachineSteps) error {
	var b strings.Builder
	stage := ""
	for _, s := range all.Steps {
		if s.Stage != stage {
			if stage != "" {
				b.WriteString("\n")
			}
			stage = s.Stage
			b.WriteString(stage)
			if s.Never {
				b.WriteString(" (no machine runs this stage)")
			}
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "  %s:%d", s.File, s.Line)
		if s.Name != "" {
			fmt.Fprintf(&b, "  %s", s.Name)
		}
		fmt.Fprintf(&b, "  [%s]\n", s.Origin)
		for _, c := range s.Conditions {
			fmt.Fprintf(&b, "    %s\n", c)
		}
		if len(s.Does) > 0 {
			fmt.Fprintf(&b, "    %s\n", strings.Join(s.Does, ", "))
		}
	}
	if len(all.Steps) == 0 {
		b.WriteString("no steps\n")
	}
	if len(all.Unread) > 0 {
		fmt.Fprintf(&b, "\nNot looked into, because they are directories: %s\n", strings.Join(all.Unread, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
