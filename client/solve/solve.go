// Package solve runs the frontend on a BuildKit, from the client's side, as docker buildx does for
// the frontend image: it sends directories and named contexts, shows progress and receives the
// result.
package solve

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/pkg/errors"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"

	"github.com/docker/cli/cli/config"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/specs"
)

// Options of a build.
type Options struct {
	// File is the path of the spec, Context the directory of the build context.
	File, Context string
	Target        string
	Platforms     []string
	// Frontend handles the request. The default, nil, builds File with the built-in catalog.
	Frontend gwclient.BuildFunc
	// Contexts are named contexts: a directory, oci-layout://path:tag, docker-image://reference, or
	// a URL.
	Contexts map[string]string
	// Args are build arguments, Labels are labels of the image.
	Args, Labels map[string]string
	// Secrets answers for build secrets. May be nil.
	Secrets session.Attachable
	// SSH forwards agents for git repositories. May be nil.
	SSH session.Attachable
	// SBOM attaches a bill of materials as an attestation.
	SBOM bool
	// Provenance attaches how it was built as an attestation, in a mode of Provenances; empty for none.
	Provenance string
	// NoCache runs every step again; NoCacheStages only those stages.
	NoCache       bool
	NoCacheStages []string
	CacheTo       []client.CacheOptionsEntry
	CacheFrom     []client.CacheOptionsEntry
	// Progress is the kind of progress output: auto, plain, tty, rawjson or quiet.
	Progress string
	// Log receives the progress output.
	Log io.Writer
	// Watch also receives every status update. It may be nil.
	Watch func(*client.SolveStatus)
}

// Provenances are BuildKit's modes of provenance.
func Provenances() []string { return []string{"min", "max"} }

// product is the name of this client in BuildKit.
const product = "flavorkit"

// Ask sends a subrequest to the frontend instead of building the spec.
func Ask(ctx context.Context, c *client.Client, o Options, request string, answer func(*gwclient.Result) error) error {
	opt, err := o.solveOpt()
	if err != nil {
		return err
	}
	opt.FrontendAttrs["requestid"] = request
	_, err = c.Build(ctx, *opt, product, func(ctx context.Context, gw gwclient.Client) (*gwclient.Result, error) {
		res, err := o.frontend()(ctx, gw)
		if err != nil {
			return nil, err
		}
		return res, answer(res)
	}, nil)
	return err
}

// AskLong is Ask for answers that take steps of a build: it shows progress. Exports get the files of the
// answer, if it has some.
func AskLong(ctx context.Context, c *client.Client, o Options, request string, answer func(*gwclient.Result) error, exports ...client.ExportEntry) error {
	opt, err := o.solveOpt()
	if err != nil {
		return err
	}
	opt.Exports = exports
	if request != "" {
		opt.FrontendAttrs["requestid"] = request
	}
	_, err = o.run(ctx, c, *opt, func(ctx context.Context, gw gwclient.Client) (*gwclient.Result, error) {
		res, err := o.frontend()(ctx, gw)
		if err != nil {
			return nil, err
		}
		return res, answer(res)
	})
	return err
}

// Plans resolves the spec, one plan for each platform.
func Plans(ctx context.Context, c *client.Client, o Options) (plans []*plan.Plan, err error) {
	err = Ask(ctx, c, o, frontend.PlanRequest, func(res *gwclient.Result) error {
		return errors.Wrap(json.Unmarshal(res.Metadata[frontend.ResultJSON], &plans), "read the plan")
	})
	return plans, err
}

// Fetch writes the files of a named context, one of those of the options, to a directory.
func Fetch(ctx context.Context, c *client.Client, o Options, name, dir string) error {
	o.File, o.Context = filepath.Join(dir, specs.DefaultName), dir
	opt, err := o.solveOpt()
	if err != nil {
		return err
	}
	opt.Exports = []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: dir}}
	_, err = o.run(ctx, c, *opt, frontend.ContextFiles(name))
	return err
}

