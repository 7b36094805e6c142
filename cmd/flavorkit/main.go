// Command flavorkit builds Kairos operating systems from kairos.spec, with its embedded BuildKit or
// another one, and inspects specs without building.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/engine"
	"github.com/flavorkit/flavorkit/specs"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3   // something could not be looked at
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

// exitCodes is the part of the help about exit codes.
func exitCodes() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, c := range []struct {
		code    int
		meaning string
	}{
		{0, "success"},
		{exitFailed, "the spec or the build failed, or a check found something"},
		{exitUsage, "wrong command line"},
		{exitUnreachable, "nothing is wrong, but something could not be reached"},
		{exitInterrupted, "interrupted, such as by Ctrl-C"},
	} {
		fmt.Fprintf(&b, "  %-3d  %s\n", c.code, c.meaning)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func main() {
	engine.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		// A second signal ends the process at once.
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs a command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := rootCommand(stdout, stderr)
	cmd.SetArgs(args)
	if completes(args) {
		completeFlags(cmd)
	}
	err := cmd.ExecuteContext(ctx)
	var usage *usageError
	var coded *codeError
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "flavorkit: interrupted")
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "flavorkit: %v\nSee 'flavorkit --help'.\n", err)
		return exitUsage
	case errors.As(err, &coded):
		fmt.Fprintf(stderr, "flavorkit: %v\n", err)
		return coded.code
	default:
		for _, s := range errdefs.Sources(err) {
			_ = s.Print(stderr)
		}
		fmt.Fprintf(stderr, "flavorkit: %v\n", err)
		return exitFailed
	}
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return &usageError{errors.Errorf(format, args...)}
}

func rootCommand(stdout, stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "flavorkit",
		Short: "Build Kairos operating systems from a few lines of kairos.spec",
		Long: `flavorkit turns a few lines of kairos.spec into a Kairos operating system:
an OCI image, an ISO or a disk, each piece its own cached, parallel layer.

The same specs build with "docker buildx build -f kairos.spec ." when their
first line is "# syntax=…/frontend:1".

` + exitCodes() + `

Progress has no colors if the variable NO_COLOR is set.`,
		Version: version,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var names []string
			for _, sub := range cmd.Commands() {
				names = append(names, sub.Name())
			}
			return usagef("unknown command %q; %s", args[0], specs.Suggest(args[0], names))
		},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	cmd.AddCommand(
		initCommand(), checkCommand(), schemaCommand(), lspCommand(),
		planCommand(), targetsCommand(), outlineCommand(), packagesCommand(), cloudConfigCommand(), graphCommand(), reportCommand(), lockCommand(), bundleCommand(),
		buildCommand(), matrixCommand(), bakeCommand(),
		inspectCommand(), diffCommand(), sbomCommand(), scanCommand(),
		signCommand(), verifyCommand(),
		unpackCommand(), remasterCommand(), bootCommand(),
		catalogCommand(), manCommand(),
	)
	strictHelp(cmd)
	argsAreUsage(cmd)
	return cmd
}

// strictHelp adds cobra's own commands and makes them fail for an unknown command or shell, which
// they ignore by default.
func strictHelp(cmd *cobra.Command) {
	cmd.InitDefaultHelpCmd()
	cmd.InitDefaultCompletionCmd()
	for _, sub := range cmd.Commands() {
		switch sub.Name() {
		case "help":
			sub.Args = func(cmd *cobra.Command, args []string) error {
				if _, rest, _ := cmd.Root().Find(args); len(rest) > 0 {
					return errors.Errorf("unknown command %q", strings.Join(args, " "))
				}
				return nil
			}
		case "completion":
			sub.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// argsAreUsage reports wrong arguments of a command and its subcommands as usage errors.
func argsAreUsage(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		args := sub.Args
		sub.Args = func(cmd *cobra.Command, a []string) error {
			if err := args(cmd, a); err != nil {
				return &usageError{err}
			}
			return nil
		}
		argsAreUsage(sub)
	}
}
