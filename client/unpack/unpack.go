// Package unpack writes the files of an image into a directory, such as the disk in a data image.
package unpack

import (
	"context"
	"io"
	"os"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/solve"
)

// Options of Unpack.
type Options struct {
	// Arch chooses an image where there are images for several architectures, such as arm64.
	Arch string
	// Registries say how to reach images in registries.
	Registries inspect.Registries
	// Force replaces files that exist.
	Force bool
	// Owners keeps owners, and the setuid, setgid and sticky bits. It needs root.
	Owners bool
	// Status gets the progress: a step for each layer, with its larger files. It is closed at the
	// end, and may be nil.
	Status chan<- *client.SolveStatus
}

// Result says what was written.
type Result struct {
	// Files is the number of files and links, and Size that of their bytes.
	Files int
	Size  int64
}

// Unpack writes the files of an image into a directory, which is made if it is missing. The image is
// named as for inspect.Read. Files appear when all layers have the checksums of the image: until
// then, they are in a hidden directory there. Of devices and pipes it writes none, and of links only
// those that stay in the directory; others are errors.
func Unpack(ctx context.Context, name, dir string, opt Options) (Result, error) {
	show := &progress{status: opt.Status}
	defer show.close()
	p, closer, err := inspect.Open(ctx, name, inspect.Options{Arch: opt.Arch, Registries: opt.Registries})
	if err != nil {
		return Result{}, err
	}
	defer closer.Close()
	image := p.Image
	config, err := image.ConfigFile()
	if err != nil {
		return Result{}, errors.Wrapf(err, "read the configuration of the image %s", name)
	}
	layers, err := image.Layers()
	if err != nil {
		return Result{}, errors.Wrapf(err, "read the layers of the image %s", name)
	}
	if len(config.RootFS.DiffIDs) != len(layers) {
		return Result{}, errors.Errorf("the image %s has %d layers, and its configuration %d", name, len(layers), len(config.RootFS.DiffIDs))
	}
	out, err := solve.OutputDir(dir)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = out.Discard() }()
	root, err := os.OpenRoot(out.Entry.OutputDir)
	if err != nil {
		return Result{}, err
	}
	defer root.Close()
	t := &target{root: root, dir: dir, force: opt.Force, owners: opt.Owners, made: map[string]directory{}}
	for i, id := range config.RootFS.DiffIDs {
		content, err := layers[i].Uncompressed()
		if err == nil {
			err = show.layer(id, func(s *step) error { return t.apply(ctx, id, content, s) })
			_ = content.Close()
		}
		if err != nil {
			return Result{}, errors.Wrapf(err, "unpack the layer %s", id)
		}
	}
	result, err := t.count()
	if err != nil {
		return Result{}, err
	}
	if result.Files == 0 {
		return Result{}, errors.Errorf("the image %s has no files", name)
	}
	if _, err := out.Commit(); err != nil {
		return Result{}, err
	}
	return result, t.finish()
}

// contextReader ends with the context.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
