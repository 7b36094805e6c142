package bundle

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan/bundle"
)

// Make writes the bundle of a spec: a tar archive if the name ends with .tar, otherwise a directory. The
// bundle appears when it is complete and verified.
func Make(ctx context.Context, c *client.Client, o solve.Options, path string) (_ *bundle.Contents, err error) {
	if entries, err := os.ReadDir(path); err == nil && (isTar(path) || len(entries) > 0) {
		return nil, errors.Errorf("%s is a directory with files; name another, or remove it", path)
	}
	out, err := solve.OutputMade(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := out.Discard(); err == nil {
			err = e
		}
	}()
	p := Options{Files: out.Entry.OutputDir, Spec: o.File, Context: o.Context, Dirs: directories(o.Contexts), Args: kept(o.Args)}
	err = solve.AskLong(ctx, c, o, frontend.BundleRequest, func(res *gwclient.Result) error {
		return errors.Wrap(json.Unmarshal(res.Metadata[frontend.ResultJSON], &p.Contents), "read what the bundle has")
	}, out.Entry)
	if err != nil {
		return nil, err
	}
	if err := writeTo(ctx, out.Partial(), p); err != nil {
		return nil, errors.Wrap(err, "write the bundle")
	}
	_, err = out.Commit()
	return &p.Contents, err
}

func isTar(path string) bool { return filepath.Ext(path) == ".tar" }

// writeTo writes a bundle, and reads it as a build will.
func writeTo(ctx context.Context, path string, o Options) error {
	dir := path
	if isTar(path) {
		dir = filepath.Join(filepath.Dir(path), ".layout")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := Write(ctx, dir, o); err != nil {
		return err
	}
	if _, err := Open(ctx, dir, ""); err != nil || !isTar(path) {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pack(ctx, dir, f); err != nil {
		return err
	}
	return f.Close()
}

// directories are the named contexts that are directories.
func directories(contexts map[string]string) map[string]string {
	dirs := map[string]string{}
	for name, value := range contexts {
		if info, err := os.Stat(value); err == nil && info.IsDir() {
			dirs[name] = value
		}
	}
	return dirs
}

// kept are the build arguments without those about this build: builds from the bundle are locked, and
// in other networks.
func kept(args map[string]string) map[string]string {
	args = maps.Clone(args)
	for _, name := range []string{frontend.LockedArg, frontend.ConfigArg} {
		delete(args, name)
	}
	return args
}
