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
	// Args are the build arguments: those of every build, and those that the spec declares.
	Args []OutlineArg `json:"args,omitempty"`
	// Conditions are parts of the spec that some systems do not have.
	Conditions []Condition `json:"conditions,omitempty"`
	// Contexts are the named contexts, sorted.
	Contexts []NamedContext `json:"contexts,omitempty"`
	// Stages are those of the graph, inputs first.
	Stages []plan.Reason `json:"stages,omitempty"`
}

// OutlineArg is a build argument. Those of every build have a description alone.
type OutlineArg struct {
	outline.Arg
	// Type of its values: string, bool or integer.
	Type string `json:"type,omitempty"`
	// Default is the value if the build gives none; nil if it must give one.
	Default *string `json:"default,omitempty"`
	// Values are the only ones that it can have; none for all of the type.
	Values []specs.Scalar `json:"values,omitempty"`
}

// Condition is a part of a spec that only some systems have.
type Condition struct {
	// Key of the part in its file.
	Key string `json:"key"`
	// Text is the part itself if it is a text.
	Text string `json:"text,omitempty"`
	// Place of the part: file:line:column.
	Place string `json:"place"`
	// When has the values that it is for, by what they are of (arch, model, variant, init, distro).
	When map[string][]string `json:"when"`
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
		o.Args = append(o.Args, OutlineArg{Arg: outline.Arg{Name: a.name, Description: a.description, Value: args[a.name]}})
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Spec.Args)) {
		declared, at := doc.Spec.Args[name], key.Args.Entry(name)
		arg := OutlineArg{
			Arg:  outline.Arg{Name: name, Description: declared.About(), Value: doc.Arg(name), Location: located(doc, at)},
			Type: declared.TypeName(), Values: declared.Values,
		}
		if text := string(declared.Default); doc.Has(at.Default().String()) {
			arg.Default = &text
		}
		o.Args = append(o.Args, arg)
	}
	for _, secret := range doc.Secrets() {
		if !slices.ContainsFunc(o.Secrets, func(known outline.Secret) bool { return known.Name == secret.ID }) {
			o.Secrets = append(o.Secrets, outline.Secret{Name: secret.ID, Required: true, Location: located(doc, secret.Key)})
		}
	}
	for _, c := range doc.Conditions() {
		o.Conditions = append(o.Conditions, Condition{c.Key, c.Text, c.Range.String(), c.When})
	}
	return o
}

// located is where the spec has a value; nil for a value of what it extends, whose text an outline
// does not have.
func located(doc *specs.Document, k key.Key) *pb.Location {
	at := doc.At(k.String())
	if at.Source != doc.Sources[0] {
		return nil
	}
	return &pb.Location{Ranges: ranges(at)}
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
	var conditions, contexts, stages [][]string
	for _, c := range o.Conditions {
		var when []string
		for _, k := range catalog.Names(c.When) {
			when = append(when, k+" is "+strings.Join(c.When[k], " or "))
		}
		conditions = append(conditions, []string{strings.TrimSpace(c.Key + " " + c.Text), c.Place, strings.Join(when, ", ")})
	}
	for _, c := range o.Contexts {
		contexts = append(contexts, []string{c.Name, strings.Join(c.For, ", ")})
	}
	for _, s := range o.Stages {
		stages = append(stages, []string{s.Name, s.Place, s.Why})
	}
	table(text, []string{"PART", "FROM", "WHEN"}, conditions)
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
