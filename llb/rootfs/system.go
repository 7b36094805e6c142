package rootfs

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/cmdline"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/initsys"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// mountPoints must exist, because the root is mounted read-only (contract 1.4). Those that every
// distribution has are not listed.
func mountPoints() []string {
	return []string{
		"/oem",
		"/system/discovery",
		"/system/oem",
		"/system/providers",
		"/usr/libexec",
		"/usr/local/cloud-config",
		"/var/lib/kairos",
	}
}

// systemLayer returns the files of Kairos: the overlay files, the mount points, and the services.
// It depends on the distribution, its init system, the model, and the kernel arguments of the spec.
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
	for _, dir := range slices.Concat(mountPoints(), p.System.Directories) {
		entries = append(entries, tree.Dir(dir))
	}
	for _, link := range p.System.Links {
		entries = append(entries, tree.Link(link.Path, link.Target))
	}
	args, err := cmdline.GRUB(p, "system_args", p.CommandLine.Installed)
	if err != nil {
		return llb.State{}, err
	}
	entries = append(entries, tree.File("/etc/cos/cmdline.cfg", args))
	for i := range entries {
		entries[i].Path = p.Userland.Real(entries[i].Path)
	}
	s := g.Stage("system", p.At(key.Init))
	return s.File(llb.Scratch(), "add the files of Kairos", g.Tree(entries)), nil
}

// releaseLayer returns /etc/kairos-release, the last and smallest layer, so a new version changes
// nothing else. Shells, GRUB and the agent read it (contract 1.8).
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
