package main

import (
	"context"
	stderrors "errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/cmd/buildctl/build"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/specs"
)

// solveFlags are the flags of all commands that build.
type solveFlags struct {
	solve.Options
	builderFlags
	credentialFlags
	push               bool
	args               argFlags
	labels             []string
	cacheTo, cacheFrom []string
	cloudConfig        string
	locked             bool
	site               siteFlags
	fetched            *fetched
	records            recordFlags

	target frontend.Target
}

func (f *solveFlags) add(cmd *cobra.Command) {
	f.addBuilder(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.Target, "target", "", "what to build: "+targetNames())
	flags.StringVar(&f.cloudConfig, "cloud-config", "", "cloud-config for the ISO or the disk, instead of what the spec has")
	flags.StringArrayVar(&f.labels, "label", nil, "label of the image, such as org.opencontainers.image.vendor=Acme")
	flags.BoolVar(&f.NoCache, "no-cache", false, "run every step again")
	flags.StringSliceVar(&f.NoCacheStages, "no-cache-filter", nil, "run the steps of these stages again, such as debian-12/userland")
	flags.StringArrayVar(&f.cacheTo, "cache-to", nil, "export the cache, such as type=registry,ref=…")
	flags.StringArrayVar(&f.cacheFrom, "cache-from", nil, "import a cache, such as type=registry,ref=…")
	f.records.add(flags)
}

// addBuilder adds the flags of all commands that run steps: what runs them and what they are given.
func (f *solveFlags) addBuilder(cmd *cobra.Command) {
	flags := cmd.Flags()
	addContexts(flags, &f.Contexts, contextUsage)
	f.args.add(flags)
	f.credentialFlags.add(flags)
	addProgress(flags, &f.Progress)
	f.fetched = newFetched(cmd, &f.builderFlags, &f.credentialFlags, &f.Progress)
	f.builderFlags.add(flags)
	f.site.add(flags)
}

// readContexts reads the catalog, to plan without a build.
func (f *solveFlags) readContexts(ctx context.Context) (local.Options, error) {
	return withCatalog(ctx, local.Options{Contexts: f.Contexts, Fetch: f.fetched.fetch()})
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
	if err := f.builderFlags.check(); err != nil {
		return err
	}
	if err := solve.CheckProgress(f.Log, f.Progress); err != nil {
		return &usageError{err}
	}
	if err := f.records.complete(); err != nil {
		return err
	}
	f.Watch = f.records.recorder.Watch
	if err := f.args.read(); err != nil {
		return err
	}
	f.Args = f.args.values
	if f.locked {
		f.setArg(frontend.LockedArg)
	}
	if f.Labels, err = pairs("label", f.labels, func(string) (string, bool) { return "", true }); err != nil {
		return err
	}
	if err := f.addSite(); err != nil {
		return err
	}
	if f.Secrets, f.SSH, err = f.credentialFlags.read(); err != nil {
		return err
	}
	return f.caches()
}

// setArg sets a build argument that is true or false.
func (f *solveFlags) setArg(name string) {
	if f.Args == nil {
		f.Args = map[string]string{}
	}
	f.Args[name] = "1"
}

// addSite passes what the network asks for, unless the build argument says it.
func (f *solveFlags) addSite() error {
	if _, given := f.Args[frontend.ConfigArg]; given {
		return nil
	}
	site, authority, err := f.site.read()
	if err != nil || site == nil {
		return err
	}
	if authority != "" {
		f.secrets = append(f.secrets, "id="+authoritySecret+",src="+authority)
	}
	if f.Args == nil {
		f.Args = map[string]string{}
	}
	f.Args[frontend.ConfigArg] = string(site.Data)
	return nil
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
	f.addContext(artifact.ConfigContext, dir)
	return dir, nil
}

// addContext adds a named context to those of the command line.
func (f *solveFlags) addContext(name, value string) {
	contexts := maps.Clone(f.Contexts)
	if contexts == nil {
		contexts = map[string]string{}
	}
	contexts[name] = value
	f.Contexts = contexts
}
