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

// Reason says why something is in a system.
type Reason struct {
	// Kind is package, service, file, layer, container, argument, component or key; requirement for what
	// the system must have, default for a key that no file sets, step for a stage of the build, and "left
	// out" for what the spec takes away.
	Kind string `json:"kind"`
	// Name of the package, service, layer, component, key, requirement or stage, the path of the file, or
	// the argument. What is left out has the name of its key, or is a text.
	Name string `json:"name"`
	// Stage that a package is for, what boots with an argument, or what a requirement is about.
	Stage string `json:"stage,omitempty"`
	// Place is where it is asked for: file:line:column.
	Place string `json:"place"`
	// Chain is how the spec comes to what is in a file that it extends: where it is asked for there, and
	// the lines that extend the file, nearest first, up to the spec. In a built-in flavor, it begins with
	// the line of the flavor, and Place is the first line of the user's files in it.
	Chain []string `json:"chain,omitempty"`
	// Key of the place in its file.
	Key string `json:"key,omitempty"`
	// Why it is asked for there, if the catalog says so, or why it is left out.
	Why string `json:"why,omitempty"`
	// Remove is what leaves it out, without a mistake in the spec or a failing check, or that nothing in a
	// spec does. Empty for what is not in the system.
	Remove string `json:"remove,omitempty"`
}

// nothing is what removes what a spec cannot leave out.
const nothing = "nothing in a spec"

// From is the place, and the lines that extend its file.
func (r Reason) From() string {
	if len(r.Chain) == 0 {
		return r.Place
	}
	text := r.Chain[0]
	for _, extends := range r.Chain[1:] {
		text += ", which " + extends + " extends"
	}
	return text
}

// places are the Chain of a Reason.
func places(chain []specs.Range) (all []string) {
	for _, r := range chain {
		all = append(all, r.String())
	}
	return all
}

// String is a few lines for people.
func (r Reason) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s", r.Kind, r.Name)
	if r.Stage != "" {
		fmt.Fprintf(&text, " (%s)", r.Stage)
	}
	fmt.Fprintf(&text, "\n  from     %s", r.From())
	if r.Key != "" {
		fmt.Fprintf(&text, "  %s", r.Key)
	}
	if r.Why != "" {
		fmt.Fprintf(&text, "\n  why      %s", r.Why)
	}
	if r.Remove != "" {
		fmt.Fprintf(&text, "\n  remove   %s", r.Remove)
	}
	return text.String()
}

// Explain says why everything is in a system: packages, services, files, layers, kernel arguments,
// components, what it must have, the keys of the spec and the defaults of others, in this order, and
// what the spec leaves out of it. p is the plan of the spec.
func Explain(p *Plan, doc *specs.Document, cat *catalog.Catalog) ([]Reason, error) {
	doc, err := Evaluate(doc, cat, p.Arch)
	if err != nil {
		return nil, err
	}
	r := &resolver{doc: doc, spec: doc.Spec, cat: cat, arch: cat.Archs[p.Arch], origin: p.Origin}
	e := &explainer{plan: p, resolver: r, catalog: cat, providers: providers(p, cat), tried: map[string]string{}}
	for _, s := range p.Stages() {
		for _, pkg := range s.Install.Packages {
			e.pkg(s, pkg)
		}
	}
	e.services()
	e.files()
	for i, l := range p.Layers {
		e.spec("layer", l.Name, "", "the spec lays a tree over "+l.To, key.Layers.Item(i), "remove it from layers")
	}
	for i, image := range p.Preloaded {
		e.spec("container", image.Image, "", "the Kubernetes of the machine loads it from "+image.Path, key.Images.Item(i), "remove it from images")
	}
	e.arguments()
	e.components()
	e.requirements()
	e.keys()
	e.defaults()
	e.leftOut()
	return e.all, nil
}

type explainer struct {
	plan     *Plan
	resolver *resolver
	catalog  *catalog.Catalog
	// providers are the packages of the userland with a command, by its name.
	providers map[string][]string
	// tried are the advices that were tried, by what they are about.
	tried map[string]string
	all   []Reason
}