// Bill builds the system of a plan, one of those of Plans, and returns its bill of materials in one of
// sbom.Formats.
func Bill(ctx context.Context, c *client.Client, o Options, p *plan.Plan, format string) (text []byte, err error) {
	o.Target, o.Platforms = frontend.SBOMTarget, []string{"linux/" + p.Arch}
	err = AskLong(ctx, c, o, "", func(res *gwclient.Result) error {
		ref, err := res.SingleRef()
		if err != nil {
			return err
		}
		text, err = ref.ReadFile(ctx, gwclient.ReadRequest{Filename: sbom.File(p.File, format)})
		return errors.Wrap(err, "read the bill of materials")
	})
	return text, err
}

// Build builds and exports, and shows progress until it is done.
func Build(ctx context.Context, c *client.Client, o Options, exports ...client.ExportEntry) (*client.SolveResponse, error) {
	opt, err := o.solveOpt()
	if err != nil {
		return nil, err
	}
	opt.Exports = exports
	return o.run(ctx, c, *opt, o.frontend())
}

// run runs a build, and shows progress until it is done.
func (o Options) run(ctx context.Context, c *client.Client, opt client.SolveOpt, build gwclient.BuildFunc) (*client.SolveResponse, error) {
	show, err := NewProgress(o.Log, o.Progress)
	if err != nil {
		return nil, err
	}
	var res *client.SolveResponse
	status := make(chan *client.SolveStatus)
	eg, ctx := errgroup.WithContext(ctx)
	eg.Go(func() (err error) {
		res, err = c.Build(ctx, opt, product, build, status)
		return err
	})
	shown := make(chan *client.SolveStatus)
	eg.Go(func() error {
		defer close(shown)
		for s := range status {
			if o.Watch != nil {
				o.Watch(s)
			}
			s.Warnings = slices.DeleteFunc(s.Warnings, aboutPlatforms)
			shown <- s
		}
		return nil
	})
	eg.Go(func() error { return show(shown) })
	return res, eg.Wait()
}

// aboutPlatforms recognizes BuildKit's warning that a result has other platforms than were
// requested. Entries of a matrix are returned as platforms.
func aboutPlatforms(w *client.VertexWarning) bool {
	return strings.Contains(string(w.Short), "do not match result platforms")
}

func (o Options) frontend() gwclient.BuildFunc {
	if o.Frontend != nil {
		return o.Frontend
	}
	return frontend.New(frontend.Options{}).Build
}

// solveOpt converts the options to those of BuildKit's client.
func (o Options) solveOpt() (*client.SolveOpt, error) {
	opt := &client.SolveOpt{
		LocalMounts:   map[string]fsutil.FS{},
		FrontendAttrs: map[string]string{"filename": filepath.Base(o.File), "platform": strings.Join(o.Platforms, ",")},
		CacheExports:  o.CacheTo,
		CacheImports:  o.CacheFrom,
		Session: []session.Attachable{authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
			AuthConfigProvider: authprovider.LoadAuthConfig(config.LoadDefaultConfigFile(io.Discard)),
		})},
	}
	for _, a := range []session.Attachable{o.Secrets, o.SSH} {
		if a != nil {
			opt.Session = append(opt.Session, a)
		}
	}
	if len(o.Platforms) == 0 {
		delete(opt.FrontendAttrs, "platform")
	}
	for name, dir := range map[string]string{"dockerfile": filepath.Dir(o.File), "context": o.Context} {
		fs, err := fsutil.NewFS(dir)
		if err != nil {
			return nil, errors.Wrapf(err, "open the directory %s", dir)
		}
		opt.LocalMounts[name] = fs
	}
	if o.Target != "" {
		opt.FrontendAttrs["target"] = o.Target
	}
	if o.SBOM {
		opt.FrontendAttrs["attest:sbom"] = "" // BuildKit's name (frontend/attestations)
	}
	if o.Provenance != "" {
		opt.FrontendAttrs["attest:provenance"] = "mode=" + o.Provenance
	}
	for name, value := range o.Args {
		opt.FrontendAttrs["build-arg:"+name] = value
	}
	for name, value := range o.Labels {
		opt.FrontendAttrs["label:"+name] = value
	}
	if o.NoCache || len(o.NoCacheStages) > 0 {
		opt.FrontendAttrs["no-cache"] = strings.Join(o.NoCacheStages, ",")
	}
	for name, value := range o.Contexts {
		if err := addContext(opt, name, value); err != nil {
			return nil, errors.Wrapf(err, "named context %s", name)
		}
	}
	return opt, nil
}
