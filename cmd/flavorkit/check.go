package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// formatSARIF is SARIF 2.1.0, for code scanning.
const formatSARIF = "sarif"

func checkCommand() *cobra.Command {
	var f lookFlags
	var format, severity string
	cmd := &cobra.Command{
		Use:   "check [CONTEXT | SPEC]",
		Short: "Check a spec without building it",
		Long: `Check a spec and the files that it names, without building it.

Mistakes stop a build. Warnings do not; a comment "# flavorkit: skip=RULE" in
the spec switches them off. The exit code is 1 if there is a mistake, or with
--severity warning, a mistake or a warning.`,
		Example: `  flavorkit check
  flavorkit check --severity warning edge
  flavorkit check --format sarif > flavorkit.sarif`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(severities(), severity) {
				return usagef("unknown severity %q; %s", severity, specs.Suggest(severity, severities()))
			}
			p, warnings, err := f.check(cmd, args)
			if format == formatText {
				for _, w := range warnings {
					fmt.Fprintf(cmd.ErrOrStderr(), "flavorkit: warning: %v\n", w)
				}
				if err == nil {
					err = enough(nil, warnings, severity)
				}
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is right: %s, %s\n", f.file, p.File, madeOf(p))
				}
				return frontend.Locate(err)
			}
			var mistakes specs.Diagnostics
			if err != nil && !errors.As(err, &mistakes) {
				return err
			}
			if err := f.print(cmd.OutOrStdout(), format, append(mistakes.Sorted(), warnings...)); err != nil {
				return err
			}
			return enough(mistakes, warnings, severity)
		},
	}
	f.add(cmd)
	addFormat(cmd, &format, formatText, formatJSON, formatSARIF)
	cmd.Flags().StringVar(&severity, "severity", string(rules.Error), "fail if there is a finding of this severity: "+strings.Join(severities(), ", "))
	setChoices(cmd.Flags(), "severity", severities())
	return cmd
}

func severities() []string { return []string{string(rules.Warning), string(rules.Error)} }

// check returns the plan of a spec and the warnings about it. Mistakes are specs.Diagnostics.
func (f *lookFlags) check(cmd *cobra.Command, args []string) (*plan.Plan, specs.Diagnostics, error) {
	p, err := f.resolve(cmd, args)
	if err != nil {
		return nil, nil, err
	}
	options := f.options()
	if options.Now, err = buildTime(); err != nil {
		return nil, nil, err
	}
	warnings, err := local.Check(cmd.Context(), p, options)
	if err != nil {
		return p, nil, err
	}
	return p, append(warnings, local.OlderVersion(cmd.Context(), p, options)...).Sorted(), nil
}

// buildTime is the time that warnings depend on: now, unless the environment says another.
func buildTime() (time.Time, error) {
	return frontend.BuildTime(os.Getenv("SOURCE_DATE_EPOCH"), time.Now)
}

// print writes findings for other programs.
func (f *lookFlags) print(w io.Writer, format string, found specs.Diagnostics) error {
	all := f.findings(found)
	if format == formatSARIF {
		return printJSON(w, sarifOf(all))
	}
	return printJSON(w, struct {
		Findings []finding `json:"findings"`
	}{all})
}

// enough returns an error if there are findings of a severity.
func enough(mistakes, warnings specs.Diagnostics, severity string) error {
	var counts []string
	if n := len(mistakes); n > 0 {
		counts = append(counts, count(n, "mistake"))
	}
	if n := len(warnings); n > 0 && severity == string(rules.Warning) {
		counts = append(counts, count(n, "warning"))
	}
	if len(counts) == 0 {
		return nil
	}
	return errors.New(strings.Join(counts, " and "))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// madeOf says what a system is made of, in a few words.
func madeOf(p *plan.Plan) string {
	if p.Source != nil {
		return "the image " + p.Source.Image
	}
	return fmt.Sprintf("%d packages, kernel of %s", len(p.Userland.Packages), p.Kernel.Distro)
}
