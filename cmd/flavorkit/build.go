package main

import (
	"cmp"
	"context"
	stderrors "errors"
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

	"github.com/flavorkit/flavorkit/client/engine"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
)

const buildHelp = `Build a spec. Without --builder the build runs on the BuildKit inside flavorkit,
which needs Linux, root and runc; with it, or with BUILDKIT_HOST set, on any
other BuildKit.

Targets that are images are written to the output directory as an OCI archive,
or pushed with --tag and --push. The others write files, each with a checksum
beside it. The target test also writes a report and the log of the console.

Targets:
`

const buildExample = `  flavorkit build --target iso -o dist
  flavorkit build -t registry.example.com/edge:v1 --push
  flavorkit build --build-context debian:12-slim=oci-layout://base --target iso -o dist`

// solveFlags are the flags of all commands that build.
type solveFlags struct {
	solve.Options
	push               bool
	builder, stateDir  string
	buildArgs, labels  []string
	cacheTo, cacheFrom []string
	cloudConfig        string
	mirrors            map[string]string
	debug              bool

	target frontend.Target
}

func (f *solveFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Target, "target", "", "what to build: "+targetNames())
	addContexts(flags, &f.Contexts, "named context: name=directory, name=oci-layout://path:tag, name=docker-image://ref")
	flags.StringVar(&f.cloudConfig, "cloud-config", "", "cloud-config for the ISO or the disk, instead of what the spec has")
	flags.StringArrayVar(&f.buildArgs, "build-arg", nil, "build argument, such as SOURCE_DATE_EPOCH=0; a name alone takes the value from the environment")
	flags.StringArrayVar(&f.labels, "label", nil, "label of the image, such as org.opencontainers.image.vendor=Acme")
	flags.BoolVar(&f.NoCache, "no-cache", false, "run every step again")
	flags.StringSliceVar(&f.NoCacheStages, "no-cache-filter", nil, "run the steps of these stages again, such as debian-12/userland")
	flags.StringArrayVar(&f.cacheTo, "cache-to", nil, "export the cache, such as type=registry,ref=…")
	flags.StringArrayVar(&f.cacheFrom, "cache-from", nil, "import a cache, such as type=registry,ref=…")
	flags.StringVar(&f.Progress, "progress", "auto", "how progress is shown: auto, plain, tty, rawjson or quiet")
	flags.StringVar(&f.builder, "builder", os.Getenv("BUILDKIT_HOST"), "address of a BuildKit, such as unix:///run/buildkit/buildkitd.sock")
	flags.StringVar(&f.stateDir, "state-dir", "/var/lib/flavorkit", "cache of the BuildKit inside flavorkit")
	flags.Var(pairsFlag{&f.mirrors}, "registry-mirror", "registry that is asked first, such as docker.io=mirror.example.com")
	flags.BoolVar(&f.debug, "debug", false, "show what the BuildKit inside flavorkit logs")
}

// complete checks the flags, and reads those that have a syntax of their own.
func (f *solveFlags) complete() (err error) {
	if f.target, err = findTarget(f.Target); err != nil {
		return err
	}
	if f.cloudConfig != "" && f.target.CloudConfig.IsZero() {
		valid := frontend.TargetNames(func(t frontend.Target) bool { return !t.CloudConfig.IsZero() })
		return usagef("--cloud-config is for the targets %s", strings.Join(valid, ", "))
	}
	if f.stateDir == "" {
		return usagef("--state-dir is empty; name a directory")
	}
	if err := solve.CheckProgress(f.Log, f.Progress); err != nil {
		return &usageError{err}
	}
	if f.Args, err = pairs("build-arg", f.buildArgs, os.LookupEnv); err != nil {
		return err
	}
	if f.Labels, err = pairs("label", f.labels, func(string) (string, bool) { return "", true }); err != nil {
		return err
	}
	return f.caches()
}

