package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/specs"
)

// sources answers graph.Sources from the gateway.
type sources struct {
	request *request
	// files that the plan takes from each context, "" being the build context.
	// One transfer serves all of them.
	files map[string][]string
	// configs are read by readCloudConfigs.
	configs cloudConfigs
}

// resolved is a container image with its configuration, which is nil when a
// folder stands for the image.
type resolved struct {
	state  llb.State
	config *dockerspec.DockerOCIImage
}

// namedFile is a file of a build context that a spec names.
type namedFile struct {
	key, path string
	origin    *specs.Source
}

func newSources(r *request, p *plan.Plan) *sources {
	s := &sources{request: r, files: map[string][]string{}}
	for _, f := range namedFiles(p) {
		paths := append(s.files[f.origin.Context], f.path)
		slices.Sort(paths)
		s.files[f.origin.Context] = slices.Compact(paths)
	}
	return s
}

// namedFiles lists all files that the spec takes from a build context.
func namedFiles(p *plan.Plan) []namedFile {
	var files []namedFile
	add := func(key, from string) {
		if from != "" {
			files = append(files, namedFile{key, path.Clean(from), p.Written(key)})
		}
	}
	for i, f := range p.Files {
		add(fmt.Sprintf("files[%d].from", i), f.From)
	}
	add(imageConfigKey+".from", p.CloudConfig.From)
	add(isoConfigKey+".from", p.ISO.CloudConfig.From)
	add(diskConfigKey+".from", p.Disk.CloudConfig.From)
	return files
}

// Image resolves an image to its digest, so that the graph says exactly what
// it is built from. A named context with the image's name replaces it.
func (s *sources) Image(ctx context.Context, ref string, platform ocispecs.Platform) (llb.State, error) {
	img, err := s.image(ctx, ref, platform)
	return img.state, err
}

// image resolves each image once.
func (s *sources) image(ctx context.Context, ref string, platform ocispecs.Platform) (resolved, error) {
	key := ref + " " + platforms.FormatAll(platform)
	img, err := s.request.images.Do(ctx, key, func(ctx context.Context) (resolved, error) {
		img, ok, err := s.context(ctx, ref, platform)
		if err == nil && !ok {
			img, err = s.resolve(ctx, ref, platform)
		}
		return img, err
	})
	return img, errors.Wrapf(err, "find the image %s for %s", ref, platforms.FormatAll(platform))
}

// resolve asks the registry for an image.
func (s *sources) resolve(ctx context.Context, ref string, platform ocispecs.Platform) (resolved, error) {
	mode := s.request.ui.ImageResolveMode
	name, digest, data, err := s.request.client.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  "[internal] load metadata for " + ref,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &platform, ResolveMode: mode.String()},
	})
	if err != nil {
		return resolved{}, err
	}
	if digest != "" && !strings.Contains(name, "@") {
		name += "@" + digest.String()
	}
	config := &dockerspec.DockerOCIImage{}
	if err := json.Unmarshal(data, config); err != nil {
		return resolved{}, errors.Wrap(err, "read the image configuration")
	}
	st := llb.Image(name, llb.Platform(platform), mode, llb.WithCustomName("[base] "+name))
	st, err = st.WithImageConfig(data)
	return resolved{state: st, config: config}, err
}

// Context loads a named context.
func (s *sources) Context(ctx context.Context, name string, platform ocispecs.Platform) (llb.State, bool, error) {
	img, ok, err := s.context(ctx, name, platform)
	return img.state, ok, err
}

// context loads each named context once.
func (s *sources) context(ctx context.Context, name string, platform ocispecs.Platform) (resolved, bool, error) {
	key := name + " " + platforms.FormatAll(platform)
	found, err := s.request.contexts.Do(ctx, key, func(ctx context.Context) (*resolved, error) {
		nc, err := s.request.ui.NamedContext(name, dockerui.ContextOpt{
			Platform:    &platform,
			ResolveMode: s.request.ui.ImageResolveMode.String(),
		})
		if err != nil || nc == nil {
			return nil, err
		}
		// With a configuration, the state has its environment already.
		st, config, err := nc.Load(ctx)
		if err != nil || st == nil {
			return nil, errors.Wrapf(err, "load the named context %s", name)
		}
		return &resolved{state: *st, config: config}, nil
	})
	if err != nil || found == nil {
		return resolved{}, false, err
	}
	return *found, true, nil
}

// Files is the context that a spec's files come from, with just those files.
func (s *sources) Files(ctx context.Context, origin *specs.Source) (llb.State, error) {
	if origin.Context != "" {
		st, ok, err := s.Context(ctx, origin.Context, platforms.DefaultSpec())
		if err == nil && !ok {
			err = errors.Errorf("there is no named context %q", origin.Context)
		}
		return st, err
	}
	st, err := s.request.ui.MainContext(ctx, llb.FollowPaths(s.files[""]))
	if err != nil {
		return llb.State{}, errors.Wrap(err, "open the build context")
	}
	return *st, nil
}

// checkFiles looks for every file that the spec takes from a context, before
// any long work begins.
func (s *sources) checkFiles(ctx context.Context, p *plan.Plan) error {
	refs := map[string]gwclient.Reference{}
	var found specs.Diagnostics
	for _, f := range namedFiles(p) {
		ref, ok := refs[f.origin.Context]
		if !ok {
			st, err := s.Files(ctx, f.origin)
			if err != nil {
				return err
			}
			if ref, err = s.request.solve(ctx, st); err != nil {
				return errors.Wrap(err, "read the build context")
			}
			refs[f.origin.Context] = ref
		}
		_, err := ref.StatFile(ctx, gwclient.StatRequest{Path: f.path})
		switch {
		case err == nil:
		case isNotExist(err):
			found = append(found, specs.Diagnostic{
				Range: p.Range(f.key), Key: f.key,
				Message: fmt.Sprintf("there is no file %q in the %s", f.path, contextTitle(f.origin)),
				Hint:    "paths count from the top of the context; a .dockerignore file may leave it out",
			})
		default:
			return errors.Wrapf(err, "look for %s in the build context", f.path)
		}
	}
	return found.Err()
}

func contextTitle(origin *specs.Source) string {
	if origin.Context != "" {
		return fmt.Sprintf("named context %q", origin.Context)
	}
	return "build context"
}

// isNotExist also knows the error after it has travelled over gRPC, where
// only its text is left.
func isNotExist(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || os.IsNotExist(err) || strings.Contains(err.Error(), "no such file or directory")
}

// solve builds a state and returns the reference to its files.
func (r *request) solve(ctx context.Context, st llb.State) (gwclient.Reference, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(r.ui.BuildOpts().LLBCaps), llb.LocalUniqueID(r.localID))
	if err != nil {
		return nil, err
	}
	res, err := r.client.Solve(ctx, gwclient.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// solveDefinition builds a graph: now, or else when its result is asked for.
func (in *inputs) solveDefinition(ctx context.Context, def *llb.Definition, now bool) (gwclient.Reference, error) {
	res, err := in.client.Solve(ctx, gwclient.SolveRequest{Definition: def.ToPB(), CacheImports: in.ui.CacheImports, Evaluate: now})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}
