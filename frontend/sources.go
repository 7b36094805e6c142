package frontend

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
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
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// sources implements graph.Sources on the gateway.
type sources struct {
	request *request
	plan    *plan.Plan
	// files that the plan takes from each context, sent in one transfer. "" is the build context.
	files map[string][]string
	// configs is set after the files were checked.
	configs cloudConfigs
	// lock has the digests of images; nil for the newest ones.
	lock *lock.File
}

// resolved is a container image with its configuration, which is nil when a directory replaces the
// image.
type resolved struct {
	state  llb.State
	config *dockerspec.DockerOCIImage
	// digest in the registry; empty for a named context.
	digest digest.Digest
}

// layers is the chain ID of an image; of one without layers, the digest of nothing.
func (r resolved) layers() string {
	if len(r.config.RootFS.DiffIDs) == 0 {
		return digest.FromBytes(nil).String()
	}
	return identity.ChainID(r.config.RootFS.DiffIDs).String()
}

// namedFile is a file in a context that the spec names.
type namedFile struct {
	key key.Key
	// path in the context; the build context has no name.
	path, context string
	// text is true when the content is read, so it cannot be a directory.
	text bool
	// mode is the key of its mode, if the spec sets one.
	mode key.Key
}

func newSources(r *request, p *plan.Plan) *sources {
	s := &sources{request: r, plan: p, files: map[string][]string{}}
	for _, f := range namedFiles(p) {
		paths := append(s.files[f.context], f.path)
		slices.Sort(paths)
		s.files[f.context] = slices.Compact(paths)
	}
	return s
}

// namedFiles lists all files that the spec takes from a context.
func namedFiles(p *plan.Plan) []namedFile {
	var files []namedFile
	add := func(k key.Key, c plan.Content, f namedFile) {
		if c.From != "" {
			f.key, f.path, f.context = k.From(), path.Clean(c.From), c.Context
			files = append(files, f)
		}
	}
	addFiles := func(list key.Key, of []plan.File) {
		for i, f := range of {
			k, named := list.Item(i), namedFile{text: list == key.Files && isConfigFile(f.Path)}
			if f.Mode != "" {
				named.mode = k.Mode()
			}
			add(k, f.Content, named)
		}
	}
	addFiles(key.Files, p.Files)
	for i, r := range p.Userland.Repositories {
		add(key.Repositories.Item(i).SigningKey(), r.Key.Content, namedFile{text: true})
	}
	if p.CA != nil {
		add(key.CA, p.CA.Content, namedFile{text: true})
	}
	for _, e := range p.Extensions {
		addFiles(e.Key().Files(), e.Files)
		add(e.Key().Certificate(), e.Certificate, namedFile{text: true})
	}
	for _, c := range configsOf(p) {
		if around, _ := c.key.Around(); around != key.Files {
			add(c.key, c.content, namedFile{text: true})
		}
	}
	return files
}

// Image resolves an image to its digest, so the graph pins its inputs. A named context with the
// name of the image replaces it.
func (s *sources) Image(ctx context.Context, ref string, platform ocispecs.Platform) (llb.State, error) {
	img, err := s.image(ctx, ref, platform)
	return img.state, err
}

// image resolves each image once, at its mirror if it has one.
func (s *sources) image(ctx context.Context, ref string, platform ocispecs.Platform) (resolved, error) {
	pulled := s.plan.MirroredImage(ref)
	key := ref + " " + pulled + " " + platforms.FormatAll(platform)
	img, err := s.request.images.Do(ctx, key, func(ctx context.Context) (resolved, error) {
		pin, locked := s.lock.Image(ref, platform.Architecture)
		img, ok, err := s.context(ctx, ref, platform)
		if err == nil && !ok && s.request.bundle != nil {
			return img, errors.New("the bundle does not have it")
		}
		if err == nil && !ok {
			name := pulled
			if pin.Digest != "" && !strings.Contains(ref, "@") {
				name += "@" + pin.Digest
			}
			img, err = s.resolve(ctx, name, platform)
		}
		if err == nil && locked && (img.config == nil || img.layers() != pin.Layers) {
			return img, s.lock.OtherImage(pin)
		}
		return img, err
	})
	if pulled != ref {
		ref += " at its mirror " + pulled
	}
	return img, errors.Wrapf(err, "find the image %s for %s", ref, platforms.FormatAll(platform))
}

