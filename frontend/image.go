package frontend

import (
	"maps"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flavorkit/flavorkit/plan"
)

// imageConfig is the configuration of the result. Created is left out: the
// exporter takes it from the history, and that from the epoch.
func imageConfig(p *plan.Plan, platform ocispecs.Platform, base *dockerspec.DockerOCIImage, labels map[string]string, t target) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	img.Platform = platform
	title := p.Image
	if t.carrier {
		// The usual suffix of images that contain a disk image (contract 5.3).
		title += "-img"
	} else {
		img.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	}
	if base != nil {
		img.History = base.History
	}
	img.Config.Labels = map[string]string{
		ocispecs.AnnotationTitle:       title,
		ocispecs.AnnotationVersion:     p.Version(),
		ocispecs.AnnotationDescription: t.description,
	}
	maps.Copy(img.Config.Labels, labels)
	return img
}
