// Package bundle describes bundles: OCI layouts with everything that builds of a locked spec need,
// so that they need no network.
//
// The layout has an image for each named context, and a manifest with the tag Tag: its configuration
// is a Bundle, its layers are the downloads. Beside the layout are the directories of the spec.
package bundle

import (
	"encoding/json"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

// Names in a bundle.
const (
	// Tag of the manifest.
	Tag = "bundle"
	// ContextName is the named context that gives a build its bundle.
	ContextName = "flavorkit-bundle"
	// FrontendName is the named context with the frontend image, when a bundle is written.
	FrontendName = "flavorkit-frontend"
	// FrontendTag is the tag of the frontend image.
	FrontendTag = "frontend"

	// SpecDir has the spec or the matrix, and the files beside it that it extends. ContextDir has the
	// files that they take from the build context.
	SpecDir    = "spec"
	ContextDir = "context"
	Readme     = "README.md"
)

// Types of what the manifest names.
const (
	ArtifactType = "application/vnd.flavorkit.bundle"
	ConfigType   = "application/vnd.flavorkit.bundle.v1+json"
	DownloadType = "application/octet-stream"
)

// Version of the format.
const Version = 1

// Bundle is what a bundle is for, and what it has.
type Bundle struct {
	Version int `json:"version"`
	// Spec is the file name of the spec, or of the matrix.
	Spec string `json:"spec"`
	// Entries are the names of those of the matrix; none for a spec.
	Entries []string `json:"entries,omitempty"`
	// Platforms of the systems, such as linux/amd64.
	Platforms []string `json:"platforms"`
	// Args are the build arguments of the systems.
	Args map[string]string `json:"args,omitempty"`
	// Contexts are the images and directories that builds take.
	Contexts []Context `json:"contexts"`
	// Beside is the digest of a tar archive of what is beside the layout.
	Beside digest.Digest `json:"beside"`
}

// Context is a named context.
type Context struct {
	// Name as BuildKit looks it up. That of an image has its platform, NAME::PLATFORM; a directory is
	// for all platforms.
	Name string `json:"name"`
	// Digest of its image.
	Digest digest.Digest `json:"digest"`
}

// Read reads the configuration of a bundle.
func Read(data []byte) (*Bundle, error) {
	var format struct{ Version int }
	if err := json.Unmarshal(data, &format); err != nil {
		return nil, errors.Wrap(err, "read what the bundle is for")
	}
	if format.Version != Version {
		return nil, errors.Errorf("the bundle has the format %d, and this version of flavorkit reads %d; use the version of flavorkit that wrote it", format.Version, Version)
	}
	b := &Bundle{}
	return b, errors.Wrap(json.Unmarshal(data, b), "read what the bundle is for")
}

// ReadManifest reads the manifest of a bundle.
func ReadManifest(data []byte) (*ocispecs.Manifest, error) {
	m := &ocispecs.Manifest{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, errors.Wrap(err, "read the manifest of the bundle")
	}
	if m.Config.MediaType != ConfigType {
		return nil, errors.Errorf("the manifest is none of a bundle: its configuration has the type %q", m.Config.MediaType)
	}
	return m, nil
}

// Contents are what the frontend puts into a bundle. The files themselves are in its result, named by
// the digits of their SHA-256.
type Contents struct {
	Platforms []string `json:"platforms"`
	// Entries are the names of those of a matrix; none for a spec.
	Entries []string `json:"entries,omitempty"`
	// Spec are the files that were read beside the spec or the matrix, among them the lock file.
	Spec []string `json:"spec"`
	// Files are the paths that the spec takes from the build context.
	Files []string `json:"files"`
	// Images have the names of contexts.
	Images []Image `json:"images"`
	// Downloads in the order of their digests.
	Downloads []Download `json:"downloads"`
}

// Image is a container image.
type Image struct {
	Name string `json:"name"`
	// Root is its manifest, or the index that has it.
	Root ocispecs.Descriptor `json:"root"`
}

// Download is a file with its public address.
type Download struct {
	URL    string        `json:"url"`
	Digest digest.Digest `json:"digest"`
}
