package main

import (
	"context"
	"strings"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/matrix"
)

// entryNames keeps the results of entries apart. It depends on the whole matrix, so an entry has
// the same name when it is built alone.
type entryNames struct {
	// images are the names of the images of the selected entries. Images that would have the same
	// name and tag, as with two kernels of one distribution, are named after their entries.
	images []string
	// dirs is true when each entry gets a directory, because files of entries have the same name.
	dirs bool
}

// names names the results of the selected entries. Other entries that cannot be planned here do not
// count.
func (f *matrixFlags) names(ctx context.Context, chosen, all []matrix.Entry, plans []*plan.Plan, with local.Options) entryNames {
	byEntry := map[string]*plan.Plan{}
	for i, c := range chosen {
		byEntry[c.Name] = plans[i]
	}
	images, files := map[string]int{}, map[string]int{}
	var n entryNames
	for _, c := range all {
		p := byEntry[c.Name]
		if p == nil {
			other, err := f.plans(ctx, []matrix.Entry{c}, with)
			if err != nil {
				continue
			}
			p = other[0]
		}
		images[p.Image]++
		files[p.File]++
		n.dirs = n.dirs || files[p.File] > 1
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
