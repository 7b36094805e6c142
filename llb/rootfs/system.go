package rootfs

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/initsys"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// mountPoints must be there before the root is mounted read-only (contract
// 1.4). What every distribution has is left out.
var mountPoints = []string{
	"/oem",
	"/system/discovery",
	"/system/oem",
	"/system/providers",
	"/usr/libexec",
	"/usr/local/cloud-config",
	"/var/lib/kairos",
}

// systemLayer is what makes a root filesystem a Kairos one: the overlay files,
// the directories that are mounted over, and the services. It depends on the
// distribution, its init system, the model, and the kernel arguments of the spec.
func systemLayer(g *graph.Graph, p *plan.Plan) (llb.State, error) {
	entries, err := g.Overlays.Files(p.System.Overlays...)
	if err != nil {
		return llb.State{}, err
	}
	links, err := initsys.Links(p.System)
	if err != nil {
		return llb.State{}, err
	}
	entries = slices.Concat(entries, links)
	for _, dir := range slices.Concat(mountPoints, p.System.Directories) {
		entries = append(entries, tree.Dir(dir))
	}
	for _, link := range p.System.Links {
		entries = append(entries, tree.Link(link.Path, link.Target))
	}
	if text := ModelArgs(p.System.Model); len(text) > 0 {
		entries = append(entries, tree.File("/etc/cos/model.cfg", text))
	}
	if len(p.System.Cmdline) > 0 {
		entries = append(entries, tree.File("/etc/cos/cmdline.cfg", Cmdline(p)))
	}
	for i := range entries {
		entries[i].Path = p.Userland.Real(entries[i].Path)
	}
	s := g.Stage("system", p.At(key.Init))
	return s.File(llb.Scratch(), "lay out the files of Kairos", g.Tree(entries)), nil
}

// Cmdline is a GRUB script that sets the kernel arguments of the user. The
// spec language allows no sign in them that GRUB would read as its own.
func Cmdline(p *plan.Plan) []byte {
	return []byte(`set spec_cmdline="` + strings.Join(p.System.Cmdline, " ") + "\"\n")
}

// ModelArgs is a GRUB script that sets the kernel arguments of the model; empty
// when it has none of its own.
func ModelArgs(m plan.Model) []byte {
	var text strings.Builder
	if len(m.Console) > 0 {
		text.WriteString(`set console_args="console=` + strings.Join(m.Console, " console=") + "\"\n")
	}
	if len(m.Cmdline) > 0 {
		text.WriteString(`set model_args="` + strings.Join(m.Cmdline, " ") + "\"\n")
	}
	return []byte(text.String())
}

// releaseLayer is /etc/kairos-release, the last and smallest layer, so that a
// new version changes nothing else. Shells, GRUB and the agent read it
// (contract 1.8).
func releaseLayer(g *graph.Graph, p *plan.Plan) llb.State {
	var text strings.Builder
	for _, v := range p.Release {
		text.WriteString(v.Name + `="` + v.Value + "\"\n")
	}
	s := g.Stage("release", p.At(key.Version))
	return s.File(llb.Scratch(), "release "+p.Version, g.Tree([]tree.Entry{
		tree.File("/etc/kairos-release", []byte(text.String())),
	}))
}
