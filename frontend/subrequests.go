package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	subtargets "github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Subrequests of our own: docker buildx build --call=kairos.plan
const (
	PlanRequest     = "frontend.kairos.plan"
	ExplainRequest  = "frontend.kairos.explain"
	PackagesRequest = "frontend.kairos.packages"
	LockRequest     = "frontend.kairos.lock"
	BundleRequest   = "frontend.kairos.bundle"
	SchemaRequest   = "frontend.kairos.schema"
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
	own := func(name, description string) subrequests.Request {
		return subrequests.Request{
			Name: name, Version: "1.0.0", Type: subrequests.TypeRPC, Description: description,
			Metadata: []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}},
		}
	}
	return []subrequest{
		{Request: subtargets.SubrequestsTargetsDefinition, answer: (*request).listTargets},
		{Request: described(outline.SubrequestsOutlineDefinition, "List the build arguments and the secrets of a target"), answer: (*request).outline},
		{Request: described(lint.SubrequestLintDefinition, "Check the spec without building it"), answer: (*request).lint},
		{Request: described(convertllb.SubrequestConvertLLBDefinition, "Show the graph that the spec becomes"), answer: (*request).convert},
		{Request: own(PlanRequest, "Show the resolved plan"), answer: (*request).plan, together: Entries.plan},
		{Request: own(ExplainRequest, "Show why everything is in the system"), answer: (*request).explain},
		{Request: own(PackagesRequest, "Show what every stage would install"), answer: (*request).packages, together: Entries.packages},
		{Request: own(LockRequest, "Write the lock file"), answer: (*request).writeLock, together: Entries.writeLock},
		{Request: own(BundleRequest, "Collect what builds need, for flavorkit bundle"), answer: (*request).writeBundle},
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

// outline lists the build arguments of the target with their values, and the secrets and named
// contexts that the spec asks for; an outline has no list for the latter. Without an answer, clients
// ask the Dockerfile frontend instead.
func (r *request) outline(ctx context.Context) (*gwclient.Result, error) {
	t, err := TargetByName(r.ui.Target)
	if err != nil {
		return nil, err
	}
	o := outline.Outline{Name: t.Name, Description: t.Description, Sources: [][]byte{r.spec.Data}}
	for _, a := range buildArgs() {
		o.Args = append(o.Args, outline.Arg{Name: a.name, Description: a.description, Value: r.ui.BuildArgs[a.name]})
	}
	doc, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Spec.Args)) {
		arg := outline.Arg{Name: name, Description: doc.Spec.Args[name].About(), Value: doc.Arg(name)}
		if at := doc.At(key.Args.Entry(name).String()); at.Source == r.spec {
			arg.Location = &pb.Location{Ranges: ranges(at)}
		}
		o.Args = append(o.Args, arg)
	}
	if names := contextsOf(doc.Spec); len(names) > 0 {
		o.Description += "; takes the named contexts " + strings.Join(names, ", ")
	}
	ids := []string{doc.Spec.CA.Secret}
	for _, repository := range doc.Spec.Repositories {
		ids = append(ids, repository.Secret, repository.Certificate)
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Spec.Components)) {
		ids = append(ids, doc.Spec.Components[name].Secret)
	}
	listed := map[string]bool{"": true}
	for _, id := range ids {
		if !listed[id] {
			listed[id] = true
			o.Secrets = append(o.Secrets, outline.Secret{Name: id, Required: true})
		}
	}
	return o.ToResult()
}

// contextsOf are the named contexts that a spec takes kernel, components and layers from, sorted.
func contextsOf(s specs.Spec) []string {
	names := []string{s.Kernel.Context}
	for _, c := range s.Components {
		names = append(names, c.Context)
	}
	for _, l := range s.Layers {
		names = append(names, l.Context)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

func textResult(data, text []byte) *gwclient.Result {
	res := gwclient.NewResult()
	res.AddMeta("result.json", data)
	res.AddMeta("result.txt", text)
	res.AddMeta("version", []byte("1.0.0"))
	return res
}

func (r *request) listTargets(context.Context) (*gwclient.Result, error) {
	list := subtargets.List{Sources: [][]byte{r.spec.Data}}
	for i, t := range Targets() {
		list.Targets = append(list.Targets, subtargets.Target{Name: t.Name, Description: t.Description, Default: i == 0})
	}
	return list.ToResult()
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
	doc, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	cat, err := r.catalog(ctx)
	if err != nil {
		return nil, err
	}
	all, err := each(ctx, r.requested(), func(_ context.Context, requested *ocispecs.Platform) ([]plan.Reason, error) {
		target, _ := r.platforms(requested)
		p, err := plan.Resolve(doc, cat, target.Architecture)
		if err != nil {
			return nil, err
		}
		return plan.Explain(p, doc, cat)
	})
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

// convert shows the graph of the requested target for the first platform.
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
	return result.ToResult()
}
