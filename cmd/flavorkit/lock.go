package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
)

const lockHelp = `Write the lock file of a spec: kairos.lock beside kairos.spec. It has the images,
packages and downloads of all artifacts, with their checksums, so that builds
on other days and other machines take the same bytes. Packages are installed
without a network, from the archives that the lock names.

What the lock file has already stays as it is. --update chooses everything
anew, and prints what changed; --update=curl,jq only these packages, and what
they need. --check writes nothing, and fails when the spec needs something that
the lock file does not have.

Builds use the lock file by themselves. With --locked they refuse what it does
not have.`

// lockFlags are the flags of the lock command.
type lockFlags struct {
	solveFlags
	// update has the packages to choose anew, or everything.
	update []string
	check  bool
}

// anew is the value of --update that names no package.
const anew = "*"

func lockCommand() *cobra.Command {
	f := &lockFlags{}
	cmd := &cobra.Command{
		Use:   "lock [CONTEXT | SPEC]",
		Short: "Write the lock file of a spec",
		Long:  lockHelp,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Log = cmd.ErrOrStderr()
			if err := f.find(cmd.Context(), args); err != nil {
				return err
			}
			if err := f.complete(); err != nil {
				return err
			}
			return f.run(cmd, lock.Name(filepath.Base(f.File)))
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.File, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	flags.StringSliceVar(&f.Platforms, "platform", nil, "platforms to lock for, such as linux/amd64,linux/arm64")
	return cmd
}

// add adds the flags of all commands that lock.
func (f *lockFlags) add(cmd *cobra.Command) {
	f.addBuilder(cmd)
	cmd.Flags().StringSliceVar(&f.update, "update", nil, "choose all images, packages and downloads anew, or only the named packages: --update=NAME,...")
	cmd.Flags().Lookup("update").NoOptDefVal = anew
	cmd.Flags().BoolVar(&f.check, "check", false, "check the lock file, and write nothing")
}

const matrixLockHelp = `Write the lock file of a matrix: matrix.lock beside matrix.yaml, with what all
entries need. matrix build uses it. See 'flavorkit lock --help'.`

func matrixLockCommand() *cobra.Command {
	f, m := &lockFlags{}, &matrixFlags{}
	cmd := &cobra.Command{
		Use:   "lock --file MATRIX",
		Short: "Write the lock file of a matrix",
		Long:  matrixLockHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Log = cmd.ErrOrStderr()
			if err := f.complete(); err != nil {
				return err
			}
			if err := m.whole(cmd.Context(), &f.solveFlags); err != nil {
				return err
			}
			return f.run(cmd, lock.Name(filepath.Base(m.file)))
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&m.file, "file", "f", "", "the matrix")
	return cmd
}

// run locks. The lock file is beside the spec or the matrix.
func (f *lockFlags) run(cmd *cobra.Command, name string) error {
	all := slices.Contains(f.update, anew)
	if len(f.update) > 0 && f.check {
		return usagef("--update and --check exclude each other")
	}
	name = filepath.Join(filepath.Dir(f.File), name)
	old, err := local.Lock(f.File)
	if err != nil && !all {
		return frontend.Locate(err)
	}
	if f.NoCache = all; !all {
		for _, pkg := range f.update {
			if !old.Has(pkg) {
				return usagef("%s has no package %q", name, pkg)
			}
		}
		f.NoCacheStages = f.update
	}
	if f.check {
		f.setArg(frontend.LockedArg)
	}
	var text []byte
	err = f.withClient(cmd.Context(), func(c *client.Client) error {
		return solve.AskLong(cmd.Context(), c, f.Options, frontend.LockRequest, func(res *gwclient.Result) error {
			text = res.Metadata[frontend.ResultText]
			return nil
		})
	})
	if err != nil {
		return err
	}
	current, err := lock.Read(&specs.Source{Name: name, Data: text})
	if err != nil {
		return err
	}
	out, changes := cmd.OutOrStdout(), lock.Diff(old, current)
	switch {
	case f.check && len(changes) > 0:
		for _, c := range changes {
			fmt.Fprintln(out, c)
		}
		return errors.Errorf("%s has what the spec does not need; write it again with flavorkit lock", name)
	case f.check:
		fmt.Fprintf(out, "%s has everything that the spec needs\n", name)
		return nil
	}
	if err := replace(name, text); err != nil {
		return errors.Wrap(err, "write the lock file")
	}
	if old != nil {
		for _, c := range changes {
			fmt.Fprintln(out, c)
		}
	}
	fmt.Fprintf(out, "%s: %s\n", name, current.Summary())
	return nil
}

// replace writes a file in one step, so that an interrupted command leaves the old one.
func replace(name string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // no longer there after a success
	if _, err = file.Write(data); err == nil {
		err = file.Chmod(0o644)
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
