package plan

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

const (
	defaultName    = "kairos"
	defaultVariant = "core"
	defaultModel   = "generic"

	defaultCompression = "zstd"
	// defaultLabel is the label in the contract (3.1).
	defaultLabel = "COS_LIVE"
	// defaultZstdLevel is fast; higher levels cost minutes for a few percent.
	defaultZstdLevel = 3

	homeURL = "https://github.com/flavorkit/flavorkit"
	bugsURL = "https://github.com/flavorkit/flavorkit/issues"
)

// Resolve makes the plan of a spec for an architecture. It returns all mistakes together, as
// specs.Diagnostics, including those from loading the spec. Conditions of the spec are evaluated.
func Resolve(doc *specs.Document, cat *catalog.Catalog, arch string) (*Plan, error) {
	doc, err := Evaluate(doc, cat, arch)
	if err != nil {
		return nil, err
	}
	r := &resolver{doc: doc, spec: doc.Spec, cat: cat, origin: newOrigin(doc)}
	var p *Plan
	if r.arch = cat.Archs[arch]; r.arch != nil {
		p = r.resolve()
	} else { // everything else depends on it
		r.report(rules.UnsupportedArchitecture, key.Key{}, cat.ArchHint(arch), "unknown architecture %q", arch)
	}
	if err := doc.With(r.found); err != nil {
		return nil, err
	}
	return p, nil
}

type resolver struct {
	doc    *specs.Document
	spec   specs.Spec
	cat    *catalog.Catalog
	arch   *catalog.Arch
	origin Origin
	found  specs.Diagnostics
	// removed are the keys of the spec that leave packages out, by the commands that these have.
	removed map[string]key.Key
}

func (r *resolver) report(rule rules.Rule, k key.Key, hint, format string, args ...any) {
	r.found = append(r.found, r.origin.Diagnose(rule, k, hint, format, args...))
}

func (r *resolver) resolve() *Plan {
	if r.doc.Has(key.Source.String()) {
		return r.resolveSource()
	}
	distro, ok := r.distro(key.DistroName, r.spec.Distro.Name)
	if !ok && distro != nil {
		return nil // everything else depends on the architecture
	}
	donor := distro
	if from := r.spec.Kernel.From; from != "" {
		if d, ok := r.distro(key.KernelFrom, from); ok {
			donor = d
		}
	}
	model := r.model()
	variant := cmp.Or(r.spec.Variant, defaultVariant)
	r.checkArchives()
	if distro == nil {
		r.components(variant, "") // to find more mistakes
		return nil
	}
	r.checkModel(model, distro, donor)
	init, ok := distro.Init(cmp.Or(r.spec.Init, distro.Inits[0].Name))
	if !ok {
		r.report(rules.UnsupportedChoice, key.Init, specs.Suggest(r.spec.Init, distro.InitNames()), "%s has no %s", distro.Title, r.spec.Init)
		init = distro.Inits[0]
	}
	selected := r.selected(distro, donor, model, init.Name, variant)
	userland := r.userland(distro, selected)
	components, besides := r.besides(r.components(variant, init.Name))
	p := &Plan{
		Version:     r.spec.Version,
		Variant:     variant,
		Arch:        r.arch.Name,
		Model:       model.Name,
		Args:        r.args(),
		Userland:    userland,
		Kernel:      r.kernel(donor, model, userland.Packages),
		Size:        r.size(),
		CommandLine: r.commandLine(distro, init, model),
		Components:  components,
		System:      r.system(distro, model, init),
		CloudConfig: r.content(key.CloudConfig, r.spec.CloudConfig),
		Registries:  mirrors(r.spec.Mirrors.Registries),
		Downloads:   mirrors(r.spec.Mirrors.Downloads),
		CA:          r.authority(distro),
		ScriptImage: r.tools("artifact").Base,
		ISO:         r.iso(),
		Disk:        r.disk(model, donor),
		Extensions:  r.extensions(distro, init, userland),
		Files:       r.files(key.Files, r.spec.Files, userland),
		Layers:      r.layers(userland),
		Origin:      r.origin,
	}
	if e, ok := r.kubernetesExtension(distro, init, besides, p.Extensions); ok {
		p.Extensions = append(p.Extensions, e)
		p.System.Overlays = append(p.System.Overlays, mediumOverlay)
	}
	p.Preloaded = r.preloaded(p)
	r.name(p, distro, donor)
	p.Checks = checks(p, selected)
	p.Needs = r.needs(p, donor)
	r.checkModuleNeeds(p)
	if r.doc.Has(key.Test.String()) {
		p.Test = r.test(p)
	}
	return p
}

