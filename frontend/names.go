package frontend

import (
	"maps"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// customName is the key of a vertex's name (llb.WithCustomName).
const customName = "llb.customname"

// nameApart tells the steps of several entries from each other: the name of an entry
// goes into the names of those vertices that no other entry has. Names are no part
// of what a vertex is cached by.
func (cs Entries) nameApart(systems []*system) {
	if len(cs) < 2 {
		return
	}
	shared := map[digest.Digest]int{}
	for _, s := range systems {
		for vertex := range s.definition.Metadata {
			shared[vertex]++
		}
	}
	for i, s := range systems {
		for vertex, m := range s.definition.Metadata {
			if shared[vertex] > 1 {
				continue
			}
			if name, ok := m.Description[customName]; ok {
				m.Description = maps.Clone(m.Description)
				m.Description[customName] = nameFor(cs[i].Name, name)
			}
			if group := m.ProgressGroup; group != nil {
				m.ProgressGroup = &pb.ProgressGroup{Id: nameFor(cs[i].Name, group.Id), Name: nameFor(cs[i].Name, group.Name), Weak: group.Weak}
			}
			s.definition.Metadata[vertex] = m
		}
	}
}

// nameFor is the name of a step of one entry: "[entry stage] title". What is
// flavorkit's own belongs to none.
func nameFor(entry, name string) string {
	stage, ok := strings.CutPrefix(name, "[")
	if !ok || strings.HasPrefix(stage, "internal]") {
		return name
	}
	return "[" + entry + " " + stage
}
