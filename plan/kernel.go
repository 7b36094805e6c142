package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// model looks the model up and checks that it has the architecture.
func (r *resolver) model() *catalog.Model {
	name := cmp.Or(r.spec.Model, defaultModel)
	m, ok := r.cat.Models[name]
	switch {
	case !ok:
		r.report(rules.UnknownName, key.Model, specs.Suggest(name, catalog.Names(r.cat.Models)), "unknown model %q", name)
		return &catalog.Model{Name: name}
	case len(m.Architectures) > 0 && !slices.Contains(m.Architectures, r.arch.Name):
		r.report(rules.UnsupportedArchitecture, key.Model, "it has "+strings.Join(m.Architectures, ", "), "%s has no %s", m.Title, r.arch.Name)
	}
	return m
}

// checkModel checks that there is a kernel for the model. One that the spec names, from wherever, is
// what the build looks into.
func (r *resolver) checkModel(m *catalog.Model, userland, donor *catalog.Distro) {
	has := len(m.Architectures) == 0 || slices.Contains(m.Architectures, r.arch.Name)
	named := r.ownKernel() != nil || r.spec.Kernel.Package != ""
	if has && len(m.Distros) > 0 && !named && len(m.Distros[donor.Name].Kernel) == 0 && r.sure(key.Kernel) {
		at := key.Model
		if donor != userland {
			at = key.KernelFrom
		}
		r.report(rules.UnsupportedChoice, at, "kernels for it come from "+strings.Join(catalog.Names(m.Distros), ", "), "%s has no kernel for %s", donor.Title, m.Title)
	}
}

// Architectures are those that a spec can be built for: what the userland, the donor of its kernel
// and the model have in common.
func Architectures(doc *specs.Document, cat *catalog.Catalog) ([]string, error) {
	if doc.Has(key.Source.String()) {
		return catalog.Names(cat.Archs), nil // the image says it
	}
	userland, ok := cat.Distros[doc.Spec.Distro.Name]
	if !ok {
		return nil, nil
	}
	model := cmp.Or(cat.Models[cmp.Or(doc.Spec.Model, defaultModel)], &catalog.Model{})
	var archs []string
	for _, arch := range userland.Architectures {
		evaluated, err := Evaluate(doc, cat, arch)
		if err != nil {
			return nil, err
		}
		donor := cmp.Or(cat.Distros[evaluated.Spec.Kernel.From], userland)
		if slices.Contains(donor.Architectures, arch) && (len(model.Architectures) == 0 || slices.Contains(model.Architectures, arch)) {
			archs = append(archs, arch)
		}
	}
	return archs, nil
}

// kernel returns the stage that the kernel and its initramfs are made in.
func (r *resolver) kernel(donor *catalog.Distro, model *catalog.Model, userland []Package) Kernel {
	in := r.install(donor)
	in.Env = donor.Kernel.Environment
	own := r.ownKernel()
	if own == nil {
		in.Packages = r.kernelPackages(donor, model)
		in.Areas = model.Distros[donor.Name].Areas
	}
	var tools []string
	for _, g := range r.groups(donor.Kernel.Initramfs.Groups, model.Name, "", "") {
		tools = append(tools, catalog.Names(g.Packages)...)
	}
	in.Packages = append(in.Packages, packages(catalog.Names(r.kernelFirmware(donor, model.Name)))...)
	in.Packages = append(in.Packages, packages(sorted(tools))...)
	in.Repositories = r.kernelRepositories(donor)
	return Kernel{
		Install:         in,
		EOL:             donor.EOL,
		Own:             own,
		CompressModules: donor.Kernel.CompressModules,
		Omit:            r.offModules(model.Name),
		Initramfs: Initramfs{
			Tool:           donor.Kernel.Initramfs.Tool,
			Overlay:        donor.Kernel.Initramfs.Overlay,
			Components:     donor.Kernel.Initramfs.Components,
			Network:        r.spec.Initramfs.Network,
			NetworkOverlay: donor.Kernel.Initramfs.Network,
			Omit:           r.omittedModules(userland, model.Name),
		},
	}
}

// omittedModules returns the classes of modules that an initramfs leaves out: those that it never
// needs, and those that the root filesystem goes without.
func (r *resolver) omittedModules(userland []Package, model string) []ModuleClass {
	var classes []ModuleClass
	for _, name := range catalog.Names(r.cat.Modules) {
		class := r.cat.Modules[name]
		on := r.hasModules(name, model)
		if on && (class.Initramfs == "" || slices.ContainsFunc(userland, func(p Package) bool { return slices.Contains(class.Unless, p.Name) })) {
			continue
		}
		classes = append(classes, ModuleClass{
			Name: name, Network: on && class.Initramfs == catalog.InitramfsNetwork, Paths: class.Paths, Keep: class.Keep,
		})
	}
	return classes
}

// offModules returns the classes of modules that the root filesystem goes without.
func (r *resolver) offModules(model string) []ModuleClass {
	r.checkModuleNames()
	var classes []ModuleClass
	for _, name := range r.cat.SwitchedModules() {
		class := r.cat.Modules[name]
		if r.hasModules(name, model) {
			continue
		}
		why := class.Root.Why
		if _, set := r.spec.Kernel.Modules[name]; set {
			why = "the spec switches it off"
		}
		classes = append(classes, ModuleClass{Name: name, Why: why, Paths: class.Paths, Keep: class.Keep})
	}
	return classes
}