// layers are those of the spec, at their paths in the userland.
func (r *resolver) layers(u Userland) []Layer {
	var all []Layer
	for _, l := range r.spec.Layers {
		all = append(all, Layer{
			Name: l.Name, Image: l.Image, Context: l.Context,
			Path:  path.Join("/", l.Path),
			To:    u.Real(cmp.Or(l.To, "/")),
			Owner: l.Owner,
		})
	}
	return all
}

// args returns the build arguments of the spec.
func (r *resolver) args() []Arg {
	var all []Arg
	for _, name := range catalog.Names(r.spec.Args) {
		declared := r.spec.Args[name]
		arg := Arg{Name: name, Value: r.doc.Arg(name), Description: declared.Description}
		if text := string(declared.Default); r.doc.Has(key.Args.Entry(name).Default().String()) {
			arg.Default = &text
		}
		all = append(all, arg)
	}
	return all
}

// size returns the limits of the spec.
func (r *resolver) size() Size {
	root, _ := specs.ParseSize(r.spec.Size.Root)
	initramfs, _ := specs.ParseSize(r.spec.Size.Initramfs)
	return Size{Root: root, Initramfs: initramfs}
}

// sure reports whether the values of these keys have no mistakes. Mistakes that only follow from
// wrong values are not reported.
func (r *resolver) sure(keys ...key.Key) bool {
	return !slices.ContainsFunc(keys, func(k key.Key) bool { return r.doc.Unsure(k.String()) })
}

// content returns text of the spec, or a file in the context of the spec that names it.
func (r *resolver) content(k key.Key, c specs.Content) Content {
	own := Content{From: c.From, Text: string(c.Content)}
	if own.From != "" {
		own.Context = r.origin.At(k.From()).Source.Context
	}
	return own
}

// distro looks a distribution up and checks that it has the architecture.
func (r *resolver) distro(k key.Key, name string) (*catalog.Distro, bool) {
	d, ok := r.cat.Distros[name]
	switch {
	case name == "" && !r.sure(key.DistroName):
	case name == "":
		r.report(rules.MissingValue, k, `extend a flavor, such as "extends: debian-12", or name one: `+strings.Join(catalog.Names(r.cat.Distros), ", "), "no distribution is chosen")
	case !ok:
		r.report(rules.UnknownName, k, specs.Suggest(name, catalog.Names(r.cat.Distros)), "unknown distribution %q", name)
	case !slices.Contains(d.Architectures, r.arch.Name):
		r.report(rules.UnsupportedArchitecture, k, "it has "+strings.Join(d.Architectures, ", "), "%s has no %s", d.Title, r.arch.Name)
		ok = false
	}
	return d, ok
}

// groups returns the groups that apply, without those that the spec switches off.
func (r *resolver) groups(all []catalog.Group, model, init, variant string) []catalog.Group {
	return slices.DeleteFunc(slices.Clone(all), func(g catalog.Group) bool { return !r.applies(g, model, init, variant) })
}

// applies reports whether a group is part of the system.
func (r *resolver) applies(g catalog.Group, model, init, variant string) bool {
	on, set := r.spec.Packages.Groups[g.Name]
	return (len(g.Arch) == 0 || slices.Contains(g.Arch, r.arch.Name)) &&
		(len(g.Model) == 0 || slices.Contains(g.Model, model)) &&
		(g.Init == "" || g.Init == init) &&
		(g.Variant == "" || g.Variant == variant) &&
		(!g.Optional || !set || on)
}

// selected returns the userland's packages of the catalog that the spec keeps.
func (r *resolver) selected(d, donor *catalog.Distro, model *catalog.Model, init, variant string) map[string]catalog.Package {
	r.checkGroups(d, donor)
	selected := map[string]catalog.Package{}
	for _, g := range r.groups(d.Groups, model.Name, init, variant) {
		maps.Copy(selected, g.Packages)
	}
	maps.Copy(selected, model.Distros[d.Name].Packages)
	names := catalog.Names(selected)
	sure := r.doc.Whole() && r.sure(key.Variant, key.Init, key.Model)
	r.removed = r.leftOut(d.Groups)
	for i, name := range r.spec.Packages.Remove {
		for _, command := range selected[name].Commands {
			r.removed[command] = key.PackagesRemove.Item(i)
		}
		if !slices.Contains(names, name) && !r.doc.Undone(name) && sure {
			r.report(rules.PackageNotListed, key.PackagesRemove.Item(i), specs.Suggest(name, names), "%q is not on the list of %s", name, d.Name)
		}
		delete(selected, name)
	}
	return selected
}

// leftOut are the keys of the spec that switch groups of packages off, by the commands of the
// packages.
func (r *resolver) leftOut(all []catalog.Group) map[string]key.Key {
	off := map[string]key.Key{}
	for _, g := range all {
		if on, set := r.spec.Packages.Groups[g.Name]; !g.Optional || !set || on {
			continue
		}
		for _, pkg := range g.Packages {
			for _, command := range pkg.Commands {
				off[command] = key.PackagesGroups.Entry(g.Name)
			}
		}
	}
	return off
}

