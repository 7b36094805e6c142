package graphtext

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/flavorkit/flavorkit/internal/draw"
)

// Format is a form of a graph for people or other programs.
type Format struct {
	Name string
	// Write returns the text.
	Write func(Graph) (string, error)
}

// Formats are all of them; the first is the default.
func Formats() []Format {
	plain := func(write func(Graph) string) func(Graph) (string, error) {
		return func(g Graph) (string, error) { return write(g), nil }
	}
	return []Format{
		{"text", plain(Graph.String)},
		{"tree", plain(Graph.tree)},
		{"dot", plain(Graph.dot)},
		{"mermaid", plain(Graph.mermaid)},
		{"svg", Graph.svg},
		{"json", Graph.json},
	}
}

// Vertex is what a picture shows of a vertex.
type Vertex struct {
	Name string
	// Group is its line of the progress output; nil if it has a line of its own.
	Group  *pb.ProgressGroup
	Inputs []digest.Digest
}

// Step is a node of a picture: the vertices that share a line of the progress output. Vertices
// without a name, and flavorkit's own scripts, are left out.
type Step struct {
	Name     string
	Vertices []digest.Digest
	// Inputs are numbers of other steps.
	Inputs []int
}

// Picture returns the steps of a graph, inputs first. roots are the vertices that nothing uses, the
// result last.
func Picture(vertices map[digest.Digest]Vertex, roots []digest.Digest) []Step {
	p := &pictured{vertices: vertices, seen: map[digest.Digest][]int{}, numbers: map[string]int{}}
	for _, root := range roots {
		p.visit(root)
	}
	return p.steps
}

// picture returns the steps of the graph. The last is the result.
func (g Graph) picture() []Step {
	vertices := map[digest.Digest]Vertex{}
	for d, op := range g.Ops {
		m := g.Metadata[d]
		v := Vertex{Name: g.Name(d), Group: m.ProgressGroup}
		for _, in := range op.Inputs {
			v.Inputs = append(v.Inputs, digest.Digest(in.Digest))
		}
		vertices[d] = v
	}
	return Picture(vertices, g.roots())
}

type pictured struct {
	vertices map[digest.Digest]Vertex
	steps    []Step
	// numbers of steps by the id of their progress group.
	numbers map[string]int
	// seen are the steps that stand for a vertex: its own, or those of its inputs.
	seen map[digest.Digest][]int
}

// visit adds a vertex after its inputs, and returns the steps that stand for it.
func (p *pictured) visit(d digest.Digest) []int {
	if known, ok := p.seen[d]; ok {
		return known
	}
	v, ok := p.vertices[d]
	if !ok {
		return nil
	}
	var inputs []int
	for _, in := range v.Inputs {
		inputs = append(inputs, p.visit(in)...)
	}
	if v.Name == "" || strings.HasPrefix(v.Name, "[internal]") {
		p.seen[d] = inputs
		return inputs
	}
	id, name := v.Name, v.Name
	if v.Group != nil {
		id, name = v.Group.Id, v.Group.Name
	}
	n, ok := p.numbers[id]
	if !ok {
		n = len(p.steps)
		p.numbers[id] = n
		p.steps = append(p.steps, Step{Name: name})
	}
	step := &p.steps[n]
	step.Vertices = append(step.Vertices, d)
	for _, in := range inputs {
		if in != n && !slices.Contains(step.Inputs, in) {
			step.Inputs = append(step.Inputs, in)
		}
	}
	p.seen[d] = []int{n}
	return p.seen[d]
}

// json is a list of the steps, inputs first. The last is the result.
func (g Graph) json() (string, error) {
	type step struct {
		Name string `json:"name"`
		// Inputs are numbers of steps, from 0 on.
		Inputs []int `json:"inputs"`
		Note
	}
	all := []step{}
	for _, s := range g.picture() {
		all = append(all, step{s.Name, append([]int{}, s.Inputs...), g.note(s.Vertices...)})
	}
	text, err := json.MarshalIndent(all, "", "  ")
	return string(text) + "\n", err
}

// tree is the result with what it is made of below, indented. A step that was shown before is not
// shown again with its inputs.
func (g Graph) tree() string {
	steps := g.picture()
	var text strings.Builder
	shown := map[int]bool{}
	var write func(n int, prefix, below string)
	write = func(n int, prefix, below string) {
		text.WriteString(prefix + steps[n].Name)
		if note := g.note(steps[n].Vertices...); note.Text != "" {
			text.WriteString(" (" + note.Text + ")")
		}
		inputs := steps[n].Inputs
		if shown[n] && len(inputs) > 0 {
			text.WriteString(" …")
			inputs = nil
		}
		text.WriteString("\n")
		shown[n] = true
		for i, in := range inputs {
			if i == len(inputs)-1 {
				write(in, below+"└─ ", below+"   ")
			} else {
				write(in, below+"├─ ", below+"│  ")
			}
		}
	}
	if len(steps) > 0 {
		write(len(steps)-1, "", "")
	}
	return text.String()
}

// dot is a graph for Graphviz (https://graphviz.org/doc/info/lang.html).
func (g Graph) dot() string {
	var text strings.Builder
	text.WriteString("digraph build {\n  rankdir=BT\n  node [shape=box, fontname=\"sans-serif\"]\n")
	for n, s := range g.picture() {
		label := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s.Name)
		if note := g.note(s.Vertices...); note.Text != "" {
			label += `\n` + note.Text
		}
		fmt.Fprintf(&text, "  n%d [label=\"%s\"]\n", n, label)
		for _, in := range s.Inputs {
			fmt.Fprintf(&text, "  n%d -> n%d\n", in, n)
		}
	}
	return text.String() + "}\n"
}

// mermaid is a flowchart that GitHub shows in Markdown (https://mermaid.js.org/syntax/flowchart.html).
func (g Graph) mermaid() string {
	var text strings.Builder
	text.WriteString("flowchart BT\n")
	for n, s := range g.picture() {
		label := strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;", "\n", " ").Replace(s.Name)
		if note := g.note(s.Vertices...); note.Text != "" {
			label += "<br>" + note.Text
		}
		fmt.Fprintf(&text, "  n%d[\"%s\"]\n", n, label)
		for _, in := range s.Inputs {
			fmt.Fprintf(&text, "  n%d --> n%d\n", in, n)
		}
	}
	return text.String()
}

// svg is a picture, which browsers show.
func (g Graph) svg() (string, error) {
	var nodes []draw.Node
	for _, s := range g.picture() {
		note := g.note(s.Vertices...)
		nodes = append(nodes, draw.Node{Name: s.Name, Note: note.Text, Look: note.Look, Inputs: s.Inputs})
	}
	var text strings.Builder
	err := draw.Graph(&text, "The steps of a build, from inputs at the top to the result at the bottom", nodes)
	return text.String(), err
}
