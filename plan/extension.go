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

// Extension is what a system extension or a configuration extension adds to the system.
type Extension struct {
	// At is the path of the key of the spec that describes it.
	At string `json:"at" yaml:"at"`
	// Name is that of the spec.
	Name string `json:"name" yaml:"name"`
	// File is the name of the image without its extensions: name and version. Machines know the
	// extension by it.
	File string `json:"file" yaml:"file"`
	// Install are the packages. They are installed into the system, and not into the base image.
	Install Install `json:"install" yaml:"install"`
	Files   []File  `json:"files,omitempty" yaml:"files,omitempty"`
	// Components are programs from outside the distribution.
	Components []Component `json:"components,omitempty" yaml:"components,omitempty"`
	// Overlays are sets of files of the catalog.
	Overlays []string `json:"overlays,omitempty" yaml:"overlays,omitempty"`
	// Medium tells that the installer medium carries the extension.
	Medium bool `json:"medium,omitempty" yaml:"medium,omitempty"`
	// Services are units that start once the extension is merged.
	Services []string `json:"services,omitempty" yaml:"services,omitempty"`
	// Reload tells systemd to read its units again.
	Reload bool `json:"reload,omitempty" yaml:"reload,omitempty"`
	// AnyDistro tells that systems of other distributions and releases merge it, too.
	AnyDistro bool `json:"anyDistro,omitempty" yaml:"anyDistro,omitempty"`
	// Architecture as systemd names it.
	Architecture string `json:"architecture" yaml:"architecture"`
	// Seed is what the identifiers of the partitions are derived from.
	Seed string `json:"seed" yaml:"seed"`
	// Certificate to sign with, in PEM; zero for no signature.
	Certificate Content `json:"certificate,omitzero" yaml:"certificate,omitempty"`
	// Tools make the image.
	Tools Tools `json:"tools" yaml:"tools"`
}

// leastSystemd is the first systemd that merges the images: it finds the release file of
// NAME.sysext.raw by NAME, knows configuration extensions, and takes policies (systemd, NEWS of 254
// and 255).
const leastSystemd = 255

// Key is the key of the spec that describes the extension.
func (e Extension) Key() key.Key { return key.Parse(e.At) }

// Extension returns an extension by name.
func (p *Plan) Extension(name string) (Extension, bool) {
	at := slices.IndexFunc(p.Extensions, func(e Extension) bool { return e.Name == name })
	if at < 0 {
		return Extension{}, false
	}
	return p.Extensions[at], true
}

// extensions returns those of the spec.
func (r *resolver) extensions(d *catalog.Distro, init catalog.Init, u Userland) (all []Extension) {
	for _, spec := range r.doc.Extensions() {
		at, instead := spec.Key, "add the packages and files to the system"
		if len(spec.Services) > 0 && init.Merges {
			at, instead = spec.Key.Services(), "remove the services"
		}
		r.checkMerges(at, d, init, len(spec.Services) > 0, instead)
		if init.Merges && onlyConfigures(spec.Extension) && r.sure(key.Init) {
			r.report(rules.UnsupportedChoice, spec.Key, "add the files to the system", "%s merges system extensions only, and this one has only files in /etc", init.Name)
		}
		all = append(all, r.extension(spec, u))
	}
	return all
}

func (r *resolver) extension(spec specs.KeyedExtension, u Userland) Extension {
	file := spec.Name + "-" + cmp.Or(spec.Version, r.spec.Version)
	in := u.Install
	in.Packages = packages(spec.Packages)
	// The system is prepared, and its accounts and mirrors are no part of the extension.
	in.Prepare, in.RemoveUsers, in.KeepMirrors = nil, nil, false
	return Extension{
		At: spec.Key.String(), Name: spec.Name, File: file, Install: in,
		Files:    r.files(spec.Key.Files(), spec.Files, u),
		Services: spec.Services,
		// Else systemd does not see what starts them.
		Reload:       spec.Reload || len(spec.Services) > 0,
		AnyDistro:    spec.AnyDistro,
		Architecture: r.arch.Systemd,
		Seed:         guid("extension/" + file),
		Certificate:  r.content(spec.Key.Certificate(), spec.Certificate),
		Tools:        r.tools("extension"),
	}
}

// onlyConfigures reports whether an extension has only files for a configuration extension.
func onlyConfigures(e specs.Extension) bool {
	return len(e.Packages) == 0 && !slices.ContainsFunc(e.Files, func(f specs.File) bool { return !strings.HasPrefix(f.Path, "/etc/") })
}

// checkMerges refuses an extension, or one with services, for a system that cannot merge it.
func (r *resolver) checkMerges(at key.Key, d *catalog.Distro, init catalog.Init, services bool, instead string) {
	if r.arch.Systemd == "" {
		r.report(rules.UnsupportedArchitecture, at, "", "there are no extensions for %s", r.arch.Name)
	}
	if init.Version >= leastSystemd || init.Merges && !services || !r.sure(key.Init) {
		return
	}
	why := fmt.Sprintf("its init system, %s, merges none", init.Name)
	switch {
	case init.Merges:
		why = fmt.Sprintf("its init system, %s, starts no services of extensions", init.Name)
	case init.Version > 0:
		why = fmt.Sprintf("it has %s %d", init.Name, init.Version)
	}
	var can []string
	for _, name := range catalog.Names(r.cat.Distros) {
		if r.cat.Distros[name].Inits[0].Version >= leastSystemd {
			can = append(can, name)
		}
	}
	hint := fmt.Sprintf("extensions need systemd %d or later, which these have: %s; or %s", leastSystemd, strings.Join(can, ", "), instead)
	r.report(rules.UnsupportedChoice, at, hint, "%s cannot merge an extension: %s", d.Title, why)
}

// files are those of a list of the spec, at their paths in the userland.
func (r *resolver) files(k key.Key, list []specs.File, u Userland) []File {
	var all []File
	for i, f := range list {
		all = append(all, File{
			Path:    u.Real(f.Path),
			Content: r.content(k.Item(i), specs.Content{From: f.From, Content: f.Content}),
			Mode:    f.Mode,
			Owner:   f.Owner,
		})
	}
	return all
}
