package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

// ContextFiles returns a gwclient.BuildFunc whose result is the files of a named context, for clients
// that read specs in it themselves. The URL of a single file is that of a spec.
func ContextFiles(name string) gwclient.BuildFunc {
	return func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		in, err := New(Options{}).inputs(ctx, c)
		if err != nil {
			return nil, err
		}
		_, builder := in.platforms(nil)
		nc, err := in.ui.NamedContext(name, dockerui.ContextOpt{Platform: &builder})
		if err != nil || nc == nil {
			return nil, errors.Wrapf(err, "find the named context %s", name)
		}
		st, _, err := nc.Load(ctx)
		if err != nil {
			return nil, errors.Wrapf(err, "load the named context %s", name)
		}
		files, single := in.downloaded(name, *st)
		ref, err := in.solve(ctx, files)
		if err != nil {
			return nil, err
		}
		if single != "" {
			if _, err := ref.StatFile(ctx, gwclient.StatRequest{Path: single}); err == nil { // it was no archive
				files = llb.Scratch().File(llb.Copy(files, single, specs.DefaultName), llb.WithCustomName("[context "+name+"] name the spec"))
				if ref, err = in.solve(ctx, files); err != nil {
					return nil, err
				}
			}
		}
		res := gwclient.NewResult()
		res.SetRef(ref)
		return res, nil
	}
}

// downloaded returns the files of a named context. BuildKit gives one of an http or https URL as a
// single file, which is unpacked if it is an archive. The name is that of the file if it is none;
// empty for other contexts.
func (in *inputs) downloaded(context string, st llb.State) (files llb.State, name string) {
	url := in.client.BuildOpts().Opts["context:"+context]
	if _, git, _ := dockerui.DetectGitContext(url, nil); git {
		return st, ""
	}
	_, name, ok := dockerui.DetectHTTPContext(url)
	if !ok {
		return st, ""
	}
	return llb.Scratch().File(llb.Copy(st, "/"+name, "/", &llb.CopyInfo{AttemptUnpack: true}),
		llb.WithCustomName("[context "+context+"] unpack "+url)), name
}
