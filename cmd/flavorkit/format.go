package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/specs"
)

// The formats that most commands have.
const (
	formatText = "text"
	formatJSON = "json"
)

// addFormat adds the flag for what a command prints, which is text by default. --json is a short form.
func addFormat(cmd *cobra.Command, format *string, valid ...string) {
	flags := cmd.Flags()
	flags.StringVar(format, "format", formatText, "what to print: "+strings.Join(valid, ", "))
	asJSON := false
	if slices.Contains(valid, formatJSON) {
		flags.BoolVar(&asJSON, "json", false, "short for --format json")
		cmd.MarkFlagsMutuallyExclusive("json", "format")
	}
	setChoices(flags, "format", valid)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if asJSON {
			*format = formatJSON
		}
		return checkFormat(*format, valid...)
	}
}

// checkFormat checks the format of what is printed.
func checkFormat(format string, valid ...string) error {
	if slices.Contains(valid, format) {
		return nil
	}
	return usagef("unknown format %q; %s", format, specs.Suggest(format, valid))
}
