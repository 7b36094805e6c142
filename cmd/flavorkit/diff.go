package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
)

const diffHelp = `Compare two specs, without building: what the systems have that differs, such as
packages, kernel, components, services, files and kernel arguments. If both specs
have a lock file, also the exact images, packages and downloads.

Or compare two built systems, each as for 'flavorkit inspect': packages, kernel,
services, kernel arguments, files, and for images the layers that they share and
the bytes that a machine pulls.

The exit code is 0 whether they differ or not.`

func diffCommand() *cobra.Command {
	var f lookFlags
	var format string
	var files bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two specs, or two built systems",
		Long:  diffHelp,
		Example: `  flavorkit diff edge.spec edge-next.spec
  git show main:kairos.spec > old.spec && flavorkit diff old.spec kairos.spec
  flavorkit diff ghcr.io/acme/edge:v1.0.0 dist/edge.oci.tar`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			built := inspect.IsBuilt(args[0])
			switch {
			case built != inspect.IsBuilt(args[1]):
				return usagef("one of %s and %s is a spec and the other is built; compare two of a kind", args[0], args[1])
			case built:
				registries, err := f.site.registries()
				if err != nil {
					return err
				}
				opt := inspect.Options{Arch: f.arch, Contents: true, Registries: registries}
				reports, err := readBuilt(cmd, args, opt, f.progress)
				if err != nil {
					return err
				}
				return diffBuilt(cmd, reports, format, files)
			case files:
				return usagef("--files is for built systems; a spec lists its files always")
			}
			return diffSpecs(cmd, args, f, format)
		},
	}
	f.addArch(cmd)
	addFormat(cmd, &format, formatText, formatJSON)
	cmd.Flags().BoolVar(&files, "files", false, "list every file of built systems that differs, not only the directories")
	return cmd
}

// diffSpecs compares what two specs resolve to.
func diffSpecs(cmd *cobra.Command, args []string, f lookFlags, format string) error {
	var plans [2]*plan.Plan
	var locks [2]*lock.File
	for i, arg := range args {
		one := f
		p, err := one.plan(cmd, []string{arg})
		if err != nil {
			return err
		}
		plans[i] = p
		if locks[i], err = local.Lock(one.file); err != nil {
			return frontend.Locate(err)
		}
	}
	changes := lock.DiffSystems(plans, locks)
	if format == "json" {
		return printJSON(cmd.OutOrStdout(), changes)
	}
	for _, c := range changes {
		fmt.Fprintln(cmd.OutOrStdout(), c)
	}
	if len(changes) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "flavorkit: no differences")
	}
	return nil
}

// readBuilt reads two built systems, and says what cannot be compared.
func readBuilt(cmd *cobra.Command, args []string, opt inspect.Options, progress string) (reports [2]*inspect.Report, err error) {
	for i, arg := range args {
		reports[i], err = step(cmd, progress, reading(arg), func() (*inspect.Report, error) { return inspect.Read(cmd.Context(), arg, opt) })
		if err != nil {
			return reports, err
		}
		for _, reason := range reports[i].Unread {
			fmt.Fprintf(cmd.ErrOrStderr(), "flavorkit: not compared: %s: %s\n", arg, reason)
		}
	}
	return reports, nil
}

// diffBuilt compares two built systems.
func diffBuilt(cmd *cobra.Command, reports [2]*inspect.Report, format string, files bool) error {
	c := inspect.Compare(reports[0], reports[1])
	out := cmd.OutOrStdout()
	if format == "json" {
		return printJSON(out, c)
	}
	for _, change := range c.Changes {
		fmt.Fprintln(out, change)
	}
	if files {
		for _, f := range c.Files {
			fmt.Fprintln(out, f)
		}
	} else {
		for _, line := range c.Directories() {
			fmt.Fprintln(out, line)
		}
	}
	if c.Layers != nil {
		fmt.Fprintln(out, c.Layers)
	}
	if len(c.Changes)+len(c.Files) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "flavorkit: no differences")
	}
	return nil
}
