package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	subtargets "github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
)

// Subrequests of our own: docker buildx build --call=kairos.plan
const (
	PlanRequest     = "frontend.kairos.plan"
	ExplainRequest  = "frontend.kairos.explain"
	DiffRequest     = "frontend.kairos.diff"
	PackagesRequest = "frontend.kairos.packages"
	LockRequest     = "frontend.kairos.lock"
	BundleRequest   = "frontend.kairos.bundle"
	SchemaRequest   = "frontend.kairos.schema"
)

// Parts of an answer, as all clients of BuildKit know them.
const (
	ResultJSON = "result.json"
	ResultText = "result.txt"
)

// subrequest is a request that is answered instead of built. To add one, add a row to
// allSubrequests.
type subrequest struct {
	// Request has the name, the description and the output, as describe lists them.
	subrequests.Request
	// answer answers for one spec.
	answer func(*request, context.Context) (*gwclient.Result, error)
	// together answers for the entries of a matrix; nil when it does not apply to them.
	together func(Entries, context.Context, *inputs, *sourceMaps) (*gwclient.Result, error)
}

// allSubrequests are all subrequests, in the order in which describe lists them.
func allSubrequests() []subrequest {
	// described returns BuildKit's definition with a description that fits specs.
	described := func(r subrequests.Request, description string) subrequests.Request {
		r.Description = description
		return r
	}
	withText := func(r subrequests.Request) subrequests.Request {
		r.Metadata = append(slices.Clone(r.Metadata), subrequests.Named{Name: ResultText})
		return r
	}
	own := func(name, description string) subrequests.Request {
		return subrequests.Request{
			Name: name, Version: ownVersion, Type: subrequests.TypeRPC, Description: description,
			Metadata: []subrequests.Named{{Name: ResultJSON}, {Name: ResultText}},
		}
	}
	return []subrequest{
		{Request: subtargets.SubrequestsTargetsDefinition, answer: (*request).listTargets},
		{Request: outlineDefinition(), answer: (*request).outline},
		{Request: described(lint.SubrequestLintDefinition, "Check the spec without building it"), answer: (*request).lint},
		{Request: withText(described(convertllb.SubrequestConvertLLBDefinition, "Show the graph that the spec becomes")), answer: (*request).convert},
		{Request: own(PlanRequest, "Show the resolved plan"), answer: (*request).plan, together: Entries.plan},
		{Request: own(ExplainRequest, "Show why everything is in the system"), answer: (*request).explain},
		{Request: own(DiffRequest, "Compare the spec with that of the named context "+OldContext), answer: (*request).diff},
		{Request: own(PackagesRequest, "Show what every stage would install"), answer: (*request).packages, together: Entries.packages},
		{Request: own(LockRequest, "Write the lock file"), answer: (*request).writeLock, together: Entries.writeLock},
		{Request: own(BundleRequest, "Collect what builds need, for flavorkit bundle"), answer: (*request).writeBundle, together: Entries.writeBundle},
		{Request: own(SchemaRequest, "Show the JSON schema of the spec"), answer: (*request).schema},
		{Request: subrequests.SubrequestsDescribeDefinition, answer: (*request).describe},
	}
}

// subrequest returns the subrequest of a request; ok is false for a build.
func (in *inputs) subrequest() (q subrequest, ok bool, err error) {
	id, asked := in.client.BuildOpts().Opts["requestid"]
	if !asked {
		return subrequest{}, false, nil
	}
	all := allSubrequests()
	if i := slices.IndexFunc(all, func(s subrequest) bool { return s.Name == id }); i >= 0 {
		return all[i], true, nil
	}
	return subrequest{}, true, errdefs.NewUnsupportedSubrequestError(id)
}

