package draw

import (
	"cmp"
	"slices"
)

// Sizes of a graph in pixels.
const (
	boxWidth    = 216
	boxHeight   = 52
	bendWidth   = 10 // an arrow that passes between boxes
	gap         = 18 // between boxes of a row
	rowDistance = 86
	margin      = 8
)

// rounds is how often the rows are put in order. A picture rarely changes after a few.
const rounds = 12

// place is a box in a row, or the place where an arrow passes the row.
type place struct {
	node int // the number of the node; -1 for an arrow
	x    float64
	row  int
	// above and below are the places at the other ends of arrows, in the rows next to it.
	above, below []*place
}

func (p *place) width() float64 {
	if p.node < 0 {
		return bendWidth
	}
	return boxWidth
}

// layout is a graph in rows, with arrows from a row to the next only.
type layout struct {
	nodes []*place
	rows  [][]*place
}

// arrange places a graph in rows (K. Sugiyama and others, Methods for Visual Understanding of
// Hierarchical System Structures, 1981): each node right above the first that uses it, so that the
// picture is narrow; then each row ordered and placed by the rows next to it.
func arrange(inputs [][]int) *layout {
	inputs = reduce(inputs)
	level, depth := levels(inputs)
	l := &layout{nodes: make([]*place, len(inputs)), rows: make([][]*place, depth)}
	for n := range inputs {
		l.nodes[n] = l.add(n, depth-1-level[n])
	}
	for n, from := range inputs {
		for _, in := range from {
			l.connect(l.nodes[in], l.nodes[n])
		}
	}
	for _, row := range l.rows {
		pack(row)
	}
	for range rounds {
		for r := 1; r < depth; r++ {
			order(l.rows[r], func(p *place) []*place { return p.above })
		}
		for r := depth - 2; r >= 0; r-- {
			order(l.rows[r], func(p *place) []*place { return p.below })
		}
	}
	return l
}

func (l *layout) add(node, row int) *place {
	p := &place{node: node, row: row}
	l.rows[row] = append(l.rows[row], p)
	return p
}

// connect draws an arrow down, through the rows between its ends.
func (l *layout) connect(from, to *place) {
	for last := from; last != to; {
		next := to
		if last.row+1 < to.row {
			next = l.add(-1, last.row+1)
		}
		last.below, next.above = append(last.below, next), append(next.above, last)
		last = next
	}
}

// reduce leaves out arrows that follow from others: a to c if there are a to b and b to c. Inputs
// have lower numbers than what uses them.
func reduce(inputs [][]int) [][]int {
	reached := make([][]bool, len(inputs))
	kept := make([][]int, len(inputs))
	for n, from := range inputs {
		reached[n] = make([]bool, n)
		// The inputs with the highest numbers may use the others.
		for _, in := range slices.Backward(slices.Sorted(slices.Values(from))) {
			if reached[n][in] {
				continue
			}
			kept[n] = append(kept[n], in)
			reached[n][in] = true
			for i, also := range reached[in] {
				reached[n][i] = reached[n][i] || also
			}
		}
	}
	return kept
}

// levels returns the distance of each node from the last row, and the number of rows.
func levels(inputs [][]int) (level []int, depth int) {
	level = make([]int, len(inputs))
	for n, from := range slices.Backward(inputs) {
		for _, in := range from {
			level[in] = max(level[in], level[n]+1)
		}
		depth = max(depth, level[n]+1)
	}
	return level, depth
}

// order sorts a row by the places at the other ends of arrows, and moves it towards them.
func order(row []*place, ends func(*place) []*place) {
	wish := map[*place]float64{}
	for _, p := range row {
		wish[p] = p.x
		if others := ends(p); len(others) > 0 {
			sum := 0.0
			for _, o := range others {
				sum += o.x
			}
			wish[p] = sum / float64(len(others))
		}
	}
	slices.SortStableFunc(row, func(a, b *place) int { return cmp.Compare(wish[a], wish[b]) })
	for _, p := range row {
		p.x = wish[p]
	}
	spread(row)
}

// pack places a row from left to right.
func pack(row []*place) {
	for i, p := range row {
		if i > 0 {
			p.x = row[i-1].x + distance(row[i-1], p)
		}
	}
}

func distance(left, right *place) float64 { return (left.width()+right.width())/2 + gap }

// spread moves the places of a row as little as possible until none overlap. Less the width of what
// is left of them, they must only not decrease, which is isotonic regression: neighbors in the
// wrong order share their mean.
func spread(row []*place) {
	type block struct {
		sum   float64
		count int
	}
	mean := func(b block) float64 { return b.sum / float64(b.count) }
	var blocks []block
	offsets := make([]float64, len(row))
	for i, p := range row {
		if i > 0 {
			offsets[i] = offsets[i-1] + distance(row[i-1], p)
		}
		blocks = append(blocks, block{p.x - offsets[i], 1})
		for k := len(blocks) - 1; k > 0 && mean(blocks[k-1]) > mean(blocks[k]); k-- {
			blocks[k-1].sum += blocks[k].sum
			blocks[k-1].count += blocks[k].count
			blocks = blocks[:k]
		}
	}
	i := 0
	for _, b := range blocks {
		for range b.count {
			row[i].x = mean(b) + offsets[i]
			i++
		}
	}
}