// spec adds a reason that is a value of the spec.
func (e *explainer) spec(kind, name, stage, why string, k key.Key, remove string) {
	d := e.plan.Origin.Diagnose(rules.Rule{}, k, "", "")
	chain := places(e.resolver.doc.ChainOf(k.String()))
	e.all = append(e.all, Reason{Kind: kind, Name: name, Stage: stage, Place: d.Range.String(), Chain: chain, Key: d.Key, Why: why, Remove: remove})
}

// record adds a reason that is a value of a record of the catalog.
func (e *explainer) record(kind, name, stage, why, remove, file string, at ...any) {
	k, place := e.catalog.At(file, at...)
	e.all = append(e.all, Reason{Kind: kind, Name: name, Stage: stage, Place: place.String(), Key: k, Why: why, Remove: remove})
}

// pkg explains a package of a stage: all that ask for it.
func (e *explainer) pkg(s Stage, p Package) {
	const kind = "package"
	r := e.resolver
	before := len(e.all)
	text := p.String()
	k, asked := s.Asked(r.spec, text)
	if asked {
		list, _ := k.Around()
		remove := "remove it from " + list.String()
		if list == key.PackagesAdd {
			remove += e.unless()
		}
		e.spec(kind, text, s.Name, "the spec adds it", k, remove)
	}
	switch {
	case s.Name == "userland":
		distro := "distros/" + s.Install.Distro
		model, init, variant := e.plan.Model, e.plan.System.Init, e.plan.Variant
		for i, g := range e.catalog.Distros[s.Install.Distro].Groups {
			if pkg, ok := g.Packages[p.Name]; ok && r.applies(g, model, init, variant) {
				e.record(kind, text, s.Name, reason(g, pkg), e.removal(g, p.Name), distro, "groups", i, "packages", p.Name)
			}
		}
		if pkg, ok := e.catalog.Models[model].Distros[s.Install.Distro].Packages[p.Name]; ok {
			e.record(kind, text, s.Name, cmp.Or(pkg.Why, "the model "+model+" needs it"), e.without("packages: {remove: ["+p.Name+"]}", p.Name), "models/"+model, "distros", s.Install.Distro, "packages", p.Name)
		}
	case !asked:
		for _, a := range e.catalog.Asked(s.Install.Distro, e.plan.Arch) {
			if a.Name == p.Name && e.asks(s, a) {
				e.all = append(e.all, Reason{Kind: kind, Name: text, Stage: s.Name, Place: a.Range.String(), Key: a.Key, Why: cmp.Or(a.Why, a.What), Remove: e.besides(s, p.Name)})
			}
		}
		if s.Name == "kernel" && len(e.all) == before {
			e.spec(kind, text, s.Name, "the spec chooses the kernel", key.KernelPackage, e.unset(key.Kernel))
		}
	}
	if len(e.all) == before {
		e.spec(kind, text, s.Name, "", s.At, nothing)
	}
}

// asks reports whether what the catalog asks for is for a stage other than the userland.
func (e *explainer) asks(s Stage, a catalog.Asked) bool {
	model := e.plan.Model
	switch s.Name {
	case "kernel": // with the tools of its initramfs
		return strings.HasPrefix(a.Key, "kernel.") || a.What == "model "+model && strings.Contains(a.Key, ".kernel[")
	case "loader":
		return a.What == "loader"
	case "firmware":
		return a.What == "firmware of "+model
	default:
		box := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(s.Name, "tools"), "-"), "artifact")
		return a.Range.Source != nil && strings.HasSuffix(a.Range.Source.Name, "/tools/"+box+".yaml") || box == "test" && strings.HasPrefix(a.What, "emulator")
	}
}

// reason is why a group has a package.
func reason(g catalog.Group, p catalog.Package) string {
	return cmp.Or(p.Why, g.Why) + " (group " + g.Name + ")"
}

