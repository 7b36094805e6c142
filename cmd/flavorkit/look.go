package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/internal/graphtext"
	"github.com/flavorkit/flavorkit/internal/offline"
	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/flavors"
)

// lookFlags are the flags of the commands that only look at a spec.
type lookFlags struct {
	file, arch string
	contexts   map[string]string
}

func (f *lookFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", specs.DefaultName, "the spec")
	cmd.Flags().StringVar(&f.arch, "arch", runtime.GOARCH, "architecture to plan for: amd64 or arm64")
	cmd.Flags().StringToStringVar(&f.contexts, "build-context", nil, "folder that stands for a named context: name=folder")
}

func (f *lookFlags) plan(cmd *cobra.Command) (*plan.Plan, error) {
	p, err := offline.Plan(cmd.Context(), offline.Options{File: f.file, Arch: f.arch, Contexts: f.contexts})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Errorf("there is no %s; make one with 'flavorkit init', or name yours with -f", f.file)
	}
	return p, frontend.Locate(err)
}

func planCommand() *cobra.Command {
	var f lookFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what a spec resolves to",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.plan(cmd)
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
		Use:   "graph",
		Short: "Show the build graph of a spec, a paragraph a step",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.plan(cmd)
			if err != nil {
				return err
			}
			env := offline.Graph(p, f.contexts)
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
		Use:   "check",
		Short: "Check a spec without building it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.plan(cmd)
			if err != nil {
				return err
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
				return errors.Errorf("no flavor is called %q; %s", flavor, specs.Suggest(flavor, flavors.Names()))
			}
			out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return errors.Errorf("%s is there already", file)
			}
			if err != nil {
				return errors.Wrap(err, "write the spec")
			}
			defer out.Close()
			if _, err := fmt.Fprintf(out, firstSpec, flavor); err != nil {
				return errors.Wrap(err, "write the spec")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; build it with: flavorkit build -f %s --target iso -o dist\n", file, filepath.ToSlash(file))
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", specs.DefaultName, "the file to write")
	cmd.Flags().StringVar(&flavor, "flavor", "debian-12", "the flavor to extend")
	return cmd
}
