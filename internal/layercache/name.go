package layercache

import (
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// target is what a path of the registry's API asks for.
type target struct {
	repo name.Repository
	// kind is manifests or blobs.
	kind string
	// ref is a tag or a digest.
	ref string
}

// port is the end of a registry's name in a path, where a port follows an underscore: the name of
// an image has no other colon than that of the tag.
var port = regexp.MustCompile(`_([0-9]+)$`)

// parse reads a path such as /v2/quay.io/org/img/manifests/v1.
func parse(path string, insecure []string) (target, error) {
	const hint = "write the registry first, such as localhost:5000/quay.io/org/img:v1"
	rest, ok := strings.CutPrefix(path, "/v2/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 4 {
		return target{}, nameInvalid("%s is no path of an image: %s", path, hint)
	}
	t := target{kind: parts[len(parts)-2], ref: parts[len(parts)-1]}
	if t.kind != "manifests" && t.kind != "blobs" {
		return target{}, unsupported("%s: only images can be pulled here", path)
	}
	host := port.ReplaceAllString(parts[0], ":$1")
	if !strings.ContainsAny(host, ".:") && host != "localhost" {
		return target{}, nameInvalid("%s is not the name of a registry: %s", parts[0], hint)
	}
	var options []name.Option
	if slices.Contains(insecure, host) {
		options = append(options, name.Insecure)
	}
	repo, err := name.NewRepository(host+"/"+strings.Join(parts[1:len(parts)-2], "/"), options...)
	if err != nil {
		return target{}, nameInvalid("%v", err)
	}
	t.repo = repo
	return t, nil
}

// digest is the digest that a target names; ok is false for a tag.
func (t target) digest() (h v1.Hash, ok bool) {
	h, err := v1.NewHash(t.ref)
	return h, err == nil
}

// image is how a source of an upgrade names the image of a target, after the address of the cache.
func image(path, ref string) string {
	repo := strings.TrimPrefix(path, "/v2/")
	repo = repo[:strings.LastIndex(repo, "/manifests/")]
	if _, err := v1.NewHash(ref); err == nil {
		return repo + "@" + ref
	}
	return repo + ":" + ref
}
