package frontend

import (
	"bytes"
	"context"
	"io/fs"
	"path"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
	"github.com/tonistiigi/fsutil"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// catalog returns the catalog of the options with the named context on top. It is read once.
func (in *inputs) catalog(ctx context.Context) (*catalog.Catalog, error) {
	return in.catalogs.Do(ctx, "", func(ctx context.Context) (*catalog.Catalog, error) {
		base := in.options.Catalog
		if base == nil {
			var err error
			if base, err = catalog.Builtin(); err != nil {
				return nil, err
			}
		}
		_, builder := in.platforms(nil)
		nc, err := in.ui.NamedContext(catalog.ContextName, dockerui.ContextOpt{
			Platform:    &builder,
			ResolveMode: in.ui.ImageResolveMode.String(),
			// A local directory sends only the files of the catalog.
			AsyncLocalOpts: func() []llb.LocalOption {
				return []llb.LocalOption{
					llb.FollowPaths(catalog.Directories()),
					llb.SharedKeyHint("context:" + catalog.ContextName + "/records"),
					llb.WithCustomName("[context " + catalog.ContextName + "] load the catalog"),
				}
			},
		})
		if err != nil || nc == nil {
			return base, err
		}
		st, _, err := nc.Load(ctx)
		if err != nil {
			return nil, errors.Wrapf(err, "load the named context %s", catalog.ContextName)
		}
		files, _ := in.downloaded(catalog.ContextName, *st)
		ref, err := in.solve(ctx, files)
		if err != nil {
			return nil, err
		}
		return base.With(catalog.Layer{Name: catalog.ContextName, FS: refFS{ctx, ref}, Context: catalog.ContextName})
	})
}

// refFS reads the files of a context from BuildKit.
type refFS struct {
	ctx context.Context
	ref gwclient.Reference
}

// Open implements fs.FS, for files.
func (f refFS) Open(name string) (fs.File, error) {
	stat, err := f.ref.StatFile(f.ctx, gwclient.StatRequest{Path: name})
	if err != nil {
		return nil, missing(err, name)
	}
	data, err := f.ReadFile(name)
	return refFile{bytes.NewReader(data), &fsutil.StatInfo{Stat: stat}}, err
}

// ReadFile implements fs.ReadFileFS.
func (f refFS) ReadFile(name string) ([]byte, error) {
	data, err := f.ref.ReadFile(f.ctx, gwclient.ReadRequest{Filename: name})
	return data, missing(err, name)
}

// ReadDir implements fs.ReadDirFS.
func (f refFS) ReadDir(name string) ([]fs.DirEntry, error) {
	stats, err := f.ref.ReadDir(f.ctx, gwclient.ReadDirRequest{Path: name})
	if err != nil {
		return nil, missing(err, name)
	}
	entries := make([]fs.DirEntry, len(stats))
	for i, stat := range stats {
		stat.Path = path.Base(stat.Path)
		entries[i] = fs.FileInfoToDirEntry(&fsutil.StatInfo{Stat: stat})
	}
	return entries, nil
}

type refFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f refFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f refFile) Close() error               { return nil }
