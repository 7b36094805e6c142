package frontend

import (
	"maps"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flavorkit/flavorkit/plan"
)

// imageConfig returns the configuration of the result. Created is empty: the exporter takes it from
// the history, which has the epoch.
func imageConfig(p *plan.Plan, platform ocispecs.Platform, base *dockerspec.DockerOCIImage, labels map[string]string, t Target) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	img.Platform = platform
	description := describeSystem(p)
	switch t.Output {
	case SystemImage:
		img.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	case DataImage:
		description = "Disk image of " + description
	}
	if base != nil {
		img.History = base.History
	}
	img.Config.Labels = map[string]string{
		ocispecs.AnnotationTitle:       p.Image + t.Suffix,
		ocispecs.AnnotationDescription: description,
	}
	if p.Version != "" { // else the image of the spec has its own
		img.Config.Labels[ocispecs.AnnotationVersion] = p.Version
	}
	maps.Copy(img.Config.Labels, labels)
	return img
}

// describeSystem describes the system in a few words.
func describeSystem(p *plan.Plan) string {
	if p.Source != nil {
		return "Kairos of " + p.Source.Image + ", for " + p.Arch
	}
	text := "Kairos on " + p.Userland.Distro
	switch {
	case p.Kernel.Own != nil:
		text += " with a custom kernel"
	case p.Kernel.Distro != p.Userland.Distro:
		text += " with the kernel of " + p.Kernel.Distro
	}
	if k, ok := p.Kubernetes(); ok {
		text += ", " + k.Name + " " + k.Version
	}
	return text + ", for " + p.Arch
}
