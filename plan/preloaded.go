package plan

import (
	"path"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Preloaded is a container image in an archive of the system, as an OCI layout in a tar.
type Preloaded struct {
	// Image is the reference.
	Image string `json:"image" yaml:"image"`
	// Path of the archive.
	Path string `json:"path" yaml:"path"`
}

// preloaded are the container images of the spec, at the place from which the Kubernetes of a system
// loads them.
func (r *resolver) preloaded(p *Plan) []Preloaded {
	if len(r.spec.Images) == 0 || !r.sure(key.Variant) {
		return nil
	}
	kubernetes, ok := kubernetesOf(p.AllComponents())
	if !ok {
		r.report(rules.InapplicableKey, key.Images, "choose variant: standard, or remove them", "nothing in this system runs container images: it has no Kubernetes")
		return nil
	}
	dir := r.cat.Components[kubernetes.Name].Images
	if dir == "" {
		r.report(rules.UnsupportedChoice, key.Images, "", "%s does not load container images from files", kubernetes.Name)
		return nil
	}
	var all []Preloaded
	for _, ref := range r.spec.Images {
		all = append(all, Preloaded{Image: ref, Path: path.Join(dir, archiveName(ref))})
	}
	return all
}

// archiveName is the name of the archive of an image. A long one ends in a digest, as file names have
// 255 bytes at most.
func archiveName(ref string) string {
	name := strings.NewReplacer("/", "_", ":", "_", "@", "_").Replace(ref)
	const most = 150
	if len(name) > most {
		name = name[:most] + "-" + digest.FromString(ref).Encoded()
	}
	return name + ".tar"
}
