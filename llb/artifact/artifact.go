// Package artifact has what the packages below it share. Each of them makes one family of artifacts
// from a root filesystem, in user space, without privileges, loop devices or mounts.
package artifact

import (
	"context"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// ToolsContext is the named context that replaces the step that installs the tools.
const ToolsContext = "flavorkit-tools"

// Tools returns an image with the programs that make artifacts. They run on the build platform,
// unless the plan needs tools that only the target's architecture has. The stage has the platform
// that they run on.
func Tools(ctx context.Context, g *graph.Graph, p *plan.Plan, set plan.Tools) (graph.Stage, llb.State, error) {
	s := g.Stage("tools", p.At(key.Artifacts))
	if set.Native {
		s = s.On(g.Build)
	}
	own, ok, err := g.Sources.Context(ctx, ToolsContext, s.Platform())
	if err != nil || ok {
		return s, own, err
	}
	state, err := distro.Install(ctx, g, s, p, set.Install, "tools")
	return s, state, err
}
