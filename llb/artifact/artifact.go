// Package artifact is what the packages below it share. Each of them makes one
// family of artifacts from a root filesystem: in user space, without privilege,
// loop device or mount.
package artifact

import (
	"context"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// ToolsContext is the named context that replaces the vertex in which the
// tools are installed.
const ToolsContext = "flavorkit-tools"

// Tools is an image with the programs that artifacts are made with. On a
// foreign builder they run natively, unless the plan needs some that only the
// target's architecture has. The stage tells on which platform they run.
func Tools(ctx context.Context, g *graph.Graph, p *plan.Plan, set plan.Tools) (graph.Stage, llb.State, error) {
	s := g.Stage("tools", p.At(key.Artifacts))
	if set.Native {
		s = s.On(g.Build)
	}
	own, ok, err := g.Sources.Context(ctx, ToolsContext, s.Platform())
	if err != nil || ok {
		return s, own, err
	}
	state, err := distro.Install(ctx, s, set.Install, "tools")
	return s, state, err
}
