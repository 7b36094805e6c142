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

// everything is a spec of which every target can be made.
const everything = "# syntax=x\nextends: debian-13\nversion: v1.0.0\ntest: {assertions: [{run: 'true'}]}\nextension: {name: a, packages: [tree]}\n"

// TestGate looks for a way from the result of a target to the root filesystem that does not lead
// through its checks.
func TestGate(t *testing.T) {
	const root, check = "[rootfs] merge the layers", "[rootfs] check the root filesystem"
	p := spectest.MustPlan(t, everything, nil, "amd64")
	for _, target := range frontend.Targets() {
		if target.Name == "packages" {
			continue // is about what would be built
		}
		t.Run(target.Name, func(t *testing.T) {
			g := graphtest.Generate(t, p, target.Name)
			all := reached(g, false)
			assert.Contains(t, all, root)
			assert.Contains(t, all, check)
			assert.NotContains(t, reached(g, true), root)
		})
	}
}

// TestSizeGate has every target checked against the limits of size, if the spec has any.
func TestSizeGate(t *testing.T) {
	const check = "[size] check the limits of size"
	unlimited := spectest.MustPlan(t, everything, nil, "amd64")
	limited := spectest.MustPlan(t, everything+"size: {root: 400MiB}\n", nil, "amd64")
	for _, target := range frontend.Targets() {
		if target.Name == "packages" {
			continue
		}
		t.Run(target.Name, func(t *testing.T) {
			assert.Contains(t, reached(graphtest.Generate(t, limited, target.Name), false), check)
			assert.NotContains(t, reached(graphtest.Generate(t, unlimited, target.Name), false), check)
		})
	}
}

// reached are the names of the vertices that the result is made of. It may stop at gates.
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