// hasModules tells whether the root filesystem has a class of modules. A custom kernel has what its
// maker chose.
func (r *resolver) hasModules(class, model string) bool {
	root := r.cat.Modules[class].Root
	on, set := r.spec.Kernel.Modules[class]
	switch {
	case root == nil:
		return true
	case set:
		return on
	default:
		return r.ownKernel() != nil || root.On(model)
	}
}

// checkModuleNames rejects switches for classes that do not exist or have none.
func (r *resolver) checkModuleNames() {
	valid := r.cat.SwitchedModules()
	for _, name := range catalog.Names(r.spec.Kernel.Modules) {
		at := key.KernelModules.Entry(name)
		switch class, ok := r.cat.Modules[name]; {
		case !ok:
			r.report(rules.UnknownName, at, specs.Suggest(name, valid), "unknown class of kernel modules %q", name)
		case class.Root == nil:
			r.report(rules.UnsupportedChoice, at, specs.Suggest("", valid), "every root filesystem has the class %q", name)
		}
	}
}

// checkModuleNeeds refuses to go without a class that has modules which the system needs.
func (r *resolver) checkModuleNeeds(p *Plan) {
	if !r.sure(key.Kernel, key.Model) {
		return
	}
	holds := func(class ModuleClass, module string) bool {
		return slices.Contains(r.cat.Modules[class.Name].Holds, module)
	}
	for _, class := range p.Kernel.Omit {
		var needed []string
		for _, category := range []catalog.Category{catalog.NeedModules, catalog.NeedInitramfsModules, catalog.NeedNetworkModules} {
			for _, names := range catalog.Names(p.Needs[category]) {
				alternatives := strings.Split(names, " or ")
				gone := !slices.ContainsFunc(alternatives, func(module string) bool {
					return !slices.ContainsFunc(p.Kernel.Omit, func(off ModuleClass) bool { return holds(off, module) })
				})
				if gone && slices.ContainsFunc(alternatives, func(module string) bool { return holds(class, module) }) {
					needed = append(needed, names+" ("+p.Needs[category][names]+")")
				}
			}
		}
		if needed = sorted(needed); len(needed) > 0 {
			text := strings.Join(needed[:min(len(needed), mostNeeded)], ", ")
			if more := len(needed) - mostNeeded; more > 0 {
				text += fmt.Sprintf(" and %d more", more)
			}
			r.report(rules.UnsupportedChoice, key.KernelModules.Entry(class.Name), "leave it on", "the system needs modules of the class %q: %s", class.Name, text)
		}
	}
}

// mostNeeded limits the modules that an error names.
const mostNeeded = 3

// kernelFirmware returns the packages with firmware that the spec keeps; none for a custom kernel.
func (r *resolver) kernelFirmware(donor *catalog.Distro, model string) map[string]catalog.Package {
	packages := map[string]catalog.Package{}
	if r.ownKernel() != nil {
		return packages
	}
	for _, g := range r.groups(donor.Kernel.Firmware, model, "", "") {
		if len(g.Modules) > 0 && !slices.ContainsFunc(g.Modules, func(class string) bool { return r.hasModules(class, model) }) {
			continue
		}
		for name, pkg := range g.Packages {
			// A package may have files only for some architectures.
			pkg.Firmware = slices.Concat(packages[name].Firmware, pkg.Firmware)
			packages[name] = pkg
		}
	}
	return packages
}

// ownKernel returns the custom kernel, or nil.
func (r *resolver) ownKernel() *Own {
	k := r.spec.Kernel
	if k.Image == "" && k.Context == "" {
		return nil
	}
	return &Own{Image: k.Image, Context: k.Context}
}

// kernelPackages returns the packages of the kernel. The spec can replace or pin the first one.
func (r *resolver) kernelPackages(donor *catalog.Distro, model *catalog.Model) []Package {
	names := donor.Kernel.Packages[r.arch.Name]
	if special := model.Distros[donor.Name].Kernel; len(special) > 0 {
		names = special
	}
	switch {
	case len(names) > 0:
	case !r.sure(key.Kernel, key.Model):
		return nil
	default:
		r.report(rules.UnsupportedArchitecture, key.KernelFrom, "", "%s has no kernel for %s", donor.Title, r.arch.Name)
		return nil
	}
	all := packages(names)
	if asked := r.spec.Kernel.Package; asked != "" {
		all[0] = parsePackage(asked)
		r.foreign(donor, all[0].Name)
	}
	all[0].Version = cmp.Or(r.spec.Kernel.Version, all[0].Version)
	return all
}

// foreign rejects a kernel package for another architecture.
func (r *resolver) foreign(donor *catalog.Distro, asked string) {
	for _, arch := range catalog.Names(donor.Kernel.Packages) {
		if slices.Contains(donor.Kernel.Packages[r.arch.Name], asked) {
			return
		}
		if slices.Contains(donor.Kernel.Packages[arch], asked) && r.sure(key.Kernel) {
			r.report(rules.UnsupportedArchitecture, key.KernelPackage, "valid: "+donor.Kernel.Packages[r.arch.Name][0], "%s is a kernel for %s, not for %s", asked, arch, r.arch.Name)
			return
		}
	}
}
