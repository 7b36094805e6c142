package rootfs

import (
	"context"
	_ "embed"
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

//go:embed layer.sh
var layerScript []byte

// The exit codes of layer.sh, which say what it found first.
const (
	exitEmpty = 64 + iota
	exitKernel
	exitDatabase
	exitReplaces
	exitClimbs
	exitDevice
	exitVolatile
)

// specLayers returns the layers of the spec, in its order. Each is copied from its source beside all
// other steps. On top of each are the directories of the userland that it has too, as the userland
// has them: the output of its check, so no layer is merged that does not pass.
func specLayers(ctx context.Context, g *graph.Graph, p *plan.Plan, userland llb.State) ([]llb.State, error) {
	var layers []llb.State
	for i, l := range p.Layers {
		k := key.Layers.Item(i)
		s := g.Stage("layer/"+l.Name, p.At(k))
		layer, err := takeLayer(ctx, g, s, p, k, l)
		if err != nil {
			return nil, err
		}
		dirs, err := checkLayer(ctx, g, s, p, k, l, layer, userland)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer, dirs)
	}
	return layers, nil
}

// takeLayer copies the tree of a layer from its source.
func takeLayer(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, k key.Key, l plan.Layer) (llb.State, error) {
	from, err := layerSource(ctx, g, s, p, k, l)
	if err != nil {
		return llb.State{}, err
	}
	info := &llb.CopyInfo{
		// The contents of / are laid over it; any other tree gets the path as a whole.
		CopyDirContentsOnly: l.To == "/",
		FollowSymlinks:      true,
		CreatedTime:         &g.Epoch,
	}
	if l.Owner != "" {
		uid, gid, err := owner(l.Owner)
		if err != nil {
			return llb.State{}, errors.Wrap(err, k.String())
		}
		info.ChownOpt = &llb.ChownOpt{User: &llb.UserOpt{UID: uid}, Group: &llb.UserOpt{UID: gid}}
	}
	var action *llb.FileAction
	if dir := path.Dir(l.To); dir != "/" {
		action = action.Mkdir(dir, 0o755, llb.WithParents(true), llb.WithCreatedTime(g.Epoch))
	}
	action = action.Copy(from, l.Path, l.To, info)
	return s.Take(llb.Scratch(), "copy "+l.Path+" of "+sourceTitle(l)+" to "+l.To, action, nothingThere(p, k, l)), nil
}

// layerSource returns the image or the named context that a layer is in.
func layerSource(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, k key.Key, l plan.Layer) (llb.State, error) {
	if l.Image != "" {
		return s.Image(ctx, l.Image)
	}
	return g.Context(ctx, p, k.Context(), l.Context)
}

func sourceTitle(l plan.Layer) string {
	if l.Image != "" {
		return "the image " + l.Image
	}
	return "the named context " + l.Context
}

func nothingThere(p *plan.Plan, k key.Key, l plan.Layer) error {
	return p.Diagnose(rules.LayerRefused, k.Entry("path"), "name a directory or file inside it", "there is nothing at %s in %s", l.Path, sourceTitle(l))
}

// checkLayer checks what is in a layer. The state has the directories of the userland that are in it,
// empty.
func checkLayer(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, k key.Key, l plan.Layer, layer, userland llb.State) (llb.State, error) {
	s = s.On(g.Build)
	tools, err := s.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	return s.Run(tools, graph.Command{
		Title:   "check the layer",
		Script:  graph.Script{Name: "layer.sh", Text: layerScript, Beside: []graph.Script{look.Script()}},
		Args:    append([]string{"/layer", "/userland", "/out", l.To}, databases()...),
		Env:     g.EpochEnv(),
		Explain: func(code uint32) error { return refused(p, k, l, code) },
		Mounts:  []llb.RunOption{llb.AddMount("/layer", layer, llb.Readonly), llb.AddMount("/userland", userland, llb.Readonly)},
	}).AddMount("/out", llb.Scratch()), nil
}

// databases are the directories of all package managers: a tree may be of any distribution.
func databases() []string {
	var dirs []string
	for _, m := range catalog.Managers() {
		dirs = append(dirs, m.Databases...)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// refused explains an exit code of layer.sh.
func refused(p *plan.Plan, k key.Key, l plan.Layer, code uint32) error {
	report := func(message, hint string) error {
		return p.Diagnose(rules.LayerRefused, k, hint, "the layer %s %s; the log of the step has the path", l.Name, message)
	}
	const some = "choose only what you need, with path"
	switch code {
	case exitEmpty:
		return nothingThere(p, k, l)
	case exitKernel:
		return report("brings a kernel, an initramfs or kernel modules", "choose a kernel with kernel.image or kernel.context, or leave them out")
	case exitDatabase:
		return report("brings the database of a package manager", some)
	case exitReplaces:
		return report("replaces a link or a directory of the distribution", "put the files where the link points, such as /usr/lib instead of /lib")
	case exitClimbs:
		return report("has a link that leads out of the system", "mend the link")
	case exitDevice:
		return report("has a device, a socket or a pipe", some)
	case exitVolatile:
		return report("has files in a directory that is mounted over or emptied at boot", some)
	default:
		return nil
	}
}
