package main

import (
	"context"
	stderrors "errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/bundle"
	"github.com/flavorkit/flavorkit/client/report"
	"github.com/flavorkit/flavorkit/client/sign"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/client/trace"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/specs"
)

const buildHelp = `Build a spec. Without --builder the build runs on the BuildKit inside flavorkit,
which needs Linux, root and runc; with it, or with BUILDKIT_HOST set, on any
other BuildKit.

Targets that are images are written to the output directory as an OCI archive,
or pushed with --tag and --push. The others write files, each with a checksum
beside it. The target test also writes a report and the log of the console,
packages only what would be installed, and sbom only a bill of materials.

Targets:
`

const buildExample = `  flavorkit build --target iso -o dist
  flavorkit build -t registry.example.com/edge:v1 --push
  flavorkit build --from-bundle edge.tar --target iso
  flavorkit build --from-image quay.io/kairos/ubuntu:24.04-core-amd64-generic-v3.6.0 --target iso
  flavorkit build --build-context debian:12-slim=oci-layout://base --target iso -o dist`

// buildFlags are the flags of the build command.
type buildFlags struct {
	solveFlags
	outputs      []string
	destinations []solve.Destination
	tag, report  string
	format       string
	bundle       string
	// image is a published image to build from, without a spec.
	image      string
	attestLock bool
	// sign is the file of the key.
	sign string
	key  *sign.Key
}

func buildCommand() *cobra.Command {
	f := &buildFlags{}
	cmd := &cobra.Command{
		Use:     "build [CONTEXT | SPEC]",
		Short:   "Build a spec",
		Long:    buildHelp + targetList(),
		Example: buildExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Context = first(args)
			f.Log = cmd.ErrOrStderr()
			return f.run(cmd.Context(), cmd)
		},
	}
	f.add(cmd)
	addFormat(cmd, &f.format, formatText, formatJSON)
	flags := cmd.Flags()
	flags.StringVarP(&f.File, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	flags.StringVar(&f.image, "from-image", "", "a published image of Kairos to build from, in place of a spec")
	flags.StringArrayVarP(&f.outputs, "output", "o", nil, "where to: a directory, or type=oci|image|local|tar,dest=… (default: dist)")
	flags.StringVarP(&f.tag, "tag", "t", "", "name of the image")
	flags.StringVar(&f.report, "report", "", "write a page about the build to a file, such as report.html")
	flags.BoolVar(&f.push, "push", false, "push the image to its registry; needs --tag")
	flags.BoolVar(&f.SBOM, "sbom", false, "attach a bill of materials in SPDX to the result, as an attestation")
	flags.StringVar(&f.bundle, "from-bundle", "", "build from a bundle, a file or directory of flavorkit bundle, without a network")
	flags.StringVar(&f.Provenance, "provenance", "", "attach how it was built as an attestation: "+strings.Join(solve.Provenances(), ", "))
	setChoices(flags, "provenance", solve.Provenances())
	flags.BoolVar(&f.attestLock, "attest-lock", false, "choose packages first, as lock does, and attach the lock of what is built as an attestation")
	flags.StringVar(&f.sign, "sign", "", "private key to sign what is built with; "+passwordVariable+" has its password")
	flags.BoolVar(&f.locked, "locked", false, "refuse what the lock file does not have")
	flags.StringSliceVar(&f.Platforms, "platform", nil, "platforms to build for, such as linux/amd64,linux/arm64")
	return cmd
}

func (f *buildFlags) run(ctx context.Context, cmd *cobra.Command) (err error) {
	if f.bundle != "" {
		b, dir, err := f.fromBundle(ctx, f.bundle)
		defer os.RemoveAll(dir)
		if err != nil {
			return err
		}
		if err := f.takeSpec(b); err != nil {
			return err
		}
	}
	remove, err := f.fromImage()
	if err != nil {
		return err
	}
	defer remove()
	if err := f.complete(ctx); err != nil {
		return err
	}
	return f.withClient(ctx, func(c *client.Client) (err error) {
		// Mistakes of the spec come before the output directory is touched.
		plans, err := solve.Plans(ctx, c, f.Options)
		if err != nil {
			return err
		}
		outputs, err := f.openOutputs(plans)
		defer discard(outputs, &err)
		if err != nil {
			return err
		}
		systems, err := f.systems(ctx, c, plans)
		if err != nil {
			return err
		}
		built, err := export(ctx, c, f.Options, outputs...)
		record := f.record(systems, err)
		if err == nil {
			err = f.readBills(ctx, c, systems)
		}
		if err := stderrors.Join(err, f.writeRecord(record, systems, built.files)); err != nil {
			return err
		}
		signatures, err := f.signAll(ctx, outputs, built)
		if err != nil {
			return err
		}
		return f.built(built, signatures).print(cmd, f.format)
	})
}

