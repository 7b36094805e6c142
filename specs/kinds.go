package specs

import "github.com/flavorkit/flavorkit/specs/key"

// Kind of component. A system has one component of each kind at most.
type Kind struct {
	// Name of the kind, which is also the key of the spec that chooses one.
	Name string
	// Key and NameKey are the keys of the spec that choose a component and its name. They are zero
	// when only the variant decides.
	Key, NameKey key.Key
	// None is true when a spec can have none, with the name NoMesh.
	None bool
	// Choice returns what a spec chooses; nil when only the variant decides.
	Choice func(Spec) Choice
}

// Choice is a component that a spec chooses. Empty fields are left to the catalog.
type Choice struct{ Name, Version string }

// KindKubernetes is the kind that appears in names and versions of systems.
const KindKubernetes = "kubernetes"

// Kinds are all kinds of components.
func Kinds() []Kind {
	return []Kind{
		{
			Name: KindKubernetes, Key: key.Kubernetes, NameKey: key.KubernetesName,
			Choice: func(s Spec) Choice { return Choice{s.Kubernetes.Distribution, s.Kubernetes.Version} },
		},
		{
			Name: "mesh", Key: key.Mesh, NameKey: key.MeshName, None: true,
			Choice: func(s Spec) Choice { return Choice{s.Mesh.Name, s.Mesh.Version} },
		},
		{Name: "provider"},
	}
}

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
