package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	commonexptypes "github.com/moby/buildkit/exporter/exptypes"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/status"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
)

// Entry is one of several systems that are built together. Its spec comes from the matrix; the
// specs that it extends are read through the gateway.
type Entry struct {
	// Name of the entry in errors.
	Name string
	Spec *specs.Source
	// Arch is the architecture as Go names it.
	Arch string
	// Lock is the name of the lock file of the matrix, relative to the directory of the build's file;
	// empty for none.
	Lock string
}

// entry is the request for one entry.
func (in *inputs) entry(c Entry, maps *sourceMaps) *request {
	r := in.request(nil, c.Spec, maps)
	r.lockName, r.shared = c.Lock, true
	return r
}

// Entry builds a single entry. The request must have the platform of the entry.
func (f *Frontend) Entry(c Entry) gwclient.BuildFunc {
	return func(ctx context.Context, gw gwclient.Client) (*gwclient.Result, error) {
		in, err := f.inputs(ctx, gw)
		if err != nil {
			return nil, err
		}
		return in.entry(c, newSourceMaps(nil)).answer(ctx)
	}
}

func (c Entry) platform() *ocispecs.Platform {
	return &ocispecs.Platform{OS: "linux", Architecture: c.Arch}
}

// Entries are systems that are built in one solve: shared steps run once, the others in parallel.
type Entries []Entry

// Entries builds entries together. It reports the mistakes of all specs before it builds anything.
// The result has one reference per entry, under its name.
func (f *Frontend) Entries(cs Entries) gwclient.BuildFunc {
	return func(ctx context.Context, gw gwclient.Client) (*gwclient.Result, error) {
		in, err := f.inputs(ctx, gw)
		if err != nil {
			return nil, err
		}
		maps := newSourceMaps(nil)
		res, err := cs.answer(ctx, in, maps)
		return res, maps.locate(err)
	}
}

func (cs Entries) answer(ctx context.Context, in *inputs, maps *sourceMaps) (*gwclient.Result, error) {
	q, asked, err := in.subrequest()
	switch {
	case err != nil:
		return nil, err
	case !asked:
		return cs.build(ctx, in, maps)
	case q.together == nil:
		return nil, errdefs.NewUnsupportedSubrequestError(q.Name)
	default:
		return q.together(cs, ctx, in, maps)
	}
}

// plan returns the plans of all entries.
func (cs Entries) plan(ctx context.Context, in *inputs, maps *sourceMaps) (*gwclient.Result, error) {
	plans, err := eachLoaded(ctx, in, maps, cs, func(ctx context.Context, c loaded) (*plan.Plan, error) {
		target, _ := c.platforms(c.platform())
		p, _, err := c.resolve(ctx, c.doc, target)
		return p, err
	})
	if err != nil {
		return nil, err
	}
	return plansResult(plans)
}

