package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Sets of overlay files of systems with Kubernetes in an extension.
const (
	// mediumOverlay is for the system: it installs the extensions of the medium.
	mediumOverlay = "extensions"
	// enabledOverlay is for the extension: it starts the units that the machine has enabled.
	enabledOverlay = "enabled"
)

// unitDir has the units of components.
const unitDir = "/usr/lib/systemd/system"

// Kubernetes returns the distribution of Kubernetes; ok is false if the system has none.
func (p *Plan) Kubernetes() (c Component, ok bool) { return kubernetesOf(p.Components) }

func kubernetesOf(components []Component) (c Component, ok bool) {
	at := slices.IndexFunc(components, func(c Component) bool { return c.Kind == specs.KindKubernetes })
	if at < 0 {
		return Component{}, false
	}
	return components[at], true
}

// besides parts the components of the extension of Kubernetes from those of the system.
func (r *resolver) besides(all []Component) (system, extension []Component) {
	if !r.spec.Kubernetes.AsExtension() {
		return all, nil
	}
	for _, c := range all {
		if specs.KindByName(c.Kind).WithKubernetes {
			extension = append(extension, r.merged(c))
		} else {
			system = append(system, c)
		}
	}
	return system, extension
}

// merged is a component at the path at which machines merge it.
func (r *resolver) merged(c Component) Component {
	to := r.cat.Components[c.Name].Merged
	if to == "" {
		return c
	}
	c.Links = slices.Clone(c.Links)
	for i := range c.Links {
		if c.Links[i].Target == c.Install {
			c.Links[i].Target = to
		}
	}
	c.Install = to
	return c
}

// kubernetesExtension is the extension of Kubernetes; ok is false if there is no Kubernetes. Its programs
// need no library of the system, so a system of another release merges it, too.
func (r *resolver) kubernetesExtension(d *catalog.Distro, init catalog.Init, components []Component, others []Extension) (e Extension, ok bool) {
	kubernetes, ok := kubernetesOf(components)
	if !ok {
		return Extension{}, false
	}
	at := key.Kind(specs.KindKubernetes)
	r.checkMerges(at.As(), d, init, true, "remove as")
	for _, other := range others {
		if other.Name == kubernetes.Name {
			r.report(rules.DuplicateEntry, other.Key().Name(), "choose another name", "the extension of Kubernetes has the name %s", other.Name)
		}
	}
	// The agent reads names as regular expressions, in which + is no plain character.
	file := kubernetes.Name + "-" + strings.ReplaceAll(kubernetes.Version, "+", "-")
	return Extension{
		At: at.String(), Name: kubernetes.Name, File: file,
		Install:    r.install(d),
		Components: components, Overlays: []string{enabledOverlay}, Medium: true,
		Services: enabledServices(components),
		Reload:   true, AnyDistro: true,
		Architecture: r.arch.Systemd,
		Seed:         guid("extension/" + file),
		Certificate:  r.content(at.Certificate(), r.spec.Kubernetes.Certificate),
		Tools:        r.tools("extension"),
	}, true
}

// enabledServices are the instances of the unit in enabledOverlay for the units of components.
func enabledServices(components []Component) (services []string) {
	for _, c := range components {
		for file := range c.Files {
			if path.Dir(file) == unitDir {
				services = append(services, "kairos-enabled@"+path.Base(file))
			}
		}
	}
	slices.Sort(services)
	return services
}

// AllComponents are those of the system and those of its extensions.
func (p *Plan) AllComponents() []Component {
	all := slices.Clone(p.Components)
	for _, e := range p.Extensions {
		all = append(all, e.Components...)
	}
	return all
}
