package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Outline is what a target of a spec takes, and what it is made of. Clients that know only BuildKit's
// outline ignore the rest of the JSON.
type Outline struct {
	outline.Outline
	// Contexts are the named contexts, sorted.
	Contexts []NamedContext `json:"contexts,omitempty"`
	// Stages are those of the graph, inputs first.
	Stages []plan.Reason `json:"stages,omitempty"`
}

// NamedContext is a context that a spec takes something from.
type NamedContext struct {
	Name string `json:"name"`
	// For are keys of the spec, or what else it is for.
	For []string `json:"for"`
}

// outlineDefinition is BuildKit's, with more in the result. Clients print the text of a version that
// they do not know, instead of what they know of the JSON.
func outlineDefinition() subrequests.Request {
	r := outline.SubrequestsOutlineDefinition
	r.Version = "1.1.0"
	r.Description = "List the build arguments, secrets and named contexts of a target, and its stages"
	return r
}

// outline is the outline of the requested target for the first platform. A spec with mistakes has no
// stages. Without an answer, clients ask the Dockerfile frontend instead.
func (r *request) outline(ctx context.Context) (*gwclient.Result, error) {
	t, doc, err := r.asked(ctx)
	if err != nil {
		return nil, err
	}
	system, err := r.sketch(ctx, doc, r.requested()[0])
	var mistakes specs.Diagnostics
	if err != nil && !errors.As(err, &mistakes) {
		return nil, err
	}
	o := OutlineOf(doc, t, r.ui.BuildArgs, r.contextNames())
	if err == nil {
		if err := o.AddStages(ctx, system, t); err != nil {
			return nil, err
		}
	}
	return o.Result()
}

// OutlineOf is the outline of a target of a spec, without its stages. args are the values of the build
// arguments, and contexts the names of the named contexts that the build has.
func OutlineOf(doc *specs.Document, t Target, args map[string]string, contexts []string) *Outline {
	o := &Outline{Contexts: contextsOf(doc, contexts)}
	o.Name, o.Description, o.Sources = t.Name, t.Description, [][]byte{doc.Sources[0].Data}
	for _, a := range buildArgs() {
		o.Args = append(o.Args, outline.Arg{Name: a.name, Description: a.description, Value: args[a.name]})
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Spec.Args)) {
		arg := outline.Arg{Name: name, Description: doc.Spec.Args[name].About(), Value: doc.Arg(name)}
		if at := doc.At(key.Args.Entry(name).String()); at.Source == doc.Sources[0] {
			arg.Location = &pb.Location{Ranges: ranges(at)}
		}
		o.Args = append(o.Args, arg)
	}
	for _, secret := range doc.Secrets() {
		if !slices.ContainsFunc(o.Secrets, func(known outline.Secret) bool { return known.Name == secret.ID }) {
			o.Secrets = append(o.Secrets, outline.Secret{Name: secret.ID, Required: true})
		}
	}
	return o
}

// contextsOf are the named contexts that a spec takes something from, and those of a build that change
// what is built of any spec.
func contextsOf(doc *specs.Document, given []string) []NamedContext {
	uses := map[string][]string{}
	add := func(name, what string) {
		if name != "" && !slices.Contains(uses[name], what) {
			uses[name] = append(uses[name], what)
		}
	}
	for _, src := range doc.Sources {
		add(src.Context, key.Extends.String())
	}
	add(doc.Spec.Kernel.Context, key.Kernel.String())
	for _, name := range catalog.Names(doc.Spec.Components) {
		add(doc.Spec.Components[name].Context, key.Components.Entry(name).String())
	}
	for i, l := range doc.Spec.Layers {
		add(l.Context, doc.Written(key.Layers.Item(i).String()))
	}
	for name, what := range map[string]string{catalog.ContextName: "the catalog", artifact.ConfigContext: "the cloud-config of media and disks"} {
		if slices.Contains(given, name) {
			add(name, what)
		}
	}
	var all []NamedContext
	for _, name := range catalog.Names(uses) {
		all = append(all, NamedContext{name, uses[name]})
	}
	return all
}

// AddStages adds the stages of a target, or says why the system cannot be built as it.
func (o *Outline) AddStages(ctx context.Context, s Sketch, t Target) (err error) {
	if why := s.refusal(ctx, t); why != "" {
		o.Description += cannot + why
		return nil
	}
	o.Stages, err = s.steps(ctx, t)
	return err
}

// Result has the outline as JSON and text.
func (o *Outline) Result() (*gwclient.Result, error) {
	data, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return nil, err
	}
	text := &bytes.Buffer{}
	if err := outline.PrintOutline(data, text); err != nil {
		return nil, err
	}
	var contexts, stages [][]string
	for _, c := range o.Contexts {
		contexts = append(contexts, []string{c.Name, strings.Join(c.For, ", ")})
	}
	for _, s := range o.Stages {
		stages = append(stages, []string{s.Name, s.Place, s.Why})
	}
	table(text, []string{"NAMED CONTEXT", "FOR"}, contexts)
	table(text, []string{"STAGE", "FROM", "WHY"}, stages)
	return versioned(outlineDefinition().Version, data, text.Bytes()), nil
}

// table writes rows as BuildKit writes those of an outline; nothing if there are none.
func table(text *bytes.Buffer, head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	w := tabwriter.NewWriter(text, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // to memory
	fmt.Fprintln(text)
}
