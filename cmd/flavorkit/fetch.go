package main

import (
	"context"
	stderrors "errors"
	"os"
	"sync"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
)

// contextFlags are the named contexts of commands that read specs without a build.
type contextFlags struct {
	builderFlags
	credentialFlags
	contexts map[string]string
	progress string
	fetched  *fetched
}

// add adds the flags. The command must have what it runs.
func (f *contextFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	addContexts(flags, &f.contexts, contextUsage)
	f.builderFlags.add(flags)
	f.credentialFlags.add(flags)
	addProgress(flags, &f.progress)
	f.fetched = newFetched(cmd, &f.builderFlags, &f.credentialFlags, &f.progress)
}

// read reads the catalog, to plan with.
func (f *contextFlags) read(ctx context.Context) (local.Options, error) {
	return withCatalog(ctx, local.Options{Contexts: f.contexts, Fetch: f.fetched.fetch()})
}

// withCatalog adds the catalog to the options.
func withCatalog(ctx context.Context, o local.Options) (_ local.Options, err error) {
	o.Catalog, err = local.Catalog(ctx, o)
	return o, frontend.Locate(err)
}

// fetched are named contexts that are no directories, such as git repositories. Each is fetched when
// a spec needs it, once.
type fetched struct {
	cmd         *cobra.Command
	builder     *builderFlags
	credentials *credentialFlags
	progress    *string

	mu sync.Mutex // the language server checks several files at a time
	// root has all of them, and dirs where each is.
	root string
	dirs map[string]string
}

// newFetched has the command remove what was fetched when it ends.
func newFetched(cmd *cobra.Command, builder *builderFlags, credentials *credentialFlags, progress *string) *fetched {
	f := &fetched{cmd: cmd, builder: builder, credentials: credentials, progress: progress, dirs: map[string]string{}}
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return stderrors.Join(run(cmd, args), f.remove())
	}
	return f
}

func (f *fetched) remove() error {
	if f.root == "" {
		return nil
	}
	return errors.Wrap(os.RemoveAll(f.root), "remove the named contexts")
}

// fetch implements local.Fetch. Nothing is fetched for nil, as when a shell asks for names.
func (f *fetched) fetch() local.Fetch {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, name, source string) (string, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if dir, ok := f.dirs[name]; ok {
			return dir, nil
		}
		dir, err := f.get(ctx, name, source)
		if err == nil {
			f.dirs[name] = dir
		}
		return dir, err
	}
}

func (f *fetched) get(ctx context.Context, name, source string) (dir string, err error) {
	if err := f.builder.check(); err != nil {
		return "", err
	}
	opt := solve.Options{Contexts: map[string]string{name: source}, Progress: *f.progress, Log: f.cmd.ErrOrStderr()}
	if opt.Secrets, opt.SSH, err = f.credentials.read(); err != nil {
		return "", err
	}
	if err := solve.CheckProgress(opt.Log, opt.Progress); err != nil {
		return "", &usageError{err}
	}
	if f.root == "" {
		if f.root, err = os.MkdirTemp("", "flavorkit-"); err != nil {
			return "", err
		}
	}
	if dir, err = os.MkdirTemp(f.root, ""); err != nil {
		return "", err
	}
	c, closeClient, err := f.builder.connect(ctx)
	if err != nil {
		return "", err
	}
	err = solve.Fetch(ctx, c, opt, name, dir)
	return dir, stderrors.Join(err, closeClient())
}
