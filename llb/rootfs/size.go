package rootfs

import (
	"context"
	_ "embed"
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

//go:embed size.sh
var sizeScript []byte

// The exit codes of size.sh for what is too large.
const (
	exitRootTooLarge      = 64
	exitInitramfsTooLarge = 65
)

// checkSize checks the limits of the spec; ok is false if it has none. The state is empty, and
// building it fails with the largest parts of what is too large.
func checkSize(ctx context.Context, g *graph.Graph, p *plan.Plan, r *RootFS) (state llb.State, ok bool, err error) {
	var limits []string
	add := func(k key.Key, mib, code int) {
		if mib > 0 {
			limits = append(limits, k.String(), strconv.Itoa(mib), strconv.Itoa(code))
		}
	}
	add(key.SizeRoot, p.Size.Root, exitRootTooLarge)
	add(key.SizeInitramfs, p.Size.Initramfs, exitInitramfsTooLarge)
	if len(limits) == 0 {
		return llb.State{}, false, nil
	}
	s := g.Stage("size", p.At(key.Size)).On(g.Build)
	tools, err := s.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, false, err
	}
	return s.Run(tools, graph.Command{
		Title:   "check the limits of size",
		Script:  graph.Script{Name: "size.sh", Text: sizeScript},
		Args:    append([]string{"/rootfs", "/initramfs"}, limits...),
		Explain: func(code uint32) error { return explainSize(p, code) },
		Mounts: []llb.RunOption{
			llb.AddMount("/rootfs", r.unchecked, llb.Readonly),
			llb.AddMount("/initramfs/initrd", r.Kernel.Initramfs.Layer, llb.SourcePath("/boot/initrd"), llb.Readonly),
			llb.AddMount("/initramfs/initrd.sizes", r.Kernel.Initramfs.Manifest, llb.SourcePath("/initrd.sizes"), llb.Readonly),
		},
	}).AddMount("/out", llb.Scratch()), true, nil
}

// explainSize points at the limit that is exceeded.
func explainSize(p *plan.Plan, code uint32) error {
	const hint = `the lines after "check failed" of the step are its largest parts; see docs/size.md`
	switch code {
	case exitRootTooLarge:
		return p.Diagnose(rules.CheckFailed, key.SizeRoot, hint, "the root filesystem is larger than %d MiB", p.Size.Root)
	case exitInitramfsTooLarge:
		return p.Diagnose(rules.CheckFailed, key.SizeInitramfs, hint, "the initramfs is larger than %d MiB", p.Size.Initramfs)
	default:
		return nil
	}
}
