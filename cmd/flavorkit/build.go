package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer" // docker-container:// addresses
	_ "github.com/moby/buildkit/client/connhelper/kubepod"         // kube-pod:// addresses
	_ "github.com/moby/buildkit/client/connhelper/ssh"             // ssh:// addresses
	"github.com/moby/buildkit/cmd/buildctl/build"
	"github.com/pkg/errors"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/internal/engine"
	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/internal/solve"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/specs"
)

const buildHelp = `Build a spec. Without --builder the build runs on the BuildKit inside flavorkit,
which needs Linux, root and runc; with it, or with BUILDKIT_HOST set, on any
other BuildKit.

The targets image and img-image are written to the output folder as an OCI
archive, or pushed with --tag and --push. The other targets write the files they are named after,
each with a checksum beside it. The target test boots the system in an emulated machine, fails when
an assertion of the spec does, and writes a report and the log of the console.`

const buildExample = `  flavorkit build --target iso -o dist
  flavorkit build -t registry.example.com/edge:v1 --push
  flavorkit build --build-context debian:12-slim=oci-layout://base --target iso -o dist`

// solveFlags are the flags of all commands that build.
type solveFlags struct {
	solve.Options
	push               bool
	builder, stateDir  string
	cacheTo, cacheFrom []string
	cloudConfig        string
	mirrors            map[string]string
	debug              bool
}

func (f *solveFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Target, "target", "", "what to build: "+targetNames())
	flags.StringToStringVar(&f.Contexts, "build-context", nil, "named context: name=folder, name=oci-layout://path:tag, name=docker-image://ref")
	flags.StringVar(&f.cloudConfig, "cloud-config", "", "cloud-config for the ISO or the disk, instead of what the spec has")
	flags.StringToStringVar(&f.Args, "build-arg", nil, "build argument, such as SOURCE_DATE_EPOCH=0")
	flags.StringToStringVar(&f.Labels, "label", nil, "label of the image")
	flags.BoolVar(&f.NoCache, "no-cache", false, "run every step again")
	flags.StringSliceVar(&f.NoCacheStages, "no-cache-filter", nil, "run the steps of these stages again, such as debian-12/userland")
	flags.StringArrayVar(&f.cacheTo, "cache-to", nil, "export the cache, such as type=registry,ref=…")
	flags.StringArrayVar(&f.cacheFrom, "cache-from", nil, "import a cache, such as type=registry,ref=…")
	flags.StringVar(&f.Progress, "progress", "auto", "how progress is shown: auto, plain, tty, rawjson or quiet")
	flags.StringVar(&f.builder, "builder", os.Getenv("BUILDKIT_HOST"), "address of a BuildKit, such as unix:///run/buildkit/buildkitd.sock")
	flags.StringVar(&f.stateDir, "state-dir", "/var/lib/flavorkit", "cache of the BuildKit inside flavorkit")
	flags.StringToStringVar(&f.mirrors, "registry-mirror", nil, "registry that is asked first, such as docker.io=mirror.example.com")
	flags.BoolVar(&f.debug, "debug", false, "show what the BuildKit inside flavorkit logs")
}

// complete reads the flags that have a syntax of their own.
func (f *solveFlags) complete() (err error) {
	if f.cloudConfig != "" && !slices.Contains(frontend.ConfigTargets(), f.Target) {
		return &usageError{errors.Errorf("--cloud-config is for the targets %s", strings.Join(frontend.ConfigTargets(), ", "))}
	}
	if f.CacheTo, err = build.ParseExportCache(f.cacheTo); err != nil {
		return &usageError{err}
	}
	if f.CacheFrom, err = build.ParseImportCache(f.cacheFrom); err != nil {
		return &usageError{err}
	}
	return nil
}

// buildFlags are the flags of the build command.
type buildFlags struct {
	solveFlags
	outputs []string
	tag     string
}

func buildCommand() *cobra.Command {
	f := &buildFlags{}
	cmd := &cobra.Command{
		Use:     "build [CONTEXT]",
		Short:   "Build a spec",
		Long:    buildHelp,
		Example: buildExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				f.Context = args[0]
			}
			f.Log = cmd.ErrOrStderr()
			return f.run(cmd.Context(), cmd)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.File, "file", "f", "", "the spec (default: "+specs.DefaultName+" in the context)")
	flags.StringArrayVarP(&f.outputs, "output", "o", nil, "where to: a folder, or type=oci|image|local|tar,dest=… (default: dist)")
	flags.StringVarP(&f.tag, "tag", "t", "", "name of the image")
	flags.BoolVar(&f.push, "push", false, "push the image to its registry; needs --tag")
	flags.StringSliceVar(&f.Platforms, "platform", nil, "platforms to build for, such as linux/amd64,linux/arm64")
	return cmd
}

func (f *buildFlags) run(ctx context.Context, cmd *cobra.Command) error {
	if err := f.complete(); err != nil {
		return err
	}
	return f.withClient(ctx, func(c *client.Client) (err error) {
		// Mistakes of the spec come before the output folder is touched.
		plans, err := solve.Plans(ctx, c, f.Options)
		if err != nil {
			return err
		}
		outputs, err := f.openOutputs(plans)
		defer discard(outputs, &err)
		if err != nil {
			return err
		}
		files, err := export(ctx, c, f.Options, outputs...)
		if err != nil {
			return err
		}
		return list(cmd, files)
	})
}

