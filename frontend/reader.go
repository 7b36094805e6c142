package frontend

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// specReader finds the specs that a spec extends, through the gateway.
type specReader struct {
	*catalog.Catalog
	request *request
}

// File reads a file from the source of the spec.
func (s *specReader) File(ctx context.Context, name string) ([]byte, error) {
	local, ok := s.request.specDir(name)
	st := &local
	if !ok {
		st = s.request.entry.State
	}
	data, err := s.read(ctx, *st, name)
	if err == nil {
		s.request.names.Store(name, true)
	}
	if errors.Is(err, fs.ErrNotExist) && s.request.spec.Name == nameless {
		// The directory of such a spec contains nothing else.
		main, err := s.request.ui.MainContext(ctx, llb.FollowPaths([]string{name}))
		if err != nil {
			return nil, errors.Wrap(err, "open the build context")
		}
		return s.read(ctx, *main, name)
	}
	return data, err
}

// nameless is the name that clients give a spec from standard input or from the inline text of a
// bake file.
const nameless = dockerui.DefaultDockerfileName

// specDir returns the local directory with the spec. ok is false when the spec is part of a remote
// build context.
func (r *request) specDir(name string) (llb.State, bool) {
	opts := r.client.BuildOpts().Opts
	if ref, ok := opts["context"]; ok {
		if _, remote, _ := dockerui.DetectGitContext(ref, nil); remote {
			return llb.State{}, false
		}
		if _, _, remote := dockerui.DetectHTTPContext(ref); remote {
			return llb.State{}, false
		}
	}
	local := dockerui.DefaultLocalNameDockerfile
	if v := opts["dockerfilekey"]; v != "" {
		local = v
	}
	return llb.Local(local,
		llb.FollowPaths([]string{name}),
		llb.SessionID(r.client.BuildOpts().SessionID),
		llb.SharedKeyHint(local+"/"+name),
		dockerui.WithInternalName("load "+path.Base(name)),
	), true
}

// ContextFile reads a file of a named context. A context that is the URL of a single file has it as
// its spec, whatever it is called.
func (s *specReader) ContextFile(ctx context.Context, name, file string) (data []byte, ok bool, err error) {
	_, builder := s.request.platforms(nil)
	nc, err := s.request.ui.NamedContext(name, dockerui.ContextOpt{
		Platform: &builder,
		// A local directory sends only the file. Another key keeps this transfer apart from the
		// build's.
		AsyncLocalOpts: func() []llb.LocalOption {
			return []llb.LocalOption{
				llb.FollowPaths([]string{file}),
				llb.SharedKeyHint("context:" + name + "/" + file),
				llb.WithCustomName("[context " + name + "] load " + file),
			}
		},
	})
	if err != nil || nc == nil {
		// A name that is not valid for a context can only be a flavor.
		return nil, false, nil
	}
	st, _, err := nc.Load(ctx)
	if err != nil {
		return nil, false, err
	}
	files, single := s.request.downloaded(name, *st)
	data, err = s.read(ctx, files, file)
	if errors.Is(err, fs.ErrNotExist) && single != "" && file == specs.DefaultName {
		data, err = s.read(ctx, files, single)
	}
	return data, true, err
}

func (s *specReader) read(ctx context.Context, st llb.State, name string) ([]byte, error) {
	ref, err := s.request.solve(ctx, st)
	if err != nil {
		return nil, withoutAgent(err)
	}
	data, err := dir{ref}.ReadFile(ctx, name)
	return data, withoutAgent(err)
}

// withoutAgent explains the error of a build that has no SSH agent for a git repository (BuildKit,
// sshprovider).
func withoutAgent(err error) error {
	if err != nil && strings.Contains(err.Error(), "unset ssh forward key") {
		return errors.New("the build has no SSH agent or key for the repository; pass it with --ssh default, or --ssh default=FILE")
	}
	return err
}
