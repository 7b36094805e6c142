package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/starter"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
)

// choicesKey is the annotation of a flag with the values that it can have.
const choicesKey = "choices"

// flagChoices returns what a flag of a command line can be. Nil is for flags with other values, such as
// files.
func flagChoices(cmd *cobra.Command, args []string, flag *pflag.Flag) []string {
	if names, ok := flag.Annotations[choicesKey]; ok {
		return names
	}
	return choices(cmd, args, flag.Name)
}

// choices returns what a flag of a command line can be, in the built-in catalog.
func choices(cmd *cobra.Command, args []string, flag string) []string {
	cat, err := catalog.Builtin()
	if err != nil {
		return nil
	}
	if cmd.Flags().Lookup("entry") != nil {
		m := matrixFlags{file: cmd.Flag("file").Value.String()}
		_, all, _ := m.entries(cat) // a wrong matrix has none
		if values := matrix.Values(all, flag); values != nil {
			return values
		}
	}
	if cmd.Name() == initName {
		all := starter.Questions()
		if at := slices.IndexFunc(all, func(q starter.Question) bool { return q.Name == flag && q.Names != nil }); at >= 0 {
			return all[at].Names(cat)
		}
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
	case "stage":
		return specs.Stages()
	case "explain":
		return explained(cmd, args)
	default:
		return nil
	}
}

// explained are the names of what is in the system of a spec.
func explained(cmd *cobra.Command, args []string) []string {
	f := lookFlags{file: cmd.Flag("file").Value.String(), arch: cmd.Flag("arch").Value.String()}
	names := []string{everything}
	if f.find(cmd.Context(), args) != nil {
		return names
	}
	all, _ := local.Explain(cmd.Context(), f.options()) // a wrong spec has none
	for _, r := range all {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// completeArgs has a shell propose names of the built-in catalog as arguments of a command.
func completeArgs(names func(*catalog.Catalog) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cat, err := catalog.Builtin()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		rest := slices.DeleteFunc(names(cat), func(name string) bool { return slices.Contains(args, name) })
		return rest, cobra.ShellCompDirectiveNoFileComp
	}
}

// setChoices notes the values that a flag can have, for completion.
func setChoices(flags *pflag.FlagSet, name string, valid []string) {
	_ = flags.SetAnnotation(name, choicesKey, valid) // it fails only for a flag that does not exist
}

// texts are values of a type for the names of something.
func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// completes tells whether a command line is one that a shell runs to complete another.
func completes(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// completeFlags has a shell propose values of flags, for a command and all below it. Cobra keeps
// what is registered until the process ends.
func completeFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		// It fails only for a flag that has one, or that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag.Name, func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			names := flagChoices(cmd, args, flag)
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
