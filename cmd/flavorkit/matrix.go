package main

import (
	"cmp"
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/flavorkit/flavorkit/client/bundle"
	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
)

const matrixHelp = `List the entries of a matrix: all flavors, or with --file your own, such as

  entries:
    - extends: [debian-12, ./edge.spec]
      kernels: [debian-12, debian-13]
      variants: [core]
      architectures: [amd64, arm64]
      models: [generic]

where every combination is an entry. The flags select entries, by name or pattern.`

const matrixExample = `  flavorkit matrix --arch amd64 --flavor 'debian-*'
  flavorkit matrix build --arch amd64 --target iso -o dist --version v1.0.0
  flavorkit matrix build --file edge.yaml --push --registry ghcr.io/acme`

// matrixFlags select entries of a matrix.
type matrixFlags struct {
	file, version string
	// flavorVersion is the default version of flavors.
	flavorVersion string
	selection     matrix.Selection
	// given are the values of build arguments, by name.
	given map[string]string
}

func (f *matrixFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "the matrix (default: that of all flavors)")
	flags.StringVar(&f.version, "version", "", "version of what is built (default: that of the specs, "+matrix.DefaultVersion+" for flavors)")
	flags.StringSliceVar(&f.selection.Names, "entry", nil, "only these entries, such as core-debian-12-amd64-generic")
	flags.StringSliceVar(&f.selection.Flavors, "flavor", nil, "only entries of these flavors, such as 'debian-*'")
	flags.StringSliceVar(&f.selection.Variants, "variant", nil, "only entries of these variants: core, standard")
	flags.StringSliceVar(&f.selection.Archs, "arch", nil, "only entries for these architectures, such as amd64")
	flags.StringSliceVar(&f.selection.Models, "model", nil, "only entries for these models, such as generic")
}

// dir is the directory of the specs that the matrix names.
func (f *matrixFlags) dir() string { return filepath.Dir(f.file) }

// entries reads the matrix and returns the selected entries, and all.
func (f *matrixFlags) entries(cat *catalog.Catalog) (chosen, all []matrix.Entry, err error) {
	src := matrix.Builtin()
	if f.file != "" {
		data, err := os.ReadFile(f.file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, errors.Errorf("no matrix %s", f.file)
		}
		if err != nil {
			return nil, nil, errors.Wrap(err, "read the matrix")
		}
		src = &specs.Source{Name: filepath.Base(f.file), Data: data}
	}
	all, err = matrix.Read(src, matrix.Options{Version: f.version, FlavorVersion: cmp.Or(f.flavorVersion, matrix.DefaultVersion), Flavors: cat.FlavorNames(), Archs: catalog.Names(cat.Archs)})
	if err != nil {
		return nil, nil, frontend.Locate(err)
	}
	chosen, err = f.selection.Of(all)
	if err != nil {
		return nil, nil, &usageError{err}
	}
	return chosen, all, nil
}

// together are the entries for the frontend. The lock file of a matrix is beside it; that of all
// flavors has none.
func (f *matrixFlags) together(entries []matrix.Entry) frontend.Entries {
	all := make(frontend.Entries, len(entries))
	for i, c := range entries {
		all[i] = frontend.Entry{Name: c.Name, Spec: c.Spec, Arch: c.Arch}
		if f.file != "" {
			all[i].Lock = lock.Name(filepath.Base(f.file))
		}
	}
	return all
}

// whole has a request answered for all entries of the matrix, which the command line must name.
func (f *matrixFlags) whole(ctx context.Context, s *solveFlags) error {
	if f.file == "" {
		return usagef("name the matrix with --file")
	}
	with, err := s.readContexts(ctx)
	if err != nil {
		return err
	}
	_, all, err := f.entries(with.Catalog)
	if err != nil {
		return err
	}
	s.Context, s.File = f.dir(), f.file
	s.Frontend = frontend.New(frontend.Options{}).Entries(f.together(all))
	return nil
}