// built is what the build has made, with the signatures beside it.
func (f *buildFlags) built(made exported, signatures []string) (b built) {
	b.add(slices.Concat(made.files, signatures)...)
	if f.target.IsImage() {
		b.Images = []builtImage{{Name: f.tag, Digest: made.digest}}
	}
	return b
}

// takeSpec takes the spec of a bundle, unless the command line names another.
func (f *buildFlags) takeSpec(b *bundle.Opened) error {
	switch {
	case f.File != "" || f.Context != "":
		return nil
	case len(b.Entries) > 0:
		return errors.Errorf("the bundle %s is of the matrix %s, and not of a spec; build its entries with flavorkit matrix build --from-bundle", f.bundle, b.Spec)
	}
	f.File, f.Context = b.SpecFile(), b.ContextDir()
	return nil
}

// fromImage writes the spec of a published image, if the build is of one. The caller removes it.
func (f *buildFlags) fromImage() (remove func(), err error) {
	if f.image == "" {
		return func() {}, nil
	}
	if f.File != "" {
		return nil, usagef("--from-image and --file exclude each other; in a spec, write source: %s", f.image)
	}
	if err := checkImage("from-image", f.image); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "flavorkit-")
	if err != nil {
		return nil, errors.Wrap(err, "write a spec for the image")
	}
	remove = func() { _ = os.RemoveAll(dir) }
	f.File = filepath.Join(dir, specs.DefaultName)
	// A reference has no character that means anything in YAML between quotes.
	if err := os.WriteFile(f.File, fmt.Appendf(nil, "source: %q\n", f.image), 0o600); err != nil {
		remove()
		return nil, errors.Wrap(err, "write a spec for the image")
	}
	return remove, nil
}

// systems are those of a report, with the reasons of what is in them.
func (f *buildFlags) systems(ctx context.Context, c *client.Client, plans []*plan.Plan) ([]report.System, error) {
	all := make([]report.System, len(plans))
	for i, p := range plans {
		all[i].Plan = p
	}
	if f.report == "" {
		return all, nil
	}
	why, err := reasons(ctx, c, f.Options)
	for i := range min(len(why), len(all)) {
		all[i].Reasons = why[i]
	}
	return all, err
}

// record is what is known about the steps of a build, which failed if there is a failure.
func (f *buildFlags) record(systems []report.System, failure error) trace.Record {
	names := make([]string, len(systems))
	for i, s := range systems {
		names[i] = s.Plan.File
	}
	return f.solveFlags.record(strings.Join(names, ", "), failure)
}

// readBills reads what the systems of a report are made of, from the root filesystems that the build
// made.
func (f *buildFlags) readBills(ctx context.Context, c *client.Client, systems []report.System) error {
	if f.report == "" || !f.target.HasRoot() {
		return nil
	}
	opt := f.Options
	opt.NoCache, opt.NoCacheStages, opt.CacheTo, opt.SBOM, opt.Provenance = false, nil, nil, false, ""
	for i := range systems {
		text, err := solve.Bill(ctx, c, opt, systems[i].Plan, sbom.SPDX)
		if err != nil {
			return errors.Wrap(err, "list what is in the system, for the report")
		}
		if systems[i].Bill, err = sbom.Read(text); err != nil {
			return err
		}
	}
	return nil
}

// writeRecord writes the trace and the report of a build that has ended with an error or with files.
func (f *buildFlags) writeRecord(r trace.Record, systems []report.System, files []string) error {
	if err := f.writeTrace(r); err != nil {
		return err
	}
	if f.report == "" {
		return nil
	}
	return f.writeReport(r, systems, files)
}

// exported is what was built.
type exported struct {
	// files that were written.
	files []string
	// digest of the image, if it is one.
	digest string
}