// build generates the graphs of all entries and builds them together.
func (cs Entries) build(ctx context.Context, in *inputs, maps *sourceMaps) (*gwclient.Result, error) {
	t, err := TargetByName(in.ui.Target)
	if err != nil {
		return nil, err
	}
	systems, err := eachLoaded(ctx, in, maps, cs, func(ctx context.Context, c loaded) (*system, error) {
		return c.generate(ctx, c.doc, c.platform(), t)
	})
	if err != nil {
		return nil, err
	}
	cs.nameApart(systems)
	refs := make([]gwclient.Reference, len(cs))
	eg, egCtx := errgroup.WithContext(ctx)
	for i, s := range systems {
		eg.Go(func() (err error) {
			if refs[i], err = in.result(egCtx, s); err != nil {
				return &entryError{cs.concerned(i, systems, err), err}
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	if warnings := warningsOf(systems); len(warnings) > 0 {
		maps.warn(ctx, in.warnAt(systems[0]), warnings)
	}
	return cs.result(systems, refs)
}

// loaded is the request for an entry whose spec is loaded.
type loaded struct {
	*request
	entry Entry
	doc   *specs.Document
}

func (c loaded) platform() *ocispecs.Platform { return c.entry.platform() }

// eachLoaded loads all entries, and calls f for them as eachEntry does.
func eachLoaded[T any](ctx context.Context, in *inputs, maps *sourceMaps, cs Entries, f func(context.Context, loaded) (T, error)) ([]T, error) {
	all, err := eachEntry(ctx, cs, func(ctx context.Context, c Entry) (loaded, error) {
		r := in.entry(c, maps)
		doc, err := r.load(ctx)
		return loaded{r, c, doc}, err
	})
	if err != nil {
		return nil, err
	}
	if err := checkShared(in.ui.BuildArgs, all); err != nil {
		return nil, err
	}
	return each(ctx, all, func(ctx context.Context, c loaded) (T, error) {
		result, err := f(ctx, c)
		return result, nameEntry(c.entry, err)
	})
}

// eachEntry calls f for all entries in parallel and adds the name of the entry to an error.
func eachEntry[T any](ctx context.Context, cs Entries, f func(context.Context, Entry) (T, error)) ([]T, error) {
	return each(ctx, cs, func(ctx context.Context, c Entry) (T, error) {
		result, err := f(ctx, c)
		return result, nameEntry(c, err)
	})
}

// checkShared returns the mistakes in build arguments that none of the entries declares.
func checkShared(given map[string]string, all []loaded) error {
	var declared []string
	for _, c := range all {
		if !knowsArgs(c.doc) {
			return nil
		}
		declared = slices.AppendSeq(declared, maps.Keys(c.doc.Spec.Args))
	}
	return UndeclaredArgs(given, declared).Err()
}

// nameEntry adds the name of an entry to an error.
func nameEntry(c Entry, err error) error {
	if err == nil {
		return nil
	}
	return &entryError{c.Name, err}
}

// entryError is an error with the names of its entries.
type entryError struct {
	entries string
	error
}

func (e *entryError) Error() string { return e.entries + ": " + e.error.Error() }

func (e *entryError) Unwrap() error { return e.error }

// GRPCStatus keeps the names on the way to the client: gRPC returns only the message of the status
// of an error that came by gRPC (grpcerrors.ToGRPC).
func (e *entryError) GRPCStatus() *status.Status {
	p := status.New(grpcerrors.Code(e.error), "").Proto()
	if st, ok := grpcerrors.AsGRPCStatus(e.error); ok {
		p = st.Proto()
	}
	p.Message = e.Error()
	return status.FromProto(p)
}

// concerned returns the names of the entries that a failed step belongs to; first failed with err.
func (cs Entries) concerned(first int, systems []*system, err error) string {
	var failed *errdefs.VertexError
	if !errors.As(err, &failed) {
		return cs[first].Name
	}
	var names []string
	for i, s := range systems {
		if i == first || s.has(digest.Digest(failed.Digest)) {
			names = append(names, cs[i].Name)
		}
	}
	const most = 3
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// warnAt shows warnings at the last vertex of a system, which clients know.
func (in *inputs) warnAt(s *system) func(context.Context, string, gwclient.WarnOpts) {
	return func(ctx context.Context, msg string, opts gwclient.WarnOpts) {
		if head, err := s.definition.Head(); err == nil {
			_ = in.client.Warn(ctx, head, msg, opts)
		}
	}
}

// has reports whether a vertex is in the graph.
func (s *system) has(vertex digest.Digest) bool {
	_, ok := s.definition.Metadata[vertex]
	return ok
}

// result returns one reference per entry. Exporters see a multi-platform result in which names of
// entries replace those of platforms.
func (cs Entries) result(systems []*system, refs []gwclient.Reference) (*gwclient.Result, error) {
	res := gwclient.NewResult()
	var index exptypes.Platforms
	for i, c := range cs {
		res.AddRef(c.Name, refs[i])
		res.AddMeta(commonexptypes.ExporterEpochKey+"/"+c.Name, []byte(strconv.FormatInt(systems[i].graph.Epoch.Unix(), 10)))
		index.Platforms = append(index.Platforms, exptypes.Platform{ID: c.Name, Platform: *c.platform()})
	}
	data, err := json.Marshal(index)
	if err != nil {
		return nil, err
	}
	res.AddMeta(exptypes.ExporterPlatformsKey, data)
	return res, nil
}
