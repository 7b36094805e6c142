// Package inspect reads what is inside a built Kairos system: an image, an ISO or a disk. It needs no
// root, mounts nothing and runs nothing.
package inspect

import (
	"context"

	"github.com/pkg/errors"
)

// Options of Read.
type Options struct {
	// Arch chooses an image where there are images for several architectures, such as arm64.
	Arch string
	// Contents is true to read all files, for their checksums. Compare needs them.
	Contents bool
	// Registries say how to reach images in registries.
	Registries Registries
	// programs is true to read the Go programs, for Bill.
	programs bool
}

// Report is what was found. Sizes are in bytes.
type Report struct {
	// Name is what was read: a path or the name of an image.
	Name string `json:"name"`
	// Format is what it is, for people, such as OCI layout.
	Format string `json:"format"`
	// Image is nil for media.
	Image *Image `json:"image,omitempty"`
	// Medium is nil for images.
	Medium *Medium `json:"medium,omitempty"`
	// System is the root filesystem.
	System *System `json:"system"`
	// Unread is what could not be read, each with the reason.
	Unread []string `json:"unread,omitempty"`
}

// Read reads a built system. The name is a path, an image in a registry, or one of the two as for
// docker buildx build: oci-layout://PATH, docker-image://NAME. It fails if there is no Kairos in it.
func Read(ctx context.Context, name string, opt Options) (*Report, error) {
	r, err := read(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	if r.System.Release == nil {
		return nil, errors.Errorf("%s (%s) is not a Kairos system: it has no /%s; found %s", name, r.Format, releaseFile, r.System.summary())
	}
	return r, nil
}

// read reads a built system of any kind.
func read(ctx context.Context, name string, opt Options) (*Report, error) {
	s, err := find(name)
	if err != nil {
		return nil, err
	}
	r, err := s.read(ctx, s.path, opt)
	if err != nil {
		return nil, errors.Wrapf(err, "read %s as %s", s.path, s.format)
	}
	r.Name, r.Format, r.Unread = name, s.format, append(r.Unread, r.System.unread...)
	return r, nil
}
