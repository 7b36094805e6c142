package main

import (
	"context"
	"strings"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
)

// cellNames is what keeps the results of cells apart. All cells of the matrix
// count, whichever are chosen: a cell that is built alone is called what it is
// called among the others.
type cellNames struct {
	// images are the names of the images of the chosen cells. Those that would
	// have the same name and tag, as on two kernels of one distribution, are
	// called by their cells.
	images []string
	// folders says that each cell gets one, because files have the same name.
	folders bool
}

// names names the results of the chosen cells. Others that cannot be planned here,
// such as for a mistake, do not count.
func (f *matrixFlags) names(ctx context.Context, chosen, all []matrix.Cell, plans []*plan.Plan, cat *catalog.Catalog, contexts map[string]string) cellNames {
	byCell := map[string]*plan.Plan{}
	for i, c := range chosen {
		byCell[c.Name] = plans[i]
	}
	images, files := map[string]int{}, map[string]int{}
	var n cellNames
	for _, c := range all {
		p := byCell[c.Name]
		if p == nil {
			other, err := f.plans(ctx, []matrix.Cell{c}, cat, contexts)
			if err != nil {
				continue
			}
			p = other[0]
		}
		images[p.Image]++
		files[p.File]++
		n.folders = n.folders || files[p.File] > 1
	}
	for i, p := range plans {
		name := p.Image
		if _, tag, ok := strings.Cut(name, ":"); ok && images[name] > 1 {
			name = strings.ToLower(chosen[i].Name) + ":" + tag
		}
		n.images = append(n.images, name)
	}
	return n
}