// checkGroups rejects switches for groups that do not exist or are not optional.
func (r *resolver) checkGroups(d, donor *catalog.Distro) {
	var optional []string
	for _, g := range d.OptionalGroups(donor) {
		optional = append(optional, g.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(r.spec.Packages.Groups)) {
		if !slices.Contains(optional, name) {
			r.report(rules.UnknownName, key.PackagesGroups.Entry(name), specs.Suggest(name, optional), "%q is not an optional group of %s", name, d.Name)
		}
	}
}

// base returns the base image for a stage of a distribution. The base in the spec applies to every
// stage of its distribution.
func (r *resolver) base(d *catalog.Distro) string {
	if d.Name == r.spec.Distro.Name {
		return cmp.Or(r.spec.Distro.Base, d.Base)
	}
	return d.Base
}

func (r *resolver) userland(d *catalog.Distro, selected map[string]catalog.Package) Userland {
	in := r.install(d)
	in.RemoveUsers = d.RemoveUsers
	in.Exclude = slices.Concat(in.Exclude, r.leftOutFiles(d))
	in.Repositories = r.repositories(d)
	in.KeepMirrors = r.spec.Mirrors.Keep && len(in.Mirrors) > 0
	in.Packages = packages(sorted(catalog.Names(selected), r.spec.Packages.Add))
	for i, name := range r.spec.Packages.Add {
		if _, listed := selected[name]; listed {
			r.origin.Listed = append(r.origin.Listed, key.PackagesAdd.Item(i))
		}
	}
	return Userland{
		Install: in,
		EOL:     d.EOL,
		Merged:  d.Merged,
		Loader:  r.loader(d),
	}
}

// leftOutFiles returns the paths of the groups of files that the userland goes without, and rejects
// switches for groups that do not exist or are not optional.
func (r *resolver) leftOutFiles(d *catalog.Distro) (paths []string) {
	var optional []string
	for _, g := range d.OptionalFiles() {
		optional = append(optional, g.Name)
	}
	for _, g := range d.Files {
		if !g.Optional || !r.spec.Packages.Files[g.Name] {
			paths = append(paths, g.Paths...)
		}
	}
	for _, name := range catalog.Names(r.spec.Packages.Files) {
		if !slices.Contains(optional, name) {
			r.report(rules.UnknownName, key.PackagesFiles.Entry(name), specs.Suggest(name, optional), "%q is not a group of files that %s goes without", name, d.Name)
		}
	}
	return paths
}

// loader returns where the signed EFI programs are: in the userland, or in another distribution.
func (r *resolver) loader(d *catalog.Distro) Loader {
	known := d.Loaders[r.arch.Name]
	var from *Install
	if known.From != "" {
		lender := r.cat.Distros[known.From]
		known = lender.Loaders[r.arch.Name]
		in := r.install(lender)
		in.Packages = packages(sorted(known.Packages))
		from = &in
	}
	return Loader{
		Shim:     known.Shim,
		Grub:     known.Grub,
		DiskGrub: cmp.Or(known.DiskGrub, known.Grub),
		Default:  "boot" + r.arch.EFI + ".efi",
		GrubName: cmp.Or(known.GrubName, "grub"+r.arch.EFI+".efi"),
		Config:   cmp.Or(known.Config, "/EFI/BOOT"),
		Copies:   known.Copies,
		From:     from,
	}
}

// install returns what all steps that install packages of a distribution have in common.
func (r *resolver) install(d *catalog.Distro) Install {
	return Install{
		Distro: d.Name, Base: r.base(d), Manager: d.Manager, Prepare: d.Prepare, Exclude: d.Exclude,
		SkipRepositories: d.SkipRepositories,
		Mirrors:          r.archives(d),
		Authorities:      r.authorities(d),
	}
}

func (r *resolver) system(d *catalog.Distro, model *catalog.Model, init catalog.Init) System {
	s := System{
		Init:        init.Name,
		Overlays:    append([]string{"common", init.Name}, d.Overlays...),
		Enable:      enabled(init, model.Distros[d.Name]),
		Mask:        init.Mask,
		Directories: d.Directories,
		Links:       links(d.Links),
	}
	return s
}

// enabled returns the services of an init system, with the changes of the model.
func enabled(init catalog.Init, model catalog.ModelDistro) map[string][]string {
	services := maps.Clone(init.Enable)
	for service, where := range model.Enable[init.Name] {
		services[service] = where
		if len(where) == 0 {
			delete(services, service)
		}
	}
	return services
}

// links sorts links by path.
func links(targets map[string]string) []Link {
	var links []Link
	for _, path := range catalog.Names(targets) {
		links = append(links, Link{Path: path, Target: targets[path]})
	}
	return links
}

// tools returns those of a toolbox.
func (r *resolver) tools(name string) Tools {
	return r.toolsFrom(r.cat.Tools[name].Distro, name)
}

// toolsFrom returns the tools of a toolbox from another distribution of the same family, and others
// that are specific to the architecture.
func (r *resolver) toolsFrom(distro, name string, others ...string) Tools {
	tools := Tools{Install: r.install(r.cat.Distros[distro]), Native: true}
	var names []string
	for _, g := range r.groups(r.cat.Tools[name].Groups, "", "", "") {
		names = append(names, catalog.Names(g.Packages)...)
		tools.Native = tools.Native && len(g.Arch) == 0
	}
	tools.Packages = packages(sorted(names, others))
	return tools
}

func (r *resolver) iso() ISO {
	iso := ISO{
		Label:       cmp.Or(r.spec.Artifacts.ISO.Label, defaultLabel),
		Compression: cmp.Or(r.spec.Artifacts.ISO.Compression, defaultCompression),
		Level:       r.spec.Artifacts.ISO.Level,
		BIOS:        r.arch.BIOS,
		CloudConfig: r.content(key.ISOCloudConfig, r.spec.Artifacts.ISO.CloudConfig),
		Tools:       r.tools("artifact"),
	}
	if iso.Compression == defaultCompression {
		iso.Level = cmp.Or(iso.Level, defaultZstdLevel)
	}
	return iso
}

// name sets everything that contains the name or the version.
func (r *resolver) name(p *Plan, d, donor *catalog.Distro) {
	name := cmp.Or(r.spec.Name, defaultName)
	version, variant, model := p.Version, p.Variant, p.Model
	kubernetes, hasKubernetes := p.Kubernetes()
	if !hasKubernetes && r.spec.Kubernetes.AsExtension() {
		variant = defaultVariant // the system has no Kubernetes
	}
	software := version
	if hasKubernetes {
		software += "-" + kubernetes.Name + kubernetes.Version
	}
	tag := strings.Join([]string{d.Release, variant, p.Arch, model, strings.ReplaceAll(software, "+", "-")}, "-")
	prefix := map[string]string{"core": "core", "standard": defaultName}[variant]
	p.Image = fmt.Sprintf("%s-%s:%s", prefix, cmp.Or(r.doc.Flavor(), d.Name), tag)
	flavor := d.Flavor
	if donor.Flavor != flavor {
		flavor += "-" + donor.Flavor
	}
	if init := p.System.Init; init != d.Inits[0].Name {
		flavor += "-" + init // the flavor without a suffix has the default one
	}
	p.File = strings.Join([]string{name, flavor, d.Release, variant, p.Arch, model, software}, "-")
	full := strings.Join([]string{name, variant, d.Flavor, d.Release}, "-")
	p.Release = []Variable{
		{"KAIROS_ID", "kairos"},
		{"KAIROS_ID_LIKE", full},
		{"KAIROS_NAME", full},
		{"KAIROS_VERSION", version},
		{"KAIROS_RELEASE", version},
		{"KAIROS_ARCH", p.Arch},
		{"KAIROS_TARGETARCH", p.Arch},
		{"KAIROS_FLAVOR", d.Flavor},
		{"KAIROS_FLAVOR_RELEASE", d.Release},
		{"KAIROS_FAMILY", d.Family},
		{"KAIROS_MODEL", model},
		{"KAIROS_VARIANT", variant},
		{"KAIROS_HOME_URL", homeURL},
		{"KAIROS_BUG_REPORT_URL", bugsURL},
		{"KAIROS_FIPS", "false"},
		{"KAIROS_TRUSTED_BOOT", "false"},
	}
	if hasKubernetes {
		p.Release = append(p.Release,
			Variable{"KAIROS_SOFTWARE_VERSION", kubernetes.Version},
			Variable{"KAIROS_SOFTWARE_VERSION_PREFIX", kubernetes.Name},
		)
	}
}

// checks derives the requirements of the root filesystem from its contents, so a package that the
// spec removes is not required.
func checks(p *Plan, selected map[string]catalog.Package) Checks {
	var c Checks
	for _, pkg := range selected {
		c.Commands = append(c.Commands, pkg.Commands...)
	}
	slices.Sort(c.Commands)
	c.Commands = slices.Compact(c.Commands)
	for _, comp := range p.Components {
		c.Programs = append(c.Programs, comp.Install)
		for _, link := range comp.Links {
			c.Programs = append(c.Programs, link.Path)
		}
	}
	return c
}

// packages parses a list of packages.
func packages(list []string) []Package {
	var all []Package
	for _, text := range list {
		all = append(all, parsePackage(text))
	}
	return all
}

func sorted(lists ...[]string) []string {
	joined := slices.Concat(lists...)
	slices.Sort(joined)
	return slices.Compact(joined)
}
