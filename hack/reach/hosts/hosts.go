// Package hosts says which hosts a build downloads base images and programs from, and whether they
// answer.
package hosts

import (
	"encoding/json"
	"net/url"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// OfPlan lists the registries and publishers of a plan, except for those of what named contexts
// replace (name to source). The repositories of a distribution are not among them: its base image
// says where they are.
func OfPlan(p *plan.Plan, contexts map[string]string) ([]string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var all any
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	f := newFinder(contexts)
	err = f.walk(all)
	return catalog.Names(f.found), err
}

// OfImages lists the registries of images, except for those that named contexts replace.
func OfImages(images []string, contexts map[string]string) ([]string, error) {
	f := newFinder(contexts)
	for _, image := range images {
		if err := f.image(image); err != nil {
			return nil, err
		}
	}
	return catalog.Names(f.found), nil
}

// finder finds the hosts in a plan, by the keys that have images and URLs.
type finder struct {
	contexts map[string]string
	// replaced are the full names of images that named contexts replace.
	replaced map[string]bool
	found    map[string]bool
}

func newFinder(contexts map[string]string) *finder {
	f := &finder{contexts: contexts, replaced: map[string]bool{}, found: map[string]bool{}}
	for context := range contexts {
		if ref, err := name.ParseReference(context); err == nil {
			f.replaced[ref.Name()] = true
		}
	}
	return f
}

func (f *finder) walk(value any) error {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			if err := f.walk(item); err != nil {
				return err
			}
		}
	case map[string]any:
		if component, ok := v["name"].(string); ok && f.contexts[component] != "" {
			return nil
		}
		for key, item := range v {
			if err := f.value(key, item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *finder) value(key string, value any) error {
	text, ok := value.(string)
	switch {
	case !ok:
		return f.walk(value)
	case key == "base", key == "scriptImage":
		return f.image(text)
	case key == "url", key == "checksums":
		u, err := url.Parse(text)
		if err != nil {
			return err
		}
		f.found[u.Host] = true
	}
	return nil
}

func (f *finder) image(image string) error {
	ref, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	if !f.replaced[ref.Name()] {
		f.found[registryHost(ref.Context().RegistryStr())] = true
	}
	return nil
}

// registryHost is the host that images are pulled from.
func registryHost(registry string) string {
	if registry == name.DefaultRegistry {
		return "registry-1.docker.io"
	}
	return registry
}