// export builds, and returns the files that are there now.
func export(ctx context.Context, c *client.Client, o solve.Options, outputs ...*solve.Output) ([]string, error) {
	exports := make([]client.ExportEntry, len(outputs))
	for i, out := range outputs {
		exports[i] = out.Entry
	}
	if _, err := solve.Build(ctx, c, o, exports...); err != nil {
		if slices.ContainsFunc(outputs, (*solve.Output).Full) {
			return nil, errors.Wrap(err, "no space is left for the output")
		}
		return nil, err
	}
	var all []string
	for _, out := range outputs {
		files, err := out.Commit()
		if err != nil {
			return nil, err
		}
		all = append(all, slices.Sorted(slices.Values(files))...)
	}
	return all, nil
}

// discard removes what is not whole of outputs.
func discard(outputs []*solve.Output, err *error) {
	for _, o := range outputs {
		if e := o.Discard(); e != nil && *err == nil {
			*err = e
		}
	}
}

// list prints the files that were built.
func list(cmd *cobra.Command, files []string) error {
	for _, file := range files {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), file); err != nil {
			return err
		}
	}
	return nil
}

// targetNames lists the targets for help texts.
func targetNames() string {
	names := slices.Clone(frontend.Targets())
	names[0] += " (default)"
	return strings.Join(names, ", ")
}

// complete fills in what the flags leave open.
func (f *buildFlags) complete() error {
	if f.Context == "" {
		f.Context = "."
	}
	if f.File == "" {
		f.File = filepath.Join(f.Context, specs.DefaultName)
	}
	if info, err := os.Stat(f.File); err != nil || info.IsDir() {
		return errors.Errorf("there is no spec %s; make one with 'flavorkit init', or name yours with -f", f.File)
	}
	if f.push && f.tag == "" {
		return &usageError{errors.New("--push needs --tag")}
	}
	if f.tag != "" && !f.push && len(f.outputs) == 0 {
		return &usageError{errors.New("--tag needs --push, or an output such as -o type=oci,dest=image.tar")}
	}
	return f.solveFlags.complete()
}

// withClient calls do with the BuildKit that builds run on.
func (f *solveFlags) withClient(ctx context.Context, do func(*client.Client) error) (err error) {
	if f.cloudConfig != "" {
		folder, err := f.addCloudConfig()
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
	}
	c, closeClient, err := f.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if e := closeClient(); e != nil && err == nil {
			err = e
		}
	}()
	return do(c)
}

// addCloudConfig hands the cloud-config in as a named context, which is a
// folder: a private one, to be removed by the caller.
func (f *solveFlags) addCloudConfig() (folder string, err error) {
	text, err := os.ReadFile(f.cloudConfig)
	if err != nil {
		return "", errors.Wrap(err, "read the cloud-config")
	}
	// The frontend would say the same, but does not know the name of the file.
	if _, err := specs.ReadMachineConfig(&specs.Source{Name: f.cloudConfig, Data: text}); err != nil {
		return "", frontend.Locate(err)
	}
	if folder, err = os.MkdirTemp("", "flavorkit-"); err != nil {
		return "", errors.Wrap(err, "hand in the cloud-config")
	}
	if err := os.WriteFile(filepath.Join(folder, artifact.ConfigFile), text, 0o600); err != nil {
		_ = os.RemoveAll(folder)
		return "", errors.Wrap(err, "hand in the cloud-config")
	}
	contexts := maps.Clone(f.Contexts)
	if contexts == nil {
		contexts = map[string]string{}
	}
	contexts[artifact.ConfigContext] = folder
	f.Contexts = contexts
	return folder, nil
}

// connect opens the BuildKit that the build runs on.
func (f *solveFlags) connect(ctx context.Context) (*client.Client, func() error, error) {
	if f.builder != "" {
		if !f.debug {
			// The client's OCI store warns about file systems; nobody asked it.
			logrus.SetOutput(io.Discard)
		}
		c, err := client.New(ctx, f.builder)
		if err != nil {
			return nil, nil, errors.Wrapf(err, "connect to the builder %s", f.builder)
		}
		if _, err := c.Info(ctx); err != nil {
			_ = c.Close()
			return nil, nil, errors.Wrapf(err, "talk to the builder %s", f.builder)
		}
		return c, c.Close, nil
	}
	root, err := filepath.Abs(f.stateDir)
	if err != nil {
		return nil, nil, err
	}
	o := engine.Options{Root: root, Mirrors: map[string][]string{}}
	for host, mirror := range f.mirrors {
		o.Mirrors[host] = []string{mirror}
	}
	if f.debug {
		o.Log = os.Stderr
	}
	e, err := engine.New(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	return e.Client(), e.Close, nil
}

// openOutputs opens the outputs that were asked for, or those that fit the
// target. What it has opened is returned with an error too, to be discarded.
func (f *buildFlags) openOutputs(plans []*plan.Plan) ([]*solve.Output, error) {
	if f.push {
		o, err := solve.ParseOutput("type=registry,name=" + f.tag)
		return []*solve.Output{o}, err
	}
	asked := f.outputs
	if len(asked) == 0 {
		asked = []string{"dist"}
	}
	var outputs []*solve.Output
	for _, s := range asked {
		o, err := f.openOutput(s, plans)
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

// openOutput opens one output. An image goes into a folder as an archive, not as
// its hundred thousand files.
func (f *buildFlags) openOutput(s string, plans []*plan.Plan) (*solve.Output, error) {
	suffix, isImage := map[string]string{"": "", "image": "", "img-image": "-img"}[f.Target]
	if strings.Contains(s, "=") || !isImage {
		return solve.ParseOutput(s)
	}
	name := plans[0].File + suffix
	if len(plans) > 1 {
		name = strings.Replace(name, "-"+plans[0].Arch+"-", "-", 1)
	}
	return solve.OutputImage(filepath.Join(s, name+".oci.tar"))
}
