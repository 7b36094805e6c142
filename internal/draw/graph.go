package draw

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Node is a box of a graph.
type Node struct {
	// Name in the box, "[stage] what it does". What does not fit is cut off; all of it is in the
	// title.
	Name string
	// Note is a word about it, such as how long it took. May be empty.
	Note string
	// Look of the box.
	Look Look
	// Inputs are numbers of nodes. One that is not lower than the node's own gets no arrow.
	Inputs []int
}

// Look is how a box, a bar or an area looks.
type Look string

// The looks.
const (
	Plain    Look = "plain"
	Cached   Look = "cached"
	Failed   Look = "failed"
	Critical Look = "critical"
)

// box is a node with its place.
type box struct {
	X, Y                     int
	Look                     Look
	Title, Stage, Note       string
	Lines                    []string
	Width, Height, Left, End int
}

// arrow is a line between nodes.
type arrow struct {
	Path string
	Look Look
}

// Graph writes a graph as SVG. Inputs are above what uses them. An arrow that follows from others is
// left out. The label says what the picture shows, for those who do not see it.
func Graph(w io.Writer, label string, nodes []Node) error {
	inputs := make([][]int, len(nodes))
	for i, n := range nodes {
		for _, in := range n.Inputs {
			if in < i {
				inputs[i] = append(inputs[i], in)
			}
		}
	}
	l := arrange(inputs)
	left, right := math.Inf(1), math.Inf(-1)
	for _, row := range l.rows {
		for _, p := range row {
			left, right = min(left, p.x-p.width()/2), max(right, p.x+p.width()/2)
		}
	}
	if len(nodes) == 0 {
		left, right = 0, 0
	}
	g := picture{Label: Clean(label), Width: int(right-left) + 2*margin, Height: max(0, len(l.rows)-1)*rowDistance + boxHeight + 2*margin}
	at := func(p *place) (x, y int) { return int(p.x-left) + margin, p.row*rowDistance + margin }
	for n, p := range l.nodes {
		x, y := at(p)
		g.Boxes = append(g.Boxes, nodes[n].box(x-boxWidth/2, y))
		for _, next := range p.below {
			g.Arrows = append(g.Arrows, path(nodes, p, next, at))
		}
	}
	return write(w, "graph", g)
}

// path follows an arrow to its end.
func path(nodes []Node, from, next *place, at func(*place) (int, int)) arrow {
	var d strings.Builder
	x, y := at(from)
	y += boxHeight
	fmt.Fprintf(&d, "M%d %d", x, y)
	for {
		toX, toY := at(next)
		fmt.Fprintf(&d, " C%d %d %d %d %d %d", x, (y+toY)/2, toX, (y+toY)/2, toX, toY)
		if next.node >= 0 {
			break
		}
		fmt.Fprintf(&d, " V%d", toY+boxHeight)
		x, y = toX, toY+boxHeight
		next = next.below[0]
	}
	look := Plain
	if nodes[from.node].Look == Critical && nodes[next.node].Look == Critical {
		look = Critical
	}
	return arrow{Path: d.String(), Look: look}
}

// boxChars is the number of characters in a line of a box.
const boxChars = (boxWidth - 16) * 100 / charWidth

func (n Node) box(x, y int) box {
	name, note := Clean(n.Name), Clean(n.Note)
	stage, title := "", name
	if rest, ok := strings.CutPrefix(name, "["); ok {
		if s, t, ok := strings.Cut(rest, "] "); ok {
			stage, title = s, t
		}
	}
	spoken := name
	if note != "" {
		spoken += " (" + note + ")"
	}
	return box{
		X: x, Y: y, Look: n.Look, Title: spoken, Width: boxWidth, Height: boxHeight, Left: x + 8, End: x + boxWidth - 8,
		Stage: cut(stage, boxChars-len([]rune(note))-1), Note: note, Lines: wrap(title, boxChars, 2),
	}
}