// resolve asks the registry for an image.
func (s *sources) resolve(ctx context.Context, ref string, platform ocispecs.Platform) (resolved, error) {
	mode := s.request.ui.ImageResolveMode
	name, dgst, data, err := s.request.client.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  "[internal] load metadata for " + ref,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &platform, ResolveMode: mode.String()},
	})
	if err != nil {
		return resolved{}, err
	}
	if dgst != "" && !strings.Contains(name, "@") {
		name += "@" + dgst.String()
	}
	config := &dockerspec.DockerOCIImage{}
	if err := json.Unmarshal(data, config); err != nil {
		return resolved{}, errors.Wrap(err, "read the image configuration")
	}
	st := llb.Image(name, llb.Platform(platform), mode, llb.WithCustomName("[base] "+name))
	st, err = st.WithImageConfig(data)
	return resolved{state: st, config: config, digest: dgst}, err
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
		// A state with a configuration already has its environment.
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

// Names implements graph.Sources.
func (s *sources) Names() []string { return s.request.contextNames() }

// contextNames are those of all named contexts, sorted. A context may be given for one platform alone
// (dockerui, context:).
func (in *inputs) contextNames() []string {
	var names []string
	for option := range in.client.BuildOpts().Opts {
		if name, ok := strings.CutPrefix(option, "context:"); ok {
			name, _, _ = strings.Cut(name, "::")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Files returns a context with only the files that the spec takes from it.
func (s *sources) Files(ctx context.Context, name string) (llb.State, error) {
	st, ok, err := s.dir(ctx, name)
	if err == nil && !ok {
		err = errors.Errorf("there is no named context %q", name)
	}
	return st, err
}

// dir returns a named context, or the build context, which has no name.
func (s *sources) dir(ctx context.Context, name string) (llb.State, bool, error) {
	if name != "" {
		_, builder := s.request.platforms(nil)
		return s.Context(ctx, name, builder)
	}
	st, err := s.request.ui.MainContext(ctx, llb.FollowPaths(s.files[""]))
	if err != nil {
		return llb.State{}, false, errors.Wrap(err, "open the build context")
	}
	return *st, true, nil
}

// Open implements Contexts.
func (s *sources) Open(ctx context.Context, name string) (Dir, bool, error) {
	st, ok, err := s.dir(ctx, name)
	if err != nil || !ok {
		return nil, false, err
	}
	ref, err := s.request.solve(ctx, st)
	return dir{ref}, err == nil, err
}

// dir reads a context from BuildKit.
type dir struct{ ref gwclient.Reference }

func (f dir) IsDir(ctx context.Context, name string) (bool, error) {
	info, err := f.ref.StatFile(ctx, gwclient.StatRequest{Path: name})
	return err == nil && info.IsDir(), missing(err, name)
}

func (f dir) ReadFile(ctx context.Context, name string) ([]byte, error) {
	data, err := dockerui.ReadFile(ctx, f.ref, name)
	return data, missing(err, name)
}

// missing makes errors about missing files wrap fs.ErrNotExist.
func missing(err error, name string) error {
	if err != nil && isNotExist(err) {
		return errors.Wrap(fs.ErrNotExist, name)
	}
	return err
}

// isNotExist also recognizes the error after gRPC, which keeps only its text.
func isNotExist(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || os.IsNotExist(err) || strings.Contains(err.Error(), "no such file or directory")
}

// solve builds a state and returns the reference to its files.
func (in *inputs) solve(ctx context.Context, st llb.State) (gwclient.Reference, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(in.ui.BuildOpts().LLBCaps), llb.LocalUniqueID(in.localID))
	if err != nil {
		return nil, err
	}
	res, err := in.client.Solve(ctx, gwclient.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// solveDefinition builds a graph at once, not when an exporter asks for the result, so that errors
// of steps can be explained here; unless a debugger follows the steps.
func (in *inputs) solveDefinition(ctx context.Context, def *llb.Definition) (gwclient.Reference, error) {
	res, err := in.client.Solve(ctx, gwclient.SolveRequest{Definition: def.ToPB(), CacheImports: in.ui.CacheImports, Evaluate: in.ui.BuildArgs[debugArg] == ""})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// Contexts are the directories that a spec takes files from.
type Contexts interface {
	// Open opens a named context, or the build context, which has no name. ok is false when there
	// is no context of that name.
	Open(ctx context.Context, name string) (f Dir, ok bool, err error)
}

// Dir reads a context before anything is built. Errors wrap fs.ErrNotExist for a missing file.
type Dir interface {
	IsDir(ctx context.Context, name string) (bool, error)
	ReadFile(ctx context.Context, name string) ([]byte, error)
}

// checker checks the files that a plan takes from contexts.
type checker struct {
	plan     *plan.Plan
	contexts Contexts
	opened   map[string]Dir
	found    specs.Diagnostics
}

// checkFiles checks every file that the spec takes from a context and reads the cloud-configs,
// before any long step.
func checkFiles(ctx context.Context, p *plan.Plan, contexts Contexts) (cloudConfigs, error) {
	c := &checker{plan: p, contexts: contexts, opened: map[string]Dir{}}
	texts := map[key.Key]*specs.Source{}
	for _, f := range namedFiles(p) {
		dir, err := c.find(ctx, f)
		if err != nil {
			return nil, errors.Wrapf(err, "look for %s in the %s", f.path, contextTitle(f.context))
		}
		if dir == nil || !f.text {
			continue
		}
		data, err := dir.ReadFile(ctx, f.path)
		if err != nil {
			return nil, errors.Wrapf(err, "read %s of the %s", f.path, contextTitle(f.context))
		}
		if f.key == key.CA.From() {
			c.checkAuthority(f, data)
		}
		texts[f.key] = &specs.Source{Name: path.Join(f.context, f.path), Data: data}
	}
	configs, err := c.readCloudConfigs(ctx, texts)
	if err != nil {
		return nil, err
	}
	return configs, c.found.Err()
}

// checkAuthority refuses a file that has anything but certificates, and one that has none.
func (c *checker) checkAuthority(f namedFile, data []byte) {
	const hint = "name a file with -----BEGIN CERTIFICATE-----; openssl x509 -inform der converts others"
	found := false
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			c.report(rules.InvalidCertificate, f.key, "name a file with certificates and nothing else", "%q has a %s", f.path, strings.ToLower(block.Type))
			return
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			c.report(rules.InvalidCertificate, f.key, hint, "%q has a certificate that cannot be read: %v", f.path, err)
			return
		}
		found = true
	}
	if !found {
		c.report(rules.InvalidCertificate, f.key, hint, "%q has no certificate in PEM", f.path)
	}
}

// find opens the context of a file that the spec names. It returns nil for a wrong file, and adds
// the mistake to found.
func (c *checker) find(ctx context.Context, f namedFile) (Dir, error) {
	dir, ok := c.opened[f.context]
	if !ok {
		var err error
		if dir, ok, err = c.contexts.Open(ctx, f.context); err != nil {
			return nil, err
		}
		if !ok {
			return nil, errors.New("there is no such context")
		}
		c.opened[f.context] = dir
	}
	isDir, err := dir.IsDir(ctx, f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.report(rules.FileNotFound, f.key, "paths start at the top of the context; a .dockerignore file may exclude it", "there is no file %q in the %s", f.path, contextTitle(f.context))
		return nil, nil
	case err != nil:
		return nil, err
	case isDir && f.text:
		c.report(rules.NotAFile, f.key, "name a file", "%q is a directory", f.path)
		return nil, nil
	case isDir && !f.mode.IsZero():
		c.report(rules.NotAFile, f.mode, "remove it; files in the directory keep their own modes", "%q is a directory, and only a file can have a mode", f.path)
	}
	return dir, nil
}

func (c *checker) report(rule rules.Rule, k key.Key, hint, format string, args ...any) {
	c.found = append(c.found, c.plan.Origin.Diagnose(rule, k, hint, format, args...))
}

func contextTitle(name string) string {
	if name != "" {
		return fmt.Sprintf("named context %q", name)
	}
	return "build context"
}
