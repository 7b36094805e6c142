package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// model looks the model up and checks that it goes with the architecture.
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

// checkModel checks that there is a kernel for the model.
func (r *resolver) checkModel(m *catalog.Model, userland, donor *catalog.Distro) {
	has := len(m.Architectures) == 0 || slices.Contains(m.Architectures, r.arch.Name)
	if has && len(m.Distros) > 0 && r.ownKernel() == nil && len(m.Distros[donor.Name].Kernel) == 0 && r.sure(key.Kernel) {
		at := key.Model
		if donor != userland {
			at = key.KernelFrom
		}
		r.report(rules.UnsupportedChoice, at, "kernels for it come from "+strings.Join(catalog.Names(m.Distros), ", "), "%s donates no kernel for %s", donor.Title, m.Title)
	}
}

// Architectures are those that a spec can be built for: what the userland, the
// donor of its kernel and the model have in common.
func Architectures(doc *specs.Document, cat *catalog.Catalog) []string {
	userland, ok := cat.Distros[doc.Spec.Distro.Name]
	if !ok {
		return nil
	}
	donor := cmp.Or(cat.Distros[doc.Spec.Kernel.From], userland)
	model := cmp.Or(cat.Models[cmp.Or(doc.Spec.Model, defaultModel)], &catalog.Model{})
	return slices.DeleteFunc(slices.Clone(userland.Architectures), func(arch string) bool {
		return !slices.Contains(donor.Architectures, arch) ||
			len(model.Architectures) > 0 && !slices.Contains(model.Architectures, arch)
	})
}

// kernel is the stage that the kernel and its initramfs are made in.
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
	return Kernel{
		Install:         in,
		Own:             own,
		CompressModules: donor.Kernel.CompressModules,
		Initramfs: Initramfs{
			Tool:           donor.Kernel.Initramfs.Tool,
			Overlay:        donor.Kernel.Initramfs.Overlay,
			Components:     donor.Kernel.Initramfs.Components,
			Network:        r.spec.Initramfs.Network,
			NetworkOverlay: donor.Kernel.Initramfs.Network,
			Omit:           r.omittedModules(userland),
		},
	}
}

// omittedModules are the classes of modules that an initramfs lacks.
func (r *resolver) omittedModules(userland []Package) []ModuleClass {
	var classes []ModuleClass
	for _, name := range catalog.Names(r.cat.Modules) {
		class := r.cat.Modules[name]
		if slices.ContainsFunc(userland, func(p Package) bool { return slices.Contains(class.Unless, p.Name) }) {
			continue
		}
		classes = append(classes, ModuleClass{
			Name: name, Network: class.Initramfs == catalog.InitramfsNetwork, Paths: class.Paths, Keep: class.Keep,
		})
	}
	return classes
}

// kernelFirmware are the packages with firmware that the spec keeps; none for a
// kernel of the user's own.
func (r *resolver) kernelFirmware(donor *catalog.Distro, model string) map[string]catalog.Package {
	packages := map[string]catalog.Package{}
	if r.ownKernel() != nil {
		return packages
	}
	for _, g := range r.groups(donor.Kernel.Firmware, model, "", "") {
		for name, pkg := range g.Packages {
			// A package may have files for one architecture that it lacks for another.
			pkg.Firmware = slices.Concat(packages[name].Firmware, pkg.Firmware)
			packages[name] = pkg
		}
	}
	return packages
}

// ownKernel is the kernel of the user, or nil.
func (r *resolver) ownKernel() *Own {
	k := r.spec.Kernel
	if k.Image == "" && k.Context == "" {
		return nil
	}
	return &Own{Image: k.Image, Context: k.Context}
}

// kernelPackages are those of the kernel. The spec replaces or pins the first of
// them.
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
		r.report(rules.UnsupportedArchitecture, key.KernelFrom, "", "%s donates no kernel for %s", donor.Title, r.arch.Name)
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

// foreign refuses the kernel package of another architecture.
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
