package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/remaster"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/specs"
)

// remasterFlags are the flags of the remaster command.
type remasterFlags struct {
	output       string
	cloudConfigs []string
	add, remove  []string
	progress     string
}

func remasterCommand() *cobra.Command {
	f := &remasterFlags{}
	cmd := &cobra.Command{
		Use:   "remaster ISO -o NEW",
		Short: "Give an ISO another cloud-config and other kernel arguments",
		Long: `Write an ISO with the system of another one, of flavorkit or of upstream, and with
another cloud-config and other kernel arguments. It takes about as long as a copy,
unpacks no system, and needs xorriso and no root.

The first cloud-config becomes /config.yaml on the medium, in place of the one that
is there. Others keep their names. The arguments are those of the live system, in
all entries of the boot menu. The checksum is written beside the ISO.`,
		Example: `  flavorkit remaster edge.iso -o site-7.iso --cloud-config site-7.yaml
  flavorkit remaster edge.iso -o serial.iso --cmdline console=ttyS1,115200 --remove-cmdline quiet`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt, err := f.complete(cmd)
			if err != nil {
				return err
			}
			if _, err := step(cmd, f.progress, "write "+f.output, func() (struct{}, error) {
				return struct{}{}, remaster.Remaster(cmd.Context(), args[0], f.output, opt)
			}); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s.sha256\n", f.output, f.output)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "the ISO to write")
	flags.StringArrayVar(&f.cloudConfigs, "cloud-config", nil, "cloud-config for the medium")
	flags.StringArrayVar(&f.add, "cmdline", nil, `kernel arguments to add, such as "console=ttyS1,115200 debug"`)
	flags.StringArrayVar(&f.remove, "remove-cmdline", nil, "kernel arguments to remove, which the medium must have")
	addProgress(flags, &f.progress)
	return cmd
}

// complete checks the flags, reads the cloud-configs, and prints warnings about them.
func (f *remasterFlags) complete(cmd *cobra.Command) (opt remaster.Options, err error) {
	switch {
	case f.output == "":
		return opt, usagef("name the ISO to write with -o")
	case len(f.cloudConfigs)+len(f.add)+len(f.remove) == 0:
		return opt, usagef("there is nothing to change; use --cloud-config, --cmdline or --remove-cmdline")
	}
	if opt.Add, err = arguments("cmdline", f.add); err != nil {
		return opt, err
	}
	if opt.Remove, err = arguments("remove-cmdline", f.remove); err != nil {
		return opt, err
	}
	opt.Files = map[string][]byte{}
	var sources []*specs.Source
	for i, file := range f.cloudConfigs {
		name := "/" + filepath.Base(file)
		if i == 0 {
			name = "/" + artifact.ConfigFile
		}
		if !regexp.MustCompile(`^/[\w.-]+\.ya?ml$`).MatchString(name) {
			return opt, usagef("--cloud-config %s: machines read files that end with .yaml; rename it, with letters, digits, . _ and - in its name", file)
		}
		if _, twice := opt.Files[name]; twice {
			return opt, usagef("--cloud-config %s: there are two files for %s on the medium; rename one", file, name)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return opt, errors.Wrap(err, "read the cloud-config")
		}
		opt.Files[name] = text
		sources = append(sources, &specs.Source{Name: file, Data: text})
	}
	warnings, err := frontend.LintMedium(sources)
	if err != nil {
		return opt, frontend.Locate(err)
	}
	for _, w := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "flavorkit: warning: %v\n", w)
	}
	return opt, nil
}

// arguments splits and checks kernel arguments, in a flag.
func arguments(flag string, list []string) ([]string, error) {
	all := strings.Fields(strings.Join(list, " "))
	for _, arg := range all {
		if !specs.IsKernelArgument(arg) {
			return nil, usagef("--%s: %q is not one kernel argument; %s", flag, arg, specs.KernelArgumentHint)
		}
	}
	if len(list) > 0 && len(all) == 0 {
		return nil, usagef("--%s is empty", flag)
	}
	return all, nil
}
