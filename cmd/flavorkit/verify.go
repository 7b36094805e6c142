package main

import (
	"runtime"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/sign"
	"github.com/flavorkit/flavorkit/client/verify"
	"github.com/flavorkit/flavorkit/specs"
)

const verifyHelp = `Verify a built system: hold what is told about it to what is in it, and to each other.

  digest     the content, against the digest that is given, that in the name of an
             image, or that in FILE.sha256
  signature  with the public key: of an image, or FILE.sig, FILE.bundle or
             FILE.sigstore.json
  sbom       the bill of materials against the database of packages in the system
  lock       the lock file against the bill of materials, and against the base image

Attestations of an image, and those beside a file, are found without being named.
SYSTEM is as for 'flavorkit inspect'. Nothing is run.

The exit code is 1 if a check failed, or if there is not what a flag asks for. It is 3
if there was nothing to check.`

func verifyCommand() *cobra.Command {
	var opt verify.Options
	var site siteFlags
	var key, format, progress string
	var require []string
	cmd := &cobra.Command{
		Use:   "verify SYSTEM",
		Short: "Verify the digest, the signature, the bill of materials and the lock of a system",
		Long:  verifyHelp,
		Example: `  flavorkit verify registry.example.com/edge:v1 --key cosign.pub
  flavorkit verify dist/edge.iso --key cosign.pub --lock kairos.lock --require sbom`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opt.Require, err = kinds(require); err != nil {
				return err
			}
			if key != "" {
				if opt.Key, err = sign.ReadPublicKey(key); err != nil {
					return err
				}
			}
			if opt.Registries, err = site.registries(); err != nil {
				return err
			}
			report, err := step(cmd, progress, "verify "+args[0], func() (*verify.Report, error) {
				return verify.Verify(cmd.Context(), args[0], opt)
			})
			if err != nil {
				return err
			}
			if format == formatJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				err = report.WriteText(cmd.OutOrStdout())
			}
			if err != nil {
				return err
			}
			return verified(report)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&key, "key", "", "the public key, such as cosign.pub")
	flags.StringVar(&opt.Digest, "digest", "", "digest of the image or the file, such as sha256:…")
	flags.StringVar(&opt.SBOM, string(verify.SBOM), "", "bill of materials, as SPDX or CycloneDX in JSON")
	flags.StringVar(&opt.Lock, "lock", "", "lock file, such as kairos.lock")
	flags.StringSliceVar(&require, "require", nil, "checks that have to be ok: "+strings.Join(texts(verify.Kinds()), ", "))
	setChoices(flags, "require", texts(verify.Kinds()))
	flags.StringVar(&opt.Arch, "arch", runtime.GOARCH, "architecture, if there are images for several, such as arm64")
	addFormat(cmd, &format, formatText, formatJSON)
	addProgress(flags, &progress)
	site.add(flags)
	return cmd
}

// kinds reads the names of checks.
func kinds(require []string) (all []verify.Kind, err error) {
	for _, name := range require {
		if !slices.Contains(verify.Kinds(), verify.Kind(name)) {
			return nil, usagef("--require: unknown check %q; %s", name, specs.Suggest(name, texts(verify.Kinds())))
		}
		all = append(all, verify.Kind(name))
	}
	return all, nil
}

// verified is the error that a report amounts to.
func verified(r *verify.Report) error {
	switch failed := r.Count(verify.Failed); {
	case failed == 1:
		return errors.Errorf("%s: one check failed", r.Name)
	case failed > 1:
		return errors.Errorf("%s: %d checks failed", r.Name, failed)
	case r.Count(verify.OK) == 0:
		return &codeError{errors.Errorf("%s: there is nothing to check it with", r.Name), exitUnreachable}
	}
	return nil
}
