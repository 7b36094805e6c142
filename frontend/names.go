package frontend

import (
	"maps"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// customName is the key of a vertex's name (llb.WithCustomName).
const customName = "llb.customname"

// nameApart tells the steps of several cells from each other: the name of a cell
// goes into the names of those vertices that no other cell has. Names are no part
// of what a vertex is cached by.
func nameApart(cells []string, graphs []*llb.Definition) {
	if len(graphs) < 2 {
		return
	}
	shared := map[digest.Digest]int{}
	for _, g := range graphs {
		for vertex := range g.Metadata {
			shared[vertex]++
		}
	}
	for i, g := range graphs {
		for vertex, m := range g.Metadata {
			if shared[vertex] > 1 {
				continue
			}
			if name, ok := m.Description[customName]; ok {
				m.Description = maps.Clone(m.Description)
				m.Description[customName] = nameFor(cells[i], name)
			}
			if group := m.ProgressGroup; group != nil {
				m.ProgressGroup = &pb.ProgressGroup{Id: nameFor(cells[i], group.Id), Name: nameFor(cells[i], group.Name), Weak: group.Weak}
			}
			g.Metadata[vertex] = m
		}
	}
}

// nameFor is the name of a step for one of several cells or platforms:
// "[cell stage] title". What is flavorkit's own has no owner.
func nameFor(owner, name string) string {
	stage, ok := strings.CutPrefix(name, "[")
	if !ok || strings.HasPrefix(stage, "internal]") {
		return name
	}
	return "[" + owner + " " + stage
}