// plans resolves entries without BuildKit, with the catalog, the contexts and the network of the options.
func (f *matrixFlags) plans(ctx context.Context, entries []matrix.Entry, with local.Options) ([]*plan.Plan, error) {
	plans := make([]*plan.Plan, len(entries))
	var found specs.Diagnostics
	for i, c := range entries {
		var err error
		with.File, with.Arch, with.Args, with.Shared = filepath.Join(f.dir(), c.Spec.Name), c.Arch, f.given, true
		plans[i], err = local.PlanSource(ctx, c.Spec, with)
		var mistakes specs.Diagnostics
		if errors.As(err, &mistakes) {
			found = append(found, mistakes...)
		} else if err != nil {
			return nil, errors.Wrap(err, c.Name)
		}
	}
	return plans, frontend.Locate(found.Err())
}

// declared are the names of the build arguments that plans have.
func declared(plans ...*plan.Plan) (names []string) {
	for _, p := range plans {
		for _, a := range p.Args {
			names = append(names, a.Name)
		}
	}
	return names
}

// planAll resolves the selected entries without BuildKit. One of them must declare each build
// argument.
func (f *matrixFlags) planAll(ctx context.Context, entries []matrix.Entry, with local.Options) ([]*plan.Plan, error) {
	plans, err := f.plans(ctx, entries, with)
	if err != nil {
		return nil, err
	}
	return plans, frontend.UndeclaredArgs(f.given, declared(plans...)).Err()
}

func matrixCommand() *cobra.Command {
	var f matrixFlags
	var args argFlags
	var format string
	var contexts contextFlags
	cmd := &cobra.Command{
		Use:     "matrix",
		Short:   "List a matrix of systems, or build many of them together",
		Long:    matrixHelp,
		Example: matrixExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkVersion(cmd.Context(), f.version); err != nil {
				return err
			}
			if err := args.read(); err != nil {
				return err
			}
			f.given = args.values
			with, err := contexts.read(cmd.Context())
			if err != nil {
				return err
			}
			entries, all, err := f.entries(with.Catalog)
			if err != nil {
				return err
			}
			plans, err := f.planAll(cmd.Context(), entries, with)
			if err != nil {
				return err
			}
			names := f.names(cmd.Context(), entries, all, plans, with)
			if format == formatJSON {
				return printJSON(cmd.OutOrStdout(), rows(entries, plans, names))
			}
			return writeTable(cmd.OutOrStdout(), rows(entries, plans, names))
		},
	}
	f.add(cmd)
	args.add(cmd.Flags())
	addFormat(cmd, &format, formatText, formatJSON)
	contexts.add(cmd)
	cmd.AddCommand(matrixBuildCommand(), matrixLockCommand(), matrixBundleCommand())
	return cmd
}

// row is an entry in a list.
type row struct {
	Name          string `json:"name"`
	Userland      string `json:"userland"`
	Kernel        string `json:"kernel"`
	KernelPackage string `json:"kernelPackage,omitempty"`
	Init          string `json:"init"`
	Variant       string `json:"variant"`
	Arch          string `json:"arch"`
	Model         string `json:"model"`
	Image         string `json:"image"`
	File          string `json:"file"`
	// Spec is the text of the entry.
	Spec string `json:"spec"`
}

func rows(entries []matrix.Entry, plans []*plan.Plan, names entryNames) []row {
	list := make([]row, len(entries))
	for i, c := range entries {
		p := plans[i]
		list[i] = row{
			Name: c.Name, Userland: p.Userland.Distro, Kernel: p.Kernel.Distro, Init: p.System.Init,
			Variant: p.Variant, Arch: p.Arch, Model: p.Model,
			Image: names.images[i], File: p.File, Spec: string(c.Spec.Data),
		}
		if p.Kernel.Own == nil && p.Source == nil {
			list[i].KernelPackage = p.Kernel.Packages[0].String()
		}
	}
	return list
}

