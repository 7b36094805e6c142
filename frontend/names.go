package frontend

import (
	"maps"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/flavorkit/flavorkit/llb/graph"
)

// customName is the key of a vertex's name (llb.WithCustomName).
const customName = "llb.customname"

// nameApart adds the name of an entry to the names of the vertices that only this entry has. Names
// are not part of cache keys, but those of layers are part of images: they stay, in a group with the name of
// the entry.
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
			if name, ok := m.Description[customName]; ok && !graph.IsLayer(m) {
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

// nameFor returns the name of a step of one entry: "[entry stage] title". Internal steps belong to
// no entry.
func nameFor(entry, name string) string {
	stage, ok := strings.CutPrefix(name, "[")
	if !ok || strings.HasPrefix(stage, "internal]") {
		return name
	}
	return "[" + entry + " " + stage
}