// services explains what is enabled and masked.
func (e *explainer) services() {
	if e.plan.Source != nil {
		return // the image has them
	}
	const kind = "service"
	d, model := e.catalog.Distros[e.plan.Userland.Distro], e.catalog.Models[e.plan.Model]
	at := slices.IndexFunc(d.Inits, func(i catalog.Init) bool { return i.Name == e.plan.System.Init })
	file := "distros/" + d.Name
	for _, service := range catalog.Names(e.plan.System.Enable) {
		where := "enabled in " + strings.Join(e.plan.System.Enable[service], ", ")
		if _, ok := model.Distros[d.Name].Enable[e.plan.System.Init][service]; ok {
			e.record(kind, service, "", where, e.unset(key.Model), "models/"+model.Name, "distros", d.Name, "enable", e.plan.System.Init, service)
			continue
		}
		e.record(kind, service, "", where, nothing, file, "inits", at, "enable", service)
	}
	for i, service := range e.plan.System.Mask {
		e.record(kind, service, "", "masked: it does not start", nothing, file, "inits", at, "mask", i)
	}
}

// files explains the files that are not of packages. The last one of a path is the one in the image.
func (e *explainer) files() {
	const kind = "file"
	overlays := e.catalog.Overlays()
	for _, name := range e.plan.System.Overlays {
		for _, path := range catalog.Names(overlays[name]) {
			e.all = append(e.all, Reason{
				Kind: kind, Name: e.plan.Userland.Real(path), Place: "overlay/" + name + path,
				Why: "the system of Kairos (overlay " + name + ")", Remove: "a file of the spec replaces it",
			})
		}
	}
	for _, l := range e.plan.System.Links {
		e.record(kind, l.Path, "", "a link to "+l.Target, nothing, "distros/"+e.plan.Userland.Distro, "links", l.Path)
	}
	e.componentFiles("", e.plan.Components)
	for _, ext := range e.plan.Extensions {
		e.componentFiles(ext.stage(), ext.Components)
		for _, name := range ext.Overlays {
			for _, path := range catalog.Names(overlays[name]) {
				e.all = append(e.all, Reason{
					Kind: kind, Name: e.plan.Userland.Real(path), Stage: ext.stage(), Place: "overlay/" + name + path,
					Why: "the extension " + ext.Name + " (overlay " + name + ")", Remove: nothing,
				})
			}
		}
	}
	for i, f := range e.plan.Files {
		e.spec(kind, f.Path, "", "the spec adds it", key.Files.Item(i), "remove it from files")
	}
}

// componentFiles explains the files of components, in the system or in the stage of an extension.
func (e *explainer) componentFiles(stage string, components []Component) {
	const kind = "file"
	for _, c := range components {
		record, where := "components/"+c.Name, "install"
		if known := e.catalog.Components[c.Name]; known.Merged == c.Install && known.Merged != "" {
			where = "merged"
		}
		remove := e.dropped(c)
		e.record(kind, c.Install, stage, "the program of the component "+c.Name, remove, record, where)
		for _, l := range c.Links {
			e.record(kind, l.Path, stage, "a link to "+l.Target, remove, record, "links", l.Path)
		}
		for _, path := range catalog.Names(c.Files) {
			e.record(kind, path, stage, "a file of the component "+c.Name, remove, record, "files", e.plan.System.Init, path)
		}
	}
}