// describe lists all subrequests.
func (r *request) describe(context.Context) (*gwclient.Result, error) {
	var all []subrequests.Request
	for _, s := range allSubrequests() {
		all = append(all, s.Request)
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(data, &text); err != nil {
		return nil, err
	}
	return textResult(data, text.Bytes()), nil
}

func (r *request) schema(context.Context) (*gwclient.Result, error) {
	return textResult(specs.Schema(), specs.Schema()), nil
}

// ownVersion is the version of the subrequests of our own.
const ownVersion = "1.0.0"

func textResult(data, text []byte) *gwclient.Result { return versioned(ownVersion, data, text) }

func versioned(version string, data, text []byte) *gwclient.Result {
	res := gwclient.NewResult()
	res.AddMeta(ResultJSON, data)
	res.AddMeta(ResultText, text)
	res.AddMeta("version", []byte(version))
	return res
}

func (r *request) listTargets(ctx context.Context) (*gwclient.Result, error) {
	systems, err := r.sketches(ctx)
	if err != nil {
		return nil, err
	}
	return TargetsOf(ctx, systems...).ToResult()
}

// lint checks the spec as a build would, up to the first step.
func (r *request) lint(ctx context.Context) (*gwclient.Result, error) {
	warnings, err := r.warnings(ctx)
	var mistakes specs.Diagnostics
	if err != nil && !errors.As(err, &mistakes) {
		return nil, err
	}
	return r.sourceMaps.lintResults(r.spec, mistakes, warnings).ToResult(nil)
}

// warnings returns the warnings of every requested platform.
func (r *request) warnings(ctx context.Context) (specs.Diagnostics, error) {
	doc, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	now, err := r.now()
	if err != nil {
		return nil, err
	}
	cat, err := r.catalog(ctx)
	if err != nil {
		return nil, err
	}
	warnings, err := each(ctx, r.requested(), func(ctx context.Context, requested *ocispecs.Platform) (specs.Diagnostics, error) {
		target, _ := r.platforms(requested)
		p, src, err := r.resolve(ctx, doc, target)
		if err != nil {
			return nil, err
		}
		return subject{plan: p, configs: src.configs, catalog: cat, now: now}.allWarnings(), nil
	})
	return slices.Concat(warnings...).Sorted(), err
}

// plan returns the plan for every requested platform.
func (r *request) plan(ctx context.Context) (*gwclient.Result, error) {
	plans, err := r.plans(ctx)
	if err != nil {
		return nil, err
	}
	return plansResult(plans)
}

func plansResult(plans []*plan.Plan) (*gwclient.Result, error) {
	data, err := json.MarshalIndent(plans, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, p := range plans {
		text.WriteString(p.String())
	}
	return textResult(data, text.Bytes()), nil
}

// plans returns the plan for every requested platform.
func (r *request) plans(ctx context.Context) ([]*plan.Plan, error) {
	doc, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	return each(ctx, r.requested(), func(ctx context.Context, requested *ocispecs.Platform) (*plan.Plan, error) {
		target, _ := r.platforms(requested)
		p, _, err := r.resolve(ctx, doc, target)
		return p, err
	})
}

// explain says why everything is in the system, for every requested platform.
func (r *request) explain(ctx context.Context) (*gwclient.Result, error) {
	systems, err := r.sketches(ctx)
	if err != nil {
		return nil, err
	}
	all, err := each(ctx, systems, func(ctx context.Context, s Sketch) ([]plan.Reason, error) { return s.Explain(ctx) })
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, reasons := range all {
		for _, reason := range reasons {
			fmt.Fprintln(&text, reason)
		}
	}
	return textResult(data, text.Bytes()), nil
}

// convert shows the graph of the requested target for the first platform. BuildKit's result has no text.
func (r *request) convert(ctx context.Context) (*gwclient.Result, error) {
	t, doc, err := r.asked(ctx)
	if err != nil {
		return nil, err
	}
	s, err := r.generate(ctx, doc, r.requested()[0], t)
	if err != nil {
		return nil, err
	}
	def := s.definition
	result := &convertllb.Result{Def: map[digest.Digest]*pb.Op{}, Metadata: map[digest.Digest]llb.OpMetadata{}, Source: def.Source}
	for _, data := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil {
			return nil, errors.Wrap(err, "read the graph")
		}
		d := digest.FromBytes(data)
		result.Def[d] = &op
		result.Metadata[d] = def.Metadata[d]
	}
	res, err := result.ToResult()
	if err != nil {
		return nil, err
	}
	g, err := graphtext.Of(def)
	if err != nil {
		return nil, err
	}
	res.AddMeta(ResultText, []byte(g.String()))
	return res, nil
}
