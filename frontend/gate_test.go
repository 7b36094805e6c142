package frontend_test

import (
	"slices"
	"testing"

	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestGate looks for a way from the result of a target to the root filesystem
// that does not lead through its checks.
func TestGate(t *testing.T) {
	const root, check = "[rootfs] put the layers together", "[rootfs] check the root filesystem"
	p := spectest.MustPlan(t, debian+"test: {assertions: [{run: 'true'}]}\n", nil, "amd64")
	for _, target := range frontend.Targets() {
		t.Run(target.Name, func(t *testing.T) {
			g := graphtest.Generate(t, p, target.Name)
			all := reached(g, false)
			assert.Contains(t, all, root)
			assert.Contains(t, all, check)
			assert.NotContains(t, reached(g, true), root)
		})
	}
}

// reached are the names of the vertices that the result is made of. It may stop
// at gates.
func reached(g graphtest.Graph, stop bool) []string {
	var names []string
	seen := map[digest.Digest]bool{}
	var visit func(digest.Digest)
	visit = func(d digest.Digest) {
		op := g.Ops[d]
		if op == nil || seen[d] {
			return
		}
		seen[d] = true
		names = append(names, g.Metadata[d].Description["llb.customname"])
		if stop && op.GetPassthrough() != nil {
			return
		}
		for _, in := range op.Inputs {
			visit(digest.Digest(in.Digest))
		}
	}
	for _, op := range g.Ops {
		if op.Op == nil { // points at the result
			visit(digest.Digest(op.Inputs[0].Digest))
		}
	}
	slices.Sort(names)
	return names
}