// caches reads the requested caches.
func (f *solveFlags) caches() (err error) {
	if f.CacheTo, err = build.ParseExportCache(f.cacheTo); err != nil {
		return &usageError{errors.Wrap(err, "--cache-to")}
	}
	if f.CacheFrom, err = build.ParseImportCache(f.cacheFrom); err != nil {
		return &usageError{errors.Wrap(err, "--cache-from")}
	}
	// Those of buildkitd; the BuildKit inside flavorkit has the first two.
	types := []string{"registry", "local", "gha", "s3", "azblob"}
	if err := checkCaches("cache-from", f.CacheFrom, types); err != nil {
		return err
	}
	return checkCaches("cache-to", f.CacheTo, append(types, "inline"))
}

func checkCaches(flag string, caches []client.CacheOptionsEntry, types []string) error {
	for _, c := range caches {
		if !slices.Contains(types, c.Type) {
			return usagef("--%s: unknown type %q; %s", flag, c.Type, specs.Suggest(c.Type, types))
		}
		if c.Type == "registry" {
			if err := checkImage(flag, c.Attrs["ref"]); err != nil {
				return err
			}
		}
	}
	return nil
}

// buildFlags are the flags of the build command.
type buildFlags struct {
	solveFlags
	outputs      []string
	destinations []solve.Destination
	tag          string
}

func buildCommand() *cobra.Command {
	f := &buildFlags{}
	cmd := &cobra.Command{
		Use:     "build [CONTEXT]",
		Short:   "Build a spec",
		Long:    buildHelp + targetList(),
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
	flags.StringArrayVarP(&f.outputs, "output", "o", nil, "where to: a directory, or type=oci|image|local|tar,dest=… (default: dist)")
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
		files, err := export(ctx, c, f.Options, outputs...)
		if err != nil {
			return err
		}
		return list(cmd, files)
	})
}

// export builds and returns the files that were written.
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

// discard removes incomplete outputs.
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

// complete checks the flags, and fills in what they leave open.
func (f *buildFlags) complete() (err error) {
	if err := f.solveFlags.complete(); err != nil {
		return err
	}
	if err := checkPlatforms(f.Platforms, f.Contexts); err != nil {
		return err
	}
	if err := f.checkImage(); err != nil {
		return err
	}
	if err := f.parseOutputs(); err != nil {
		return err
	}
	f.Context = cmp.Or(f.Context, ".")
	f.File, err = findSpec(f.Context, f.File)
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

// withClient calls do with a client of the BuildKit that the build runs on.
func (f *solveFlags) withClient(ctx context.Context, do func(*client.Client) error) (err error) {
	if f.cloudConfig != "" {
		dir, err := f.addCloudConfig()
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	c, closeClient, err := f.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		// When the engine has crashed, its error explains that of the build.
		err = stderrors.Join(err, closeClient())
	}()
	return do(c)
}

// addCloudConfig passes the cloud-config as a named context: a private directory that the caller
// removes.
func (f *solveFlags) addCloudConfig() (dir string, err error) {
	text, err := os.ReadFile(f.cloudConfig)
	if err != nil {
		return "", errors.Wrap(err, "read the cloud-config")
	}
	// The frontend would report the same, without the name of the file.
	if _, err := specs.ReadMachineConfig(&specs.Source{Name: f.cloudConfig, Data: text}); err != nil {
		return "", frontend.Locate(err)
	}
	if dir, err = os.MkdirTemp("", "flavorkit-"); err != nil {
		return "", errors.Wrap(err, "pass the cloud-config")
	}
	if err := os.WriteFile(filepath.Join(dir, artifact.ConfigFile), text, 0o600); err != nil {
		_ = os.RemoveAll(dir)
		return "", errors.Wrap(err, "pass the cloud-config")
	}
	contexts := maps.Clone(f.Contexts)
	if contexts == nil {
		contexts = map[string]string{}
	}
	contexts[artifact.ConfigContext] = dir
	f.Contexts = contexts
	return dir, nil
}

// connect opens the BuildKit that the build runs on.
func (f *solveFlags) connect(ctx context.Context) (*client.Client, func() error, error) {
	if !f.debug {
		// The client's OCI store logs warnings about file systems.
		logrus.SetOutput(io.Discard)
	}
	if f.builder != "" {
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
