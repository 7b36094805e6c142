package solve

import (
	"os"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/moby/buildkit/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/tonistiigi/fsutil"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/frontend"
)

// addContext adds a named context, written as for docker buildx build --build-context.
func addContext(opt *client.SolveOpt, name, value string) error {
	key := frontend.ContextKey(name)
	switch {
	case strings.HasPrefix(value, "oci-layout://"):
		return addLayout(opt, key, strings.TrimPrefix(value, "oci-layout://"))
	case strings.HasPrefix(value, "docker-image://"), strings.HasPrefix(value, "https://"), strings.HasPrefix(value, "http://"),
		strings.HasPrefix(value, "git@"), strings.HasPrefix(value, "git://"):
		opt.FrontendAttrs["context:"+key] = value
		return nil
	}
	if strings.HasPrefix(value, "ssh://") {
		return errors.New("write a git repository over SSH as git@HOST:PATH")
	}
	if info, err := os.Stat(value); err != nil || !info.IsDir() {
		return errors.Errorf("there is no directory %s", value)
	}
	fs, err := fsutil.NewFS(value)
	if err != nil {
		return err
	}
	opt.LocalMounts[key] = fs
	opt.FrontendAttrs["context:"+key] = "local:" + key
	return nil
}

// addLayout adds an image of an OCI layout: path, path:tag or path@digest.
func addLayout(opt *client.SolveOpt, key, value string) error {
	path, digest, pinned := strings.Cut(value, "@")
	if !pinned {
		var tag string
		if path, tag, _ = strings.Cut(value, ":"); tag == "" {
			tag = "latest"
		}
		var err error
		if digest, err = findTag(path, tag); err != nil {
			return err
		}
	}
	store, err := local.NewStore(path)
	if err != nil {
		return errors.Wrapf(err, "open the OCI layout %s", path)
	}
	if opt.OCIStores == nil {
		opt.OCIStores = map[string]content.Store{}
	}
	// The name of a store must look like that of an image, so the key cannot be its name.
	name := "layout-" + strings.NewReplacer("/", "-", ":", "-", ".", "-").Replace(strings.ToLower(key))
	opt.OCIStores[name] = store
	opt.FrontendAttrs["context:"+key] = "oci-layout:" + name + "@" + digest
	return nil
}

// findTag returns the digest of a tag in an OCI layout. A layout with one image needs no tag.
func findTag(path, tag string) (string, error) {
	index, err := layout.ImageIndexFromPath(path)
	if err != nil {
		return "", errors.Wrapf(err, "open the OCI layout %s", path)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", errors.Wrapf(err, "read the index of the OCI layout %s", path)
	}
	images := slices.DeleteFunc(manifest.Manifests, inspect.IsSignature)
	for _, m := range images {
		if len(images) == 1 || m.Annotations[ocispecs.AnnotationRefName] == tag {
			return m.Digest.String(), nil
		}
	}
	return "", errors.Errorf("the OCI layout %s has no tag %q", path, tag)
}