func writeTable(w io.Writer, list []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tUSERLAND\tKERNEL\tINIT\tVARIANT\tARCH\tMODEL\tIMAGE")
	for _, r := range list {
		fmt.Fprintln(t, strings.Join([]string{r.Name, r.Userland, r.Kernel, r.Init, r.Variant, r.Arch, r.Model, r.Image}, "\t"))
	}
	return t.Flush()
}

const matrixBuildHelp = `Build entries of a matrix in one solve: shared steps run once, and the others in
parallel.

Images are written to the output directory, one OCI archive per entry, or pushed
with --push --registry. The other targets write files, each with a checksum beside
it. If two entries of the matrix make files of the same name, each entry gets its own
directory; if they make images of the same name, the images are named after their
entries. Entries that are not selected count too.`

// matrixBuildFlags are the flags of the command that builds entries.
type matrixBuildFlags struct {
	solveFlags
	matrixFlags
	output, registry, format string
	bundle                   string
}

func matrixBuildCommand() *cobra.Command {
	f := &matrixBuildFlags{}
	cmd := &cobra.Command{
		Use:     "build",
		Short:   "Build entries of a matrix together",
		Long:    matrixBuildHelp,
		Example: matrixExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Log = cmd.ErrOrStderr()
			return f.run(cmd.Context(), cmd)
		},
	}
	f.solveFlags.add(cmd)
	f.matrixFlags.add(cmd)
	addFormat(cmd, &f.format, formatText, formatJSON)
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "dist", "directory for what is built")
	flags.StringVar(&f.Context, "context", "", "build context (default: the directory of the matrix)")
	flags.BoolVar(&f.push, "push", false, "push the images; needs --registry")
	flags.BoolVar(&f.locked, "locked", false, "refuse what the lock file of the matrix does not have")
	flags.StringVar(&f.bundle, "from-bundle", "", "build from a bundle, a file or directory of flavorkit matrix bundle, without a network")
	flags.StringVar(&f.registry, "registry", "", "where to push to, such as ghcr.io/acme")
	return cmd
}

func (f *matrixBuildFlags) run(ctx context.Context, cmd *cobra.Command) error {
	if f.bundle != "" {
		b, dir, err := f.fromBundle(ctx, f.bundle)
		defer os.RemoveAll(dir)
		if err != nil {
			return err
		}
		if err := f.takeMatrix(b); err != nil {
			return err
		}
	}
	if err := f.check(ctx, cmd); err != nil {
		return err
	}
	with, err := f.readContexts(ctx)
	if err != nil {
		return err
	}
	f.given = f.Args
	entries, all, err := f.entries(with.Catalog)
	if err != nil {
		return err
	}
	if f.Context == "" {
		f.Context = f.dir()
	}
	f.File = filepath.Join(f.dir(), "matrix.yaml") // its directory counts
	together := f.together(entries)
	f.Frontend = frontend.New(frontend.Options{}).Entries(together)
	return f.withClient(ctx, func(c *client.Client) error {
		// Mistakes of any spec come before anything is built.
		plans, err := solve.Plans(ctx, c, f.Options)
		if err != nil {
			return err
		}
		names := f.names(ctx, entries, all, plans, with)
		if f.target.IsImage() {
			err = f.buildImages(ctx, cmd, c, together, plans, names)
		} else {
			err = f.buildFiles(ctx, cmd, c, names)
		}
		return stderrors.Join(err, f.writeTrace(f.record("matrix", err)))
	})
}

// takeMatrix takes the matrix of a bundle, unless the command line names another.
func (f *matrixBuildFlags) takeMatrix(b *bundle.Opened) error {
	switch {
	case f.file != "":
		return nil
	case len(b.Entries) == 0:
		return errors.Errorf("the bundle %s is of the spec %s, and not of a matrix; build it with flavorkit build --from-bundle", f.bundle, b.Spec)
	}
	f.file, f.Context = b.SpecFile(), cmp.Or(f.Context, b.ContextDir())
	return nil
}

