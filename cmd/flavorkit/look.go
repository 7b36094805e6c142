package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/flavors"
)

// lookFlags are the flags of the commands that only look at a spec.
type lookFlags struct {
	file, context, arch string
	contexts            map[string]string
}

func (f *lookFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	cmd.Flags().StringVar(&f.arch, "arch", runtime.GOARCH, "architecture to plan for: amd64 or arm64")
	cmd.Flags().Var(pairsFlag{&f.contexts}, "build-context", "folder that stands for a named context: name=folder")
}

// plan resolves the spec of a command line.
func (f *lookFlags) plan(cmd *cobra.Command, args []string) (p *plan.Plan, err error) {
	if err := checkArch(f.arch); err != nil {
		return nil, err
	}
	f.context = "."
	if len(args) > 0 {
		f.context = args[0]
	}
	if f.file, err = findSpec(f.context, f.file); err != nil {
		return nil, err
	}
	p, err = local.Plan(cmd.Context(), f.options())
	return p, frontend.Locate(err)
}

func (f *lookFlags) options() local.Options {
	return local.Options{File: f.file, Context: f.context, Arch: f.arch, Contexts: f.contexts}
}

func planCommand() *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "plan [CONTEXT]",
		Short: "Show what a spec resolves to",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.plan(cmd, args)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), p)
			return err
		},
	}
	f.add(cmd)
	return cmd
}

func graphCommand() *cobra.Command {
	var f lookFlags
	var target string
	cmd := &cobra.Command{
		Use:   "graph [CONTEXT]",
		Short: "Show the build graph of a spec, a paragraph a step",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkTarget(target); err != nil {
				return err
			}
			p, err := f.plan(cmd, args)
			if err != nil {
				return err
			}
			env := local.Graph(p, f.contexts)
			state, err := frontend.Generate(cmd.Context(), env, p, target)
			if err != nil {
				return err
			}
			def, err := state.Marshal(cmd.Context(), llb.Platform(env.Target))
			if err != nil {
				return err
			}
			g, err := graphtext.Of(def)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), g)
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&target, "target", "", "what to build: "+targetNames())
	return cmd
}

func checkCommand() *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "check [CONTEXT]",
		Short: "Check a spec without building it",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.plan(cmd, args)
			if err != nil {
				return err
			}
			warnings, err := local.Check(cmd.Context(), p, f.options())
			if err != nil {
				return frontend.Locate(err)
			}
			for _, w := range warnings {
				fmt.Fprintf(cmd.ErrOrStderr(), "flavorkit: warning: %v\n", w)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is right: %s, %d packages, kernel of %s\n", f.file, p.File, len(p.Userland.Packages), p.Kernel.Distro)
			return err
		},
	}
	f.add(cmd)
	return cmd
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Show the JSON schema of a spec, for editors",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(specs.Schema())
			return err
		},
	}
}

const firstSpec = `# syntax=ghcr.io/flavorkit/frontend:1
extends: %s
version: v0.1.0
`

func initCommand() *cobra.Command {
	var file, flavor string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first kairos.spec",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, ok := flavors.Read(flavor); !ok {
				return usagef("no flavor is called %q; %s", flavor, specs.Suggest(flavor, flavors.Names()))
			}
			text := fmt.Sprintf(firstSpec, flavor)
			what, err := firstBuild(cmd.Context(), text)
			if err != nil {
				return err
			}
			out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return errors.Errorf("%s is there already", file)
			}
			if err != nil {
				return errors.Wrap(err, "write the spec")
			}
			defer out.Close()
			if _, err := out.WriteString(text); err != nil {
				return errors.Wrap(err, "write the spec")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; build it with: flavorkit build -f %s %s -o dist\n", file, quote(filepath.ToSlash(file)), what)
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", specs.DefaultName, "the file to write")
	cmd.Flags().StringVar(&flavor, "flavor", "debian-12", "the flavor to extend")
	return cmd
}

// firstBuild are the flags that build what a machine boots from: a disk where it
// is a board, and else an ISO.
func firstBuild(ctx context.Context, spec string) (string, error) {
	archs, err := architectures()
	if err != nil {
		return "", err
	}
	for _, arch := range archs {
		// A flavor that has not this architecture may have the next one.
		p, err := local.PlanSource(ctx, &specs.Source{Name: specs.DefaultName, Data: []byte(spec)}, local.Options{Arch: arch})
		if err == nil && p.Disk.Firmware != nil {
			return "--platform linux/" + arch + " --target img", nil
		}
	}
	return "--target iso", nil
}
