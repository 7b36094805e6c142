package main

import (
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/specs"
)

const sbomHelp = `Print the bill of materials of a system: the packages of its distributions, the
programs that are no packages, and the Go modules that these are linked with.
A spec is built first; what is in the cache is not built again. SYSTEM is a built
system as for 'flavorkit inspect': an image, an ISO, a disk or a root filesystem. It
does not tell which packages its kernel is of, nor where its programs come from.

CycloneDX and SPDX are documents in JSON; the format json is CycloneDX.

Without --builder, the built-in BuildKit is used for a spec, as for a build.`

func sbomCommand() *cobra.Command {
	f := &solveFlags{}
	var format string
	cmd := &cobra.Command{
		Use:   "sbom [CONTEXT | SPEC | SYSTEM]",
		Short: "Print the bill of materials of a system",
		Long:  sbomHelp,
		Example: `  flavorkit sbom
  flavorkit sbom edge.spec --format spdx > edge.spdx.json
  flavorkit sbom dist/kairos-debian-12-core-amd64-generic-v1.0.0.iso
  flavorkit sbom ghcr.io/acme/edge:v1.0.0 --platform linux/arm64`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format == formatJSON {
				format = sbom.CycloneDX
			}
			text, err := f.sbom(cmd, args, format)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	f.addSystem(cmd)
	addFormat(cmd, &format, append(sbom.Formats(), formatJSON)...)
	return cmd
}

// addSystem adds the flags of commands about one system, of a spec or built.
func (f *solveFlags) addSystem(cmd *cobra.Command) {
	f.addBuilder(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.File, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	flags.StringSliceVar(&f.Platforms, "platform", nil, "platform of the system, such as linux/arm64")
}

// sbom returns the bill of materials of a spec, or of a built system.
func (f *solveFlags) sbom(cmd *cobra.Command, args []string, format string) ([]byte, error) {
	if len(f.Platforms) > 1 {
		return nil, usagef("--platform takes one platform here; use --target %s for several", frontend.SBOMTarget)
	}
	if len(args) > 0 && f.File == "" && inspect.IsBuilt(args[0]) {
		return f.builtSBOM(cmd, args[0], format)
	}
	return f.specSBOM(cmd, args, format)
}

// specSBOM builds a spec and returns its bill of materials.
func (f *solveFlags) specSBOM(cmd *cobra.Command, args []string, format string) (text []byte, err error) {
	f.Log = cmd.ErrOrStderr()
	if err := f.find(cmd.Context(), args); err != nil {
		return nil, err
	}
	f.Target = frontend.SBOMTarget
	if err := f.complete(); err != nil {
		return nil, err
	}
	err = f.withClient(cmd.Context(), func(c *client.Client) error {
		plans, err := solve.Plans(cmd.Context(), c, f.Options)
		if err != nil {
			return err
		}
		text, err = solve.Bill(cmd.Context(), c, f.Options, plans[0], format)
		return err
	})
	return text, err
}

// builtSBOM returns the bill of materials of a built system.
func (f *solveFlags) builtSBOM(cmd *cobra.Command, name, format string) ([]byte, error) {
	var opt inspect.Options
	var err error
	if opt.Registries, err = f.site.registries(); err != nil {
		return nil, err
	}
	if len(f.Platforms) > 0 {
		p, err := platforms.Parse(f.Platforms[0])
		if err != nil {
			return nil, &usageError{err}
		}
		opt.Arch = p.Architecture
	}
	bill, err := step(cmd, f.Progress, reading(name), func() (sbom.System, error) { return inspect.Bill(cmd.Context(), name, opt) })
	if err != nil {
		return nil, err
	}
	return bill.Write(format)
}