// arguments explains those of the kernel.
func (e *explainer) arguments() {
	const kind = "argument"
	line, spec := e.plan.CommandLine, e.resolver.spec
	d, model := e.plan.based(e.catalog)
	var order []string
	boots := map[string][]string{}
	for _, way := range []struct {
		name string
		args []string
	}{{"installed", line.Installed}, {"live", line.Live}, {"network", line.Network}} {
		for _, arg := range way.args {
			if len(boots[arg]) == 0 {
				order = append(order, arg)
			}
			if !slices.Contains(boots[arg], way.name) {
				boots[arg] = append(boots[arg], way.name)
			}
		}
	}
	for _, arg := range order {
		stage := strings.Join(boots[arg], ", ")
		if i := slices.Index(spec.Cmdline, arg); i >= 0 {
			e.spec(kind, arg, stage, "the spec adds it", key.Cmdline.Item(i), "remove it from cmdline")
		} else if i := slices.Index(model.Cmdline, arg); i >= 0 {
			e.record(kind, arg, stage, "the model "+model.Name, e.unset(key.Model), "models/"+model.Name, "cmdline", i)
		} else if i := slices.Index(d.Cmdline, arg); i >= 0 {
			e.record(kind, arg, stage, "the distribution", nothing, "distros/"+d.Name, "cmdline", i)
		} else if at, i := initArgument(d, e.plan.System.Init, arg); i >= 0 {
			e.record(kind, arg, stage, "the init system", nothing, "distros/"+d.Name, "inits", at, "cmdline", i)
		} else if i := slices.Index(model.Console, strings.TrimPrefix(arg, "console=")); i >= 0 {
			e.record(kind, arg, stage, "a console of the model "+model.Name, e.unset(key.Model), "models/"+model.Name, "console", i)
		} else if i := slices.Index(e.resolver.arch.Consoles, strings.TrimPrefix(arg, "console=")); i >= 0 {
			e.record(kind, arg, stage, "a console of the architecture", nothing, "archs/"+e.plan.Arch, "consoles", i)
		} else if i := slices.Index(e.resolver.arch.Video, arg); i >= 0 {
			e.record(kind, arg, stage, "the architecture", nothing, "archs/"+e.plan.Arch, "video", i)
		} else {
			e.all = append(e.all, Reason{Kind: kind, Name: arg, Stage: stage, Place: "flavorkit", Why: "how Kairos boots (docs/dev/image-contract.md)", Remove: nothing})
		}
	}
}

// initArgument finds an argument of the kernel in the record of an init system: the numbers of both in
// their lists. The second is -1 if it has none.
func initArgument(d *catalog.Distro, init, arg string) (at, i int) {
	at = slices.IndexFunc(d.Inits, func(i catalog.Init) bool { return i.Name == init })
	if at < 0 {
		return at, -1
	}
	return at, slices.Index(d.Inits[at].Cmdline, arg)
}

// components explains the programs that are no packages.
func (e *explainer) components() {
	e.componentsOf("", e.plan.Components)
	for _, ext := range e.plan.Extensions {
		e.componentsOf(ext.stage(), ext.Components)
	}
}

// componentsOf explains the components of the system, or of the stage of an extension.
func (e *explainer) componentsOf(stage string, components []Component) {
	const kind = "component"
	for _, c := range components {
		known := e.catalog.Components[c.Name]
		k := specs.KindByName(known.Kind)
		name, remove := c.Name+" "+c.Version, e.dropped(c)
		switch {
		case k.HasKey() && e.plan.Origin.set(k.Key()):
			e.spec(kind, name, stage, known.Why, k.Key(), remove)
		case len(c.Provides) > 0:
			e.spec(kind, name, stage, known.Why, c.Key(), remove)
			for _, provided := range catalog.Names(c.Provides) {
				e.spec(kind, provided+" "+c.Version, stage, e.catalog.Components[provided].Why+", part of "+c.Name, c.Key(), remove)
			}
		case e.plan.Origin.set(c.Key()):
			e.spec(kind, name, stage, known.Why, c.Key(), remove)
		default:
			e.record(kind, name, stage, known.Why+" (variant "+strings.Join(known.Variants, ", ")+")", remove, "components/"+c.Name)
		}
	}
}

// set reports whether a file of the user sets a key.
func (o *Origin) set(k key.Key) bool {
	_, ok := o.Places[k]
	return ok
}

// Find returns the reasons for what has a name: the whole of it, one of the alternatives of a
// requirement, or for a package, service or component what is before its version or extension. Without
// any, near has the most similar name.
func Find(all []Reason, name string) (found []Reason, near string) {
	ends := map[string]string{"package": "=", "left out": "=", "service": ".", "component": " ", "argument": "="}
	var names []string
	for _, r := range all {
		called := []string{r.Name}
		if end := ends[r.Kind]; end != "" {
			short, _, _ := strings.Cut(r.Name, end)
			called = append(called, short)
		}
		if r.Kind == "requirement" {
			called = strings.Split(r.Name, " or ")
		}
		if slices.Contains(append(called, r.Name), name) {
			found = append(found, r)
		}
		names = append(names, r.Name)
	}
	if len(found) == 0 {
		near, _ = specs.Nearest(name, names)
	}
	return found, near
}
