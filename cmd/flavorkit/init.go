package main

import (
	"context"
	stderrors "errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

const firstSpec = `# syntax=%s
extends: %s
version: v0.1.0
`

func initCommand() *cobra.Command {
	var file, flavor string
	var contexts map[string]string
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a first kairos.spec",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cat, err := local.Catalog(contexts)
			if err != nil {
				return frontend.Locate(err)
			}
			if _, ok := cat.Flavor(flavor); !ok {
				return usagef("no flavor is called %q; %s", flavor, specs.Suggest(flavor, cat.FlavorNames()))
			}
			text := fmt.Sprintf(firstSpec, frontend.Image(), flavor)
			what, err := firstBuild(cmd.Context(), text, cat)
			if err != nil {
				return err
			}
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			// The same arguments find the spec again.
			same := quote(filepath.ToSlash(dir))
			if file == "" {
				file = filepath.Join(dir, specs.DefaultName)
			} else {
				same = "-f " + quote(filepath.ToSlash(file)) + " " + same
			}
			if err := writeNew(file, text); err != nil {
				return err
			}
			if dir, ok := contexts[catalog.ContextName]; ok {
				what += " --catalog " + quote(filepath.ToSlash(dir))
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; build it with: flavorkit build %s %s -o dist\n", file, same, what)
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the file to write (default: "+specs.DefaultName+" in DIR)")
	cmd.Flags().StringVar(&flavor, "flavor", "debian-12", "the flavor to extend")
	cmd.Flags().Var(catalogFlag{&contexts}, "catalog", "directory of a catalog to lay over the built-in one")
	return cmd
}

// writeNew writes a file that does not exist yet.
func writeNew(file, text string) (err error) {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return errors.Errorf("%s already exists", file)
	}
	if err != nil {
		return errors.Wrap(err, "write the spec")
	}
	_, err = out.WriteString(text)
	return errors.Wrap(stderrors.Join(err, out.Close()), "write the spec")
}

// firstBuild returns the flags that build a bootable artifact: a disk for a board, an ISO for any
// other machine.
func firstBuild(ctx context.Context, spec string, cat *catalog.Catalog) (string, error) {
	for _, arch := range catalog.Names(cat.Archs) {
		// The flavor may support only another architecture.
		p, err := local.PlanSource(ctx, &specs.Source{Name: specs.DefaultName, Data: []byte(spec)}, local.Options{Arch: arch, Catalog: cat})
		if err == nil && p.Disk.Firmware != nil {
			return "--platform linux/" + arch + " --target img", nil
		}
	}
	return "--target iso", nil
}