// export builds and exports.
func export(ctx context.Context, c *client.Client, o solve.Options, outputs ...*solve.Output) (exported, error) {
	exports := make([]client.ExportEntry, len(outputs))
	for i, out := range outputs {
		exports[i] = out.Entry
	}
	res, err := solve.Build(ctx, c, o, exports...)
	if err != nil {
		if slices.ContainsFunc(outputs, (*solve.Output).Full) {
			return exported{}, errors.Wrap(err, "no space is left for the output")
		}
		return exported{}, err
	}
	all := exported{digest: res.ExporterResponse[exptypes.ExporterImageDigestKey]}
	for _, out := range outputs {
		files, err := out.Commit()
		if err != nil {
			return exported{}, err
		}
		all.files = append(all.files, slices.Sorted(slices.Values(files))...)
	}
	return all, nil
}

// discard removes incomplete outputs.
func discard(outputs []*solve.Output, err *error) {
	for _, o := range outputs {
		if e := o.Discard(); e != nil && *err == nil {
			*err = e
		}
	}
}

// complete checks the flags, and fills in what they leave open.
func (f *buildFlags) complete(ctx context.Context) (err error) {
	if err := f.solveFlags.complete(); err != nil {
		return err
	}
	if f.attestLock {
		f.setArg(frontend.AttestLockArg)
	}
	if err := checkPlatforms(ctx, f.Platforms, f.Contexts); err != nil {
		return err
	}
	if err := f.checkImage(); err != nil {
		return err
	}
	if err := f.parseOutputs(); err != nil {
		return err
	}
	if err := checkFile("report", f.report); err != nil {
		return err
	}
	if p := f.Provenance; p != "" && !slices.Contains(solve.Provenances(), p) {
		return usagef("--provenance: unknown mode %q; %s", p, specs.Suggest(p, solve.Provenances()))
	}
	if err := f.readSigningKey(); err != nil {
		return err
	}
	f.Context, f.File, err = findSpec(f.Context, f.File)
	return err
}

// checkImage checks the flags that only apply to images.
func (f *buildFlags) checkImage() error {
	switch {
	case f.push && f.tag == "":
		return usagef("--push needs --tag")
	case f.push && !f.target.IsImage():
		return notAnImage("push", f.target)
	case f.push && len(f.outputs) > 0:
		return usagef("--push and --output exclude each other")
	case f.tag == "":
		return nil
	case !f.target.IsImage():
		return notAnImage("tag", f.target)
	case !f.push && len(f.outputs) == 0:
		return usagef("--tag needs --push, or an output such as -o type=oci,dest=image.tar")
	}
	return checkImage("tag", f.tag)
}

// parseOutputs reads the outputs that are asked for.
func (f *buildFlags) parseOutputs() error {
	asked := f.outputs
	if len(asked) == 0 {
		asked = []string{"dist"}
	}
	named := false
	for _, s := range asked {
		d, err := solve.ParseOutput(s)
		if err != nil {
			return &usageError{err}
		}
		f.destinations = append(f.destinations, d)
		named = named || d.Plain || d.TakesName()
	}
	if f.tag != "" && !named {
		return usagef("--tag is for images, and no output is one; add one such as -o type=oci,dest=image.tar")
	}
	return nil
}

// notAnImage refuses a flag for images with a target that is not an image.
func notAnImage(flag string, t frontend.Target) error {
	return usagef("--%s is for images, and the target %s makes %s; remove --target, or choose %s",
		flag, t.Name, t.Output, strings.Join(frontend.TargetNames(frontend.Target.IsImage), " or "))
}

// openOutputs opens the requested outputs, or the default one of the target. On an error it also
// returns the outputs that are open, for the caller to discard.
func (f *buildFlags) openOutputs(plans []*plan.Plan) ([]*solve.Output, error) {
	if f.push {
		return []*solve.Output{solve.OutputRegistry(f.tag)}, nil
	}
	var outputs []*solve.Output
	for _, d := range f.destinations {
		o, err := f.openOutput(d, plans)
		if err != nil {
			return outputs, err
		}
		if f.tag != "" && o.Entry.Type != client.ExporterLocal && o.Entry.Type != client.ExporterTar {
			o.Entry.Attrs["name"] = f.tag
		}
		outputs = append(outputs, o)
	}
	return outputs, nil
}

// openOutput opens one output. An image goes into a directory as one archive, not as a tree of
// files.
func (f *buildFlags) openOutput(d solve.Destination, plans []*plan.Plan) (*solve.Output, error) {
	if !d.Plain || !f.target.IsImage() {
		return d.Open()
	}
	name := plans[0].File + f.target.Suffix
	if len(plans) > 1 {
		name = strings.Replace(name, "-"+plans[0].Arch+"-", "-", 1)
	}
	return solve.OutputImage(filepath.Join(d.Path, name+".oci.tar"))
}
