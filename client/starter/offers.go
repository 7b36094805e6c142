package starter

import (
	"context"
	"regexp"
	"slices"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

func flavors(ctx context.Context, d *Draft) (Offer, error) {
	o := Offer{Default: firstFlavor}
	for _, name := range d.starter.Catalog.FlavorNames() {
		changed := d.with(func(s *specs.Spec) { s.Extends = name })
		// A flavor of a catalog of the user may need a named context.
		if p, err := changed.any(ctx); err == nil && published(p) && d.starter.maintained(p) {
			o.Choices = append(o.Choices, Choice{name, d.starter.title(p)})
		}
	}
	return o, nil
}

// title describes a system by its parts.
func (s Starter) title(p *plan.Plan) string {
	title := s.Catalog.Distros[p.Userland.Distro].Title + ", " + p.System.Init
	if p.Kernel.Distro != p.Userland.Distro {
		title += ", kernel of " + s.Catalog.Distros[p.Kernel.Distro].Title
	}
	if p.Disk.Firmware != nil {
		title += ", " + s.Catalog.Models[p.Model].Title
	}
	return title
}

func (d *Draft) setFlavor(word string) error {
	if _, ok := d.starter.Catalog.Flavor(word); !ok {
		return errors.Errorf("no flavor is called %q; %s", word, specs.Suggest(word, d.starter.Catalog.FlavorNames()))
	}
	d.Spec.Extends = word
	return nil
}

// among offers those names for which the system resolves and is current. own is what the flavor
// has: answering it changes nothing.
func (d *Draft) among(ctx context.Context, own string, names []string, title func(string) string, change func(*Draft, string)) Offer {
	o := Offer{Default: own, own: true}
	for _, name := range preferred(own, names) {
		changed := *d
		change(&changed, name)
		p, err := changed.any(ctx)
		if name == own || err == nil && published(p) && d.starter.maintained(p) {
			o.Choices = append(o.Choices, Choice{name, title(name)})
		}
	}
	return o
}

func models(ctx context.Context, d *Draft) (Offer, error) {
	p, err := d.any(ctx)
	if err != nil {
		return Offer{}, err
	}
	known := d.starter.Catalog.Models
	return d.among(ctx, p.Model, modelNames(d.starter.Catalog), func(name string) string { return known[name].Title },
		func(d *Draft, name string) { d.Spec.Model = name }), nil
}

func archs(ctx context.Context, d *Draft) (Offer, error) {
	known := d.starter.Catalog.Archs
	o := Offer{}
	for _, name := range preferred(d.starter.Arch, archNames(d.starter.Catalog)) {
		if p, err := d.plan(ctx, name); err == nil && published(p) {
			o.Choices = append(o.Choices, Choice{name, known[name].Title})
		}
	}
	if len(o.Choices) == 0 {
		return Offer{}, errors.New("nothing is published for an architecture of this system")
	}
	o.Default = o.Choices[0].Name
	return o, nil
}

func (d *Draft) setArch(word string) error {
	if d.starter.Catalog.Archs[word] == nil {
		return errors.Errorf("unknown architecture %q; %s", word, d.starter.Catalog.ArchHint(word))
	}
	d.Arch = word
	return nil
}

func kernels(ctx context.Context, d *Draft) (Offer, error) {
	p, err := d.any(ctx)
	if err != nil {
		return Offer{}, err
	}
	known := d.starter.Catalog.Distros
	names := slices.DeleteFunc(distroNames(d.starter.Catalog), func(name string) bool {
		return name != p.Kernel.Distro && known[name].OlderThan(known[p.Userland.Distro])
	})
	return d.among(ctx, p.Kernel.Distro, names, func(name string) string {
		if name == p.Userland.Distro {
			return known[name].Title + ", its own"
		}
		return known[name].Title
	}, func(d *Draft, name string) { d.Spec.Kernel.From = name }), nil
}

func inits(ctx context.Context, d *Draft) (Offer, error) {
	p, err := d.any(ctx)
	if err != nil {
		return Offer{}, err
	}
	names := d.starter.Catalog.Distros[p.Userland.Distro].InitNames()
	return d.among(ctx, p.System.Init, names, func(string) string { return "" }, func(d *Draft, name string) { d.Spec.Init = name }), nil
}

// components are those of a kind, by name.
func (s Starter) components(kind string) map[string]*catalog.Component {
	found := map[string]*catalog.Component{}
	for name, c := range s.Catalog.Components {
		if c.Kind == kind {
			found[name] = c
		}
	}
	return found
}

func kubernetes(ctx context.Context, d *Draft) (Offer, error) {
	known := d.starter.components(specs.KindKubernetes)
	return d.among(ctx, none, componentNames(specs.KindKubernetes)(d.starter.Catalog), func(name string) string {
		if name == none {
			return ""
		}
		return known[name].Version
	}, func(d *Draft, name string) { _ = d.setKubernetes(name) }), nil
}

// setKubernetes chooses a Kubernetes, and with it the variant that has one.
func (d *Draft) setKubernetes(word string) error {
	if word == none {
		return nil
	}
	known := d.starter.components(specs.KindKubernetes)
	if known[word] == nil {
		return errors.Errorf("no Kubernetes is called %q; %s", word, specs.Suggest(word, componentNames(specs.KindKubernetes)(d.starter.Catalog)))
	}
	for _, c := range known {
		if len(c.Variants) > 0 {
			d.Spec.Variant = c.Variants[0]
		}
	}
	d.Spec.Kubernetes.Distribution = word
	return nil
}

func kubernetesVersions(_ context.Context, d *Draft) (Offer, error) {
	c := d.starter.Catalog.Components[d.Spec.Kubernetes.Distribution]
	if c == nil {
		return Offer{own: true, closed: needsKubernetes}, nil
	}
	return Offer{Free: true, Default: c.Version, own: true}, nil
}

func meshes(ctx context.Context, d *Draft) (Offer, error) {
	if d.Spec.Kubernetes.Distribution == "" {
		return Offer{Default: none, own: true, closed: needsKubernetes}, nil
	}
	known := d.starter.components(specs.KindMesh)
	own := none
	for name, c := range known {
		if slices.Contains(c.Variants, d.Spec.Variant) {
			own = name
		}
	}
	return d.among(ctx, own, componentNames(specs.KindMesh)(d.starter.Catalog), func(name string) string {
		if name == none {
			return ""
		}
		return known[name].Version
	}, func(d *Draft, name string) { d.Spec.Mesh.Name = name }), nil
}

func targets(ctx context.Context, d *Draft) (Offer, error) {
	p, err := d.any(ctx)
	if err != nil {
		return Offer{}, err
	}
	fits := configured(key.ISOCloudConfig)
	if p.Disk.Firmware != nil {
		fits = configured(key.DiskCloudConfig)
	}
	o := Offer{Choices: targetChoices()}
	for _, t := range frontend.Targets() {
		if o.Default == "" && first(t) && fits(t) {
			o.Default = t.Name
		}
	}
	return o, nil
}

// first reports whether a target is one to build first: the image, or what a machine starts from.
func first(t frontend.Target) bool {
	return t.Output == frontend.SystemImage || t.Output == frontend.Files && !t.CloudConfig.IsZero()
}

func targetChoices() (all []Choice) {
	for _, t := range frontend.Targets() {
		if first(t) {
			all = append(all, Choice{t.Name, t.Description})
		}
	}
	return all
}

func (d *Draft) setTarget(word string) error {
	t, err := frontend.TargetByName(word)
	if err != nil {
		return err
	}
	if !first(t) {
		return errors.Errorf("%q is no target to build first; %s", word, specs.Suggest(word, Offer{Choices: targetChoices()}.names()))
	}
	d.Target = t
	return nil
}

func users(_ context.Context, d *Draft) (Offer, error) {
	if d.Target.CloudConfig.IsZero() {
		return Offer{closed: "the target " + d.Target.Name + " has no cloud-config"}, nil
	}
	return Offer{Free: true}, nil
}

// userNames are those that useradd(8) takes.
var userNames = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

func (d *Draft) setUser(word string) error {
	if word != "" && !userNames.MatchString(word) {
		return errors.Errorf("%q is not the name of a user; use lower case letters, digits, _ and -", word)
	}
	d.machine.user = word
	return nil
}

func sshKeys(_ context.Context, d *Draft) (Offer, error) {
	if d.machine.user == "" {
		return Offer{own: true, closed: needsUser}, nil
	}
	o := Offer{Free: true}
	for _, k := range d.starter.Keys {
		o.Choices = append(o.Choices, Choice{Name: k.Name})
	}
	if len(o.Choices) > 0 {
		o.Default = o.Choices[0].Name
	}
	return o, nil
}

// installations are what an installer can do.
func installations() []Choice {
	return []Choice{{"ask", "ask before it installs"}, {"reboot", "install at once, then reboot"}, {"poweroff", "install at once, then power off"}}
}

func installNames() []string { return Offer{Choices: installations()}.names() }

func installers(_ context.Context, d *Draft) (Offer, error) {
	o := Offer{Choices: installations(), Default: installations()[0].Name}
	switch {
	case d.Target.CloudConfig != key.ISOCloudConfig:
		o.closed = "the target " + d.Target.Name + " has no installer"
	case d.machine.user == "":
		o.closed = needsUser
	}
	return o, nil
}

func (d *Draft) setInstall(word string) error {
	if names := installNames(); !slices.Contains(names, word) {
		return errors.Errorf("%q is nothing that an installer does; %s", word, specs.Suggest(word, names))
	}
	d.machine.install = word
	return nil
}
