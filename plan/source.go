package plan

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Published is a published image of Kairos that is the system. What is in it is not known to a plan: a
// step of the build looks. Plan.Userland has the reference as its base image and nothing else, and
// Plan.Kernel and Plan.System are empty.
type Published struct {
	// Image is the reference, as in the spec.
	Image string `json:"image" yaml:"image"`
	// Loaders are where distributions have shim and GRUB. Those of the first that an image has are
	// taken.
	Loaders []Loader `json:"loaders" yaml:"loaders"`
	// Boards are models that start from firmware, which no image of a system has.
	Boards []string `json:"boards,omitempty" yaml:"boards,omitempty"`
	// Tools look at the image. They have shim and GRUB for an image without, too.
	Tools Tools `json:"tools" yaml:"tools"`
	// Lent is where the tools have shim and GRUB.
	Lent Loader `json:"lent" yaml:"lent"`
}

// sourceToolbox has the tools that look at an image. Its distribution lends shim and GRUB.
const sourceToolbox = "source"

// resolveSource makes the plan of a system that is a published image.
func (r *resolver) resolveSource() *Plan {
	r.checkArchives()
	name, version := nameOf(r.spec.Source.Image)
	name, version = cmp.Or(r.spec.Name, name), cmp.Or(r.spec.Version, version)
	p := &Plan{
		Image:       name + ":" + strings.ReplaceAll(version, "+", "-"),
		File:        name + "-" + version,
		Version:     r.spec.Version,
		Arch:        r.arch.Name,
		Args:        r.args(),
		Source:      r.source(),
		Userland:    Userland{Install: Install{Base: r.spec.Source.Image}},
		CommandLine: r.commandLine(r.everyDistro(), catalog.Init{}, &catalog.Model{}),
		CloudConfig: r.content(key.CloudConfig, r.spec.CloudConfig),
		Registries:  mirrors(r.spec.Mirrors.Registries),
		Downloads:   mirrors(r.spec.Mirrors.Downloads),
		CA:          r.authority(&catalog.Distro{}),
		ScriptImage: r.tools("artifact").Base,
		ISO:         r.iso(),
		Disk:        r.disk(&catalog.Model{}, nil),
		Files:       r.files(key.Files, r.spec.Files, Userland{}),
		Layers:      r.layers(Userland{}),
		Origin:      r.origin,
	}
	// The menu of the image says how an installed system starts.
	p.CommandLine.Installed = nil
	if !strings.Contains(p.File, p.Arch) {
		p.File += "-" + p.Arch
	}
	if r.doc.Has(key.Test.String()) {
		p.Test = r.test(p)
	}
	return p
}

// nameOf returns the name and the version of a system by the reference of its image.
func nameOf(image string) (name, version string) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return defaultName, "" // a mistake that is reported already
	}
	version = "latest"
	switch ref := named.(type) {
	case reference.Tagged:
		version = ref.Tag()
	case reference.Digested:
		const short = 12
		version = ref.Digest().Encoded()[:short]
	}
	return path.Base(reference.Path(named)), version
}

func (r *resolver) source() *Published {
	box := r.cat.Tools[sourceToolbox]
	lender := r.cat.Distros[box.Distro]
	lent := lender.Loaders[r.arch.Name]
	if lent.Grub == "" || !slices.Contains(lender.Architectures, r.arch.Name) {
		r.report(rules.UnsupportedArchitecture, key.Source, "", "%s lends no GRUB for %s", lender.Title, r.arch.Name)
	}
	s := &Published{
		Image: r.spec.Source.Image,
		Tools: r.toolsFrom(box.Distro, sourceToolbox, lent.Packages...),
		Lent:  r.loader(lender),
	}
	// They have programs for the architecture of the system.
	s.Tools.Native = false
	for _, name := range catalog.Names(r.cat.Distros) {
		d := r.cat.Distros[name]
		if known := d.Loaders[r.arch.Name]; known.Grub == "" {
			continue // lent by another one
		}
		l := r.loader(d)
		// Where a package has them does not matter: a system has them where the agent looks.
		l.Copies, l.From = nil, nil
		if !slices.ContainsFunc(s.Loaders, func(other Loader) bool {
			return other.Shim == l.Shim && other.Grub == l.Grub
		}) {
			s.Loaders = append(s.Loaders, l)
		}
	}
	for _, name := range catalog.Names(r.cat.Models) {
		if r.cat.Models[name].Firmware != nil {
			s.Boards = append(s.Boards, name)
		}
	}
	return s
}

// based returns the distribution and the model of the plan. Those of an image are not known, and have
// nothing.
func (p *Plan) based(cat *catalog.Catalog) (*catalog.Distro, *catalog.Model) {
	if p.Source != nil {
		return &catalog.Distro{}, &catalog.Model{}
	}
	return cat.Distros[p.Userland.Distro], cat.Models[p.Model]
}

// everyDistro has the kernel arguments of all distributions, for a system of one that is not known.
func (r *resolver) everyDistro() *catalog.Distro {
	var all []string
	for _, d := range r.cat.Distros {
		all = append(all, d.Cmdline...)
	}
	return &catalog.Distro{Cmdline: sorted(all)}
}
