// Package graphtext writes a graph as text that people can read and diff: one paragraph per vertex,
// inputs first. It omits what differs between sessions, so equal graphs give equal text.
package graphtext

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/draw"
)

// Graph is a set of vertices by digest.
type Graph struct {
	Ops      map[digest.Digest]*pb.Op
	Metadata map[digest.Digest]llb.OpMetadata
	// Note says what became of vertices in a build, by their names; nil for a graph that was not built.
	Note func(names []string) Note
}

// Note is what became of vertices together.
type Note struct {
	State   string  `json:"state,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	// Bytes that were transferred.
	Bytes int64 `json:"bytes,omitempty"`
	// Text is the same in a few words.
	Text string `json:"-"`
	// Look of the step in a picture.
	Look draw.Look `json:"-"`
}

// note is that of vertices; empty if the graph was not built.
func (g Graph) note(vertices ...digest.Digest) Note {
	if g.Note == nil {
		return Note{Look: draw.Plain}
	}
	names := make([]string, len(vertices))
	for i, d := range vertices {
		names[i] = g.Name(d)
	}
	return g.Note(names)
}

// Name of a vertex; may be empty.
func (g Graph) Name(d digest.Digest) string { return g.Metadata[d].Description["llb.customname"] }

// Of returns the graph of a definition.
func Of(def *llb.Definition) (Graph, error) {
	g := Graph{Ops: map[digest.Digest]*pb.Op{}, Metadata: def.Metadata}
	for _, data := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil {
			return Graph{}, errors.Wrap(err, "read the graph")
		}
		g.Ops[digest.FromBytes(data)] = &op
	}
	return g, nil
}

// String returns the text of the whole graph.
func (g Graph) String() string {
	w := &writer{graph: g, numbers: map[digest.Digest]int{}}
	for _, root := range g.roots() {
		w.visit(root)
	}
	return w.text.String()
}

// Named is a graph with its name.
type Named struct {
	Name  string
	Graph Graph
}

// Join returns the text of several graphs, with shared vertices only once. The end lists the result
// of each graph.
func Join(graphs ...Named) string {
	w := &writer{numbers: map[digest.Digest]int{}}
	var results strings.Builder
	for _, g := range graphs {
		w.graph = g.Graph
		for _, root := range g.Graph.roots() {
			fmt.Fprintf(&results, "%s is #%d\n", g.Name, w.visit(root))
		}
	}
	return w.text.String() + "\n" + results.String()
}

// roots returns the vertices that no other vertex uses. A definition ends with an empty op that
// points at the result; then that result is the only root.
func (g Graph) roots() []digest.Digest {
	used := map[string]bool{}
	for _, op := range g.Ops {
		if op.Op == nil && len(op.Inputs) == 1 {
			return []digest.Digest{digest.Digest(op.Inputs[0].Digest)}
		}
		for _, in := range op.Inputs {
			used[in.Digest] = true
		}
	}
	var roots []digest.Digest
	for _, d := range slices.Sorted(maps.Keys(g.Ops)) {
		if !used[d.String()] {
			roots = append(roots, d)
		}
	}
	return roots
}

type writer struct {
	graph   Graph
	numbers map[digest.Digest]int
	text    strings.Builder
}

// visit writes a vertex after its inputs and returns its number.
func (w *writer) visit(d digest.Digest) int {
	if n, ok := w.numbers[d]; ok {
		return n
	}
	op := w.graph.Ops[d]
	if op == nil {
		return 0
	}
	inputs := make([]string, len(op.Inputs))
	for i, in := range op.Inputs {
		inputs[i] = fmt.Sprintf("#%d", w.visit(digest.Digest(in.Digest)))
		if in.Index > 0 {
			inputs[i] += fmt.Sprintf("/%d", in.Index)
		}
	}
	n := len(w.numbers) + 1
	w.numbers[d] = n
	if n > 1 {
		w.text.WriteString("\n")
	}
	w.line("#%d %s", n, w.graph.Name(d))
	if note := w.graph.note(d); note.Text != "" {
		w.line("  %s", note.Text)
	}
	if p := op.Platform; p != nil {
		w.line("  on %s/%s", p.OS, p.Architecture)
	}
	w.op(op, inputs)
	return n
}

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(&w.text, format, args...)
	w.text.WriteString("\n")
}

func (w *writer) op(op *pb.Op, inputs []string) {
	switch o := op.Op.(type) {
	case *pb.Op_Source:
		w.line("  source %s", o.Source.Identifier)
		w.source(o.Source.Attrs)
	case *pb.Op_Exec:
		w.exec(o.Exec, inputs)
	case *pb.Op_File:
		w.file(o.File, inputs)
	case *pb.Op_Merge:
		w.line("  merge %s", strings.Join(inputs, " "))
	case *pb.Op_Passthrough:
		w.line("  require %s", strings.Join(inputs, " "))
	default:
		w.line("  %T %s", o, strings.Join(inputs, " "))
	}
}

// source omits what belongs to the session of the client.
func (w *writer) source(attrs map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(attrs)) {
		switch key {
		case "local.session", "local.unique", "local.sharedkeyhint", "oci.session", "oci.store", "local.differ":
		default:
			w.line("    %s=%s", key, attrs[key])
		}
	}
}

func (w *writer) exec(e *pb.ExecOp, inputs []string) {
	w.line("  run %s", strings.Join(quoted(e.Meta.Args), " "))
	for _, env := range e.Meta.Env {
		w.line("    env %q", env)
	}
	w.line("    network %s", strings.ToLower(e.Network.String()))
	for _, m := range e.Mounts {
		from := "scratch"
		if m.Input >= 0 && int(m.Input) < len(inputs) {
			from = inputs[m.Input]
		}
		switch m.MountType {
		case pb.MountType_CACHE:
			from = "cache " + m.CacheOpt.ID
		case pb.MountType_SECRET:
			from = "secret " + m.SecretOpt.ID
		case pb.MountType_TMPFS:
			from = "memory"
		}
		mount := fmt.Sprintf("    mount %s from %s", m.Dest, from)
		if m.Selector != "" {
			mount += m.Selector
		}
		if m.Readonly {
			mount += " readonly"
		}
		w.line("%s", mount)
	}
}

func (w *writer) file(f *pb.FileOp, inputs []string) {
	total := len(inputs)
	ref := func(i pb.InputIndex) string {
		switch {
		case i < 0:
			return "scratch"
		case int(i) < total:
			return inputs[i]
		default:
			return "this"
		}
	}
	for _, a := range f.Actions {
		on := ""
		if in := ref(pb.InputIndex(a.Input)); in != "this" && in != "scratch" {
			on = " on " + in
		}
		switch o := a.Action.(type) {
		case *pb.FileAction_Mkdir:
			w.line("  mkdir %s %04o%s", o.Mkdir.Path, o.Mkdir.Mode, on)
		case *pb.FileAction_Mkfile:
			w.line("  mkfile %s %04o %s%s", o.Mkfile.Path, o.Mkfile.Mode, digest.FromBytes(o.Mkfile.Data).Encoded()[:12], on)
		case *pb.FileAction_Symlink:
			w.line("  symlink %s -> %s%s", o.Symlink.Newpath, o.Symlink.Oldpath, on)
		case *pb.FileAction_Copy:
			w.line("  copy %s%s to %s%s%s", ref(pb.InputIndex(a.SecondaryInput)), o.Copy.Src, o.Copy.Dest, owner(o.Copy.Owner), on)
		default:
			w.line("  %T%s", o, on)
		}
	}
}

// owner is that of all copied files, in numbers; empty when the owners stay.
func owner(o *pb.ChownOpt) string {
	if o == nil {
		return ""
	}
	return fmt.Sprintf(" owner %d:%d", o.User.GetByID(), o.Group.GetByID())
}

func quoted(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'") {
			out[i] = fmt.Sprintf("%q", a)
		}
	}
	return out
}
