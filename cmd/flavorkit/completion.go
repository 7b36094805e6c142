package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// choices returns what a flag can be, by its name, in the built-in catalog. Nil is for flags with
// other values.
func choices(flag string) []string {
	cat, err := catalog.Builtin()
	if err != nil {
		return nil
	}
	switch flag {
	case "arch":
		return catalog.Names(cat.Archs)
	case "platform":
		names := catalog.Names(cat.Archs)
		for i := range names {
			names[i] = "linux/" + names[i]
		}
		return names
	case "target":
		return frontend.TargetNames(nil)
	case "flavor":
		return cat.FlavorNames()
	case "model":
		return catalog.Names(cat.Models)
	case "kernel":
		return catalog.Names(cat.Distros)
	case "stage":
		return specs.Stages()
	default:
		return nil
	}
}

// choicesKey is the annotation of a flag with the values that it can have.
const choicesKey = "choices"

// completes tells whether a command line is one that a shell runs to complete another.
func completes(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// completeFlags has a shell propose values of flags, for a command and all below it. Cobra keeps
// what is registered until the process ends.
func completeFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		// It fails only for a flag that has one, or that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag.Name, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			names, ok := flag.Annotations[choicesKey]
			if !ok {
				names = choices(flag.Name)
			}
			if names == nil {
				return nil, cobra.ShellCompDirectiveDefault // files
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		})
	})
	for _, sub := range cmd.Commands() {
		completeFlags(sub)
	}
}
