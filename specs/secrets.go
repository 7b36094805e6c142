package specs

import (
	"maps"
	"slices"

	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// SigningSecret is the id of the build secret with the private key of the certificates that extensions
// are signed with.
const SigningSecret = "sysext.key"

// Secret is a build secret that a value of a spec asks for.
type Secret struct {
	// ID is what the build passes it by.
	ID string
	// Key of the value.
	Key key.Key
	// Missing is the rule that a build without the secret breaks.
	Missing rules.Rule
}

// Secrets are the build secrets that the spec asks for. Several values may ask for the same one.
func (d *Document) Secrets() (all []Secret) {
	add := func(id string, k key.Key, missing rules.Rule) {
		if id != "" {
			all = append(all, Secret{id, k, missing})
		}
	}
	add(d.Spec.CA.Secret, key.CASecret, rules.InvalidCertificate)
	for i, r := range d.Spec.Repositories {
		at := key.Repositories.Item(i)
		add(r.Secret, at.Secret(), rules.RepositoryRefused)
		add(r.Certificate, at.Certificate(), rules.RepositoryRefused)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Spec.Components)) {
		add(d.Spec.Components[name].Secret, key.Components.Entry(name).Secret(), rules.DownloadRefused)
	}
	sign := func(certificate Content, k key.Key) {
		if !certificate.IsZero() {
			add(SigningSecret, k.Certificate(), rules.InvalidCertificate)
		}
	}
	for _, e := range d.Extensions() {
		sign(e.Certificate, e.Key)
	}
	sign(d.Spec.Kubernetes.Certificate, key.Kind(KindKubernetes))
	return all
}
