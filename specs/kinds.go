package specs

import "github.com/flavorkit/flavorkit/specs/key"

// Kind of component. A system has one component of each kind at most.
type Kind struct {
	// Name of the kind, which is also the key of the spec that chooses one.
	Name string
	// Key and NameKey are where the spec chooses a component, and names it. They
	// are zero when the variant alone decides.
	Key, NameKey key.Key
	// None tells that a spec can do without, with the name NoMesh.
	None bool
	// Choice reads what a spec chooses; nil when the variant alone decides.
	Choice func(Spec) Choice
}

// Choice is a component that a spec chooses. What is empty is left to the
// catalog.
type Choice struct{ Name, Version string }

// KindKubernetes is the kind that names and versions of systems show.
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

// KindByName returns a kind; that of programs without one has no name.
func KindByName(name string) Kind {
	for _, k := range Kinds() {
		if k.Name == name {
			return k
		}
	}
	return Kind{}
}
