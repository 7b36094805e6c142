package specs

import (
	"maps"
	"reflect"

	"github.com/flavorkit/flavorkit/specs/key"
)

// Choices are the keys of a spec that choose a component of a kind, by the name of the kind.
type Choices struct {
	// The Kubernetes of the standard variant. The default is k3s.
	Kubernetes Kubernetes `yaml:"kubernetes,omitempty" json:"kubernetes,omitzero"`
	// The network between the machines of the standard variant. The default is edgevpn.
	Mesh Mesh `yaml:"mesh,omitempty" json:"mesh,omitzero"`
}

// Kubernetes chooses a distribution of Kubernetes. As a plain string it is the distribution. It is
// installed but does not start by itself: the cloud-config of a machine enables it.
type Kubernetes struct {
	// A distribution of Kubernetes in the catalog: k3s or k0s.
	Distribution string `yaml:"distribution,omitempty" json:"distribution,omitempty"`
	// The version as the publisher writes it, such as v1.36.4+k3s1. The default is that of the
	// catalog.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// Where it is: system, in the image, or extension, in a system extension of its own with provider
	// and mesh, which the installer medium carries. The default is system.
	As string `yaml:"as,omitempty" json:"as,omitempty" jsonschema:"enum=system,enum=extension"`
	// The certificate that the extension is signed with, as that of extension.
	Certificate Content `yaml:"certificate,omitempty" json:"certificate,omitzero"`
}

// AsExtension reports whether Kubernetes is in an extension of its own.
func (k Kubernetes) AsExtension() bool { return k.As == "extension" }

// Shorthand is the key that a plain string sets.
func (Kubernetes) Shorthand() string { return "distribution" }

func (k Kubernetes) choice() Choice { return Choice{k.Distribution, k.Version} }

// Mesh chooses a mesh network. As a plain string it is the name. It is off until the cloud-config
// of a machine has a network token.
type Mesh struct {
	// The name of a mesh in the catalog, such as edgevpn, or none for no mesh.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// The version as the publisher writes it, such as v0.35.3. The default is that of the catalog.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
}

// Shorthand is the key that a plain string sets.
func (Mesh) Shorthand() string { return "name" }

func (m Mesh) choice() Choice { return Choice(m) }

// KindKubernetes is the kind that appears in names and versions of systems.
const KindKubernetes = "kubernetes"

// KindMesh is the kind of the network between machines.
const KindMesh = "mesh"

// KindCache is the kind of what keeps the layers of images on a machine.
const KindCache = "cache"

// NoMesh is the name of no mesh at all.
const NoMesh = "none"

// Kinds are all kinds of components. To add one, add a row; for one that a spec chooses, also a
// field of Choices with its type.
func Kinds() []Kind {
	return []Kind{
		{Name: KindKubernetes, chosen: func(c Choices) chooser { return c.Kubernetes }, version: "v1.36.4+k3s1", WithKubernetes: true},
		{Name: KindMesh, chosen: func(c Choices) chooser { return c.Mesh }, version: "v0.35.3", None: NoMesh, WithKubernetes: true},
		{Name: "provider", WithKubernetes: true},
		{Name: KindCache, at: key.UpgradeCache, on: func(s Spec) bool { return s.Upgrade.Cache }, settings: func(s Spec) map[string]string {
			return map[string]string{"size": s.Upgrade.CacheSize}
		}},
	}
}

// Kind of component. A system has one component of each kind at most.
type Kind struct {
	// Name of the kind, which is also the key of the spec that chooses one.
	Name string
	// None is the name for no component of the kind; empty when a spec cannot have none.
	None string
	// WithKubernetes tells that the component is where Kubernetes is: in the system or in its extension.
	WithKubernetes bool
	// chosen returns what a spec chooses; nil when only the variant decides.
	chosen func(Choices) chooser
	// version is an example of one, for messages.
	version string
	// on tells whether a spec switches the component of the kind on, with the key at; nil when no spec
	// switches it.
	on func(Spec) bool
	at key.Key
	// settings are those of the spec for the component; nil for none.
	settings func(Spec) map[string]string
}

// Choice is a component that a spec chooses. Empty fields are left to the catalog.
type Choice struct{ Name, Version string }

// chooser is a field of Choices. Its shorthand is the key with the name, and its key version the
// version of what is named.
type chooser interface {
	Shorthander
	choice() Choice
}

// isChooser reports whether a type is that of a field of Choices.
func isChooser(t reflect.Type) bool { return t.Implements(reflect.TypeFor[chooser]()) }

// InSpec reports whether a spec can choose the component of the kind.
func (k Kind) InSpec() bool { return k.chosen != nil }

// Switched reports whether a key of a spec switches the component of the kind on.
func (k Kind) Switched() bool { return k.on != nil }

// HasKey reports whether a key of a spec decides about the component of the kind.
func (k Kind) HasKey() bool { return k.InSpec() || k.Switched() }

// On reports whether a spec has the component of the kind, if it is switched on by a key.
func (k Kind) On(s Spec) bool { return !k.Switched() || k.on(s) }

// Settings are what a spec says to the component of the kind, without what it leaves to the component.
func (k Kind) Settings(s Spec) map[string]string {
	if k.settings == nil {
		return nil
	}
	settings := k.settings(s)
	maps.DeleteFunc(settings, func(_, value string) bool { return value == "" })
	return settings
}

// Choice returns what a spec chooses, if the kind is one of those in a spec.
func (k Kind) Choice(s Spec) Choice {
	if !k.InSpec() {
		return Choice{}
	}
	return k.chosen(s.Choices).choice()
}

// Key is the key of the spec that chooses the component, or switches it on.
func (k Kind) Key() key.Key {
	if k.Switched() {
		return k.at
	}
	return key.Kind(k.Name)
}

// Line is what to write in a spec for a component of the kind.
func (k Kind) Line(component string) string {
	if k.Switched() {
		return k.at.Line("true")
	}
	return k.Name + ": " + component
}

// NameKey is the key of the name of the component that is chosen.
func (k Kind) NameKey() key.Key { return k.Key().Entry(k.chosen(Choices{}).Shorthand()) }

// KindNames are the names of all kinds.
func KindNames() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// KindByName returns a kind; the zero kind for programs without one.
func KindByName(name string) Kind {
	for _, k := range Kinds() {
		if k.Name == name {
			return k
		}
	}
	return Kind{}
}
