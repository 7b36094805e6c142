package artifact

import (
	"context"
	"path"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// ConfigContext is the named context whose file ConfigFile is the cloud-config of media and disks,
// instead of that of the spec.
const (
	ConfigContext = "cloud-config"
	ConfigFile    = "config.yaml"
)

// ConfigMount mounts the cloud-config of a medium or a disk, if there is one.
func ConfigMount(ctx context.Context, g *graph.Graph, s graph.Stage, k key.Key, c plan.Content) ([]llb.RunOption, error) {
	config, ok, err := g.Sources.Context(ctx, ConfigContext, g.Build)
	file := "/" + ConfigFile
	if err == nil && !ok && !c.IsZero() {
		ok = true
		config, file, err = Content(ctx, g, s, k, c)
	}
	if err != nil || !ok {
		return nil, err
	}
	return []llb.RunOption{llb.AddMount("/in/config.yaml", config, llb.SourcePath(file), llb.Readonly)}, nil
}

// Content returns text of the spec as a file of a state.
func Content(ctx context.Context, g *graph.Graph, s graph.Stage, k key.Key, c plan.Content) (llb.State, string, error) {
	if c.From == "" {
		const file = "/content"
		return s.File(llb.Scratch(), "copy "+k.String()+" from the spec", g.Tree([]tree.Entry{tree.File(file, []byte(c.Text))})), file, nil
	}
	state, err := g.Sources.Files(ctx, c.Context)
	return state, path.Join("/", c.From), err
}