// check checks the flags.
func (f *matrixBuildFlags) check(ctx context.Context, cmd *cobra.Command) error {
	if err := f.complete(); err != nil {
		return err
	}
	switch {
	case f.push && f.registry == "":
		return usagef("--push needs --registry")
	case !f.push && f.registry != "":
		return usagef("--registry needs --push")
	case f.push && !f.target.IsImage():
		return notAnImage("push", f.target)
	case f.push && cmd.Flags().Changed("output"):
		return usagef("--push and --output exclude each other")
	case f.output == "":
		return usagef("an output is empty; name a directory")
	}
	if f.registry != "" {
		if err := checkRegistry(f.registry); err != nil {
			return err
		}
	}
	return checkVersion(ctx, f.version)
}

// buildFiles builds all entries into one directory.
func (f *matrixBuildFlags) buildFiles(ctx context.Context, cmd *cobra.Command, c *client.Client, names entryNames) (err error) {
	o, err := solve.OutputDir(f.output)
	if err != nil {
		return err
	}
	defer discard([]*solve.Output{o}, &err)
	// The exporter makes one directory per entry when it splits by platform.
	o.Entry.Attrs = map[string]string{"platform-split": fmt.Sprint(names.dirs)}
	made, err := export(ctx, c, f.Options, o)
	if err != nil {
		return err
	}
	var b built
	b.add(made.files...)
	return b.print(cmd, f.format)
}

// buildImages builds all entries and then exports the image of each from the cache.
func (f *matrixBuildFlags) buildImages(ctx context.Context, cmd *cobra.Command, c *client.Client, entries frontend.Entries, plans []*plan.Plan, names entryNames) error {
	if _, err := solve.Build(ctx, c, f.Options); err != nil {
		return err
	}
	written := make([]exported, len(entries))
	b := built{Images: make([]builtImage, len(entries))}
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(exportsAtOnce)
	for i, entry := range entries {
		eg.Go(func() (err error) {
			o := f.Options
			o.Frontend, o.Platforms = frontend.New(frontend.Options{}).Entry(entry), []string{"linux/" + entry.Arch}
			// All steps have run, and their progress has been shown.
			o.NoCache, o.NoCacheStages, o.CacheTo, o.Progress = false, nil, nil, solve.QuietProgress
			file, ref := f.imagePlace(names, i, entry.Name, plans[i])
			out, err := f.openImage(file, ref)
			if err != nil {
				return err
			}
			defer discard([]*solve.Output{out}, &err)
			written[i], err = export(ctx, c, o, out)
			b.Images[i] = builtImage{Entry: entry.Name, Digest: written[i].digest}
			if f.push {
				b.Images[i].Name = ref
			}
			return errors.Wrap(err, entry.Name)
		})
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	for _, made := range written {
		b.add(made.files...)
	}
	return b.print(cmd, f.format)
}

// exportsAtOnce limits the images that are compressed and written at the same time.
const exportsAtOnce = 4

// imagePlace returns where the image of an entry goes: a file, or a reference in the registry.
func (f *matrixBuildFlags) imagePlace(names entryNames, i int, entry string, p *plan.Plan) (file, ref string) {
	dir := f.output
	if names.dirs {
		dir = filepath.Join(dir, entry)
	}
	file = filepath.Join(dir, p.File+f.target.Suffix+".oci.tar")
	return file, f.registry + "/" + names.images[i] + f.target.Suffix
}

// openImage opens the output of an image: a file, or the registry.
func (f *matrixBuildFlags) openImage(file, ref string) (*solve.Output, error) {
	if f.push {
		return solve.OutputRegistry(ref), nil
	}
	return solve.OutputImage(file)
}
