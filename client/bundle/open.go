package bundle

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan/bundle"
)

// Opened is a bundle in a directory, of which every byte was verified.
type Opened struct {
	*bundle.Bundle
	// Dir is the layout, Digest that of the manifest.
	Dir    string
	Digest digest.Digest
}

// Open verifies a bundle. An archive is unpacked into scratch, an empty directory.
func Open(ctx context.Context, name, scratch string) (*Opened, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, errors.Wrap(err, "open the bundle")
	}
	dir := name
	if !info.IsDir() {
		dir = scratch
		f, err := os.Open(name)
		if err != nil {
			return nil, errors.Wrap(err, "open the bundle")
		}
		defer f.Close()
		if err := unpack(ctx, f, dir); errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.Errorf("the bundle %s is truncated", name)
		} else if err != nil {
			return nil, errors.Wrapf(err, "unpack the bundle %s", name)
		}
	}
	o, err := verify(ctx, dir)
	return o, errors.Wrapf(err, "the bundle %s cannot be used", name)
}

// SpecFile is the path of the spec or the matrix of the bundle.
func (o *Opened) SpecFile() string { return filepath.Join(o.Dir, bundle.SpecDir, o.Spec) }

// ContextDir is the path of the build context.
func (o *Opened) ContextDir() string { return filepath.Join(o.Dir, bundle.ContextDir) }

// Directories unpacks the named contexts that are directories below dir, and returns their paths by name:
// clients read some of them before a build, such as a catalog.
func (o *Opened) Directories(ctx context.Context, dir string) (map[string]string, error) {
	all := map[string]string{}
	for _, c := range o.Contexts {
		if strings.Contains(c.Name, "::") {
			continue // an image
		}
		to, err := os.MkdirTemp(dir, "context-*")
		if err != nil {
			return nil, errors.Wrap(err, "unpack the named contexts of the bundle")
		}
		if err := layout(o.Dir).takeDir(ctx, c.Digest, to); err != nil {
			return nil, errors.Wrapf(err, "unpack the named context %s of the bundle", c.Name)
		}
		all[c.Name] = to
	}
	return all, nil
}

// verify reads every file of a bundle.
func verify(ctx context.Context, dir string) (*Opened, error) {
	l := layout(dir)
	data, err := os.ReadFile(filepath.Join(dir, ocispecs.ImageIndexFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, errors.Errorf("it has no %s: it is truncated, or no bundle", ocispecs.ImageIndexFile)
	case err != nil:
		return nil, err
	}
	var index ocispecs.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, errors.Wrapf(err, "read %s", ocispecs.ImageIndexFile)
	}
	o := &Opened{Dir: dir}
	for _, d := range index.Manifests {
		if d.Annotations[ocispecs.AnnotationRefName] == bundle.Tag {
			o.Digest = d.Digest
		}
	}
	if err := o.Digest.Validate(); err != nil {
		return nil, errors.Errorf("%s has no manifest of a bundle", ocispecs.ImageIndexFile)
	}
	if err := l.check(ctx); err != nil {
		return nil, err
	}
	if data, err = l.read(o.Digest); err != nil {
		return nil, err
	}
	m, err := bundle.ReadManifest(data)
	if err != nil {
		return nil, err
	}
	if data, err = l.read(m.Config.Digest); err != nil {
		return nil, err
	}
	if o.Bundle, err = bundle.Read(data); err != nil {
		return nil, err
	}
	for _, d := range m.Layers {
		if _, err := os.Stat(l.blob(d.Digest)); err != nil {
			return nil, errors.Errorf("it lacks %s, which is %s", d.Digest, d.Annotations[ocispecs.AnnotationTitle])
		}
	}
	for _, c := range o.Contexts {
		if err := l.checkImage(c.Digest); err != nil {
			return nil, errors.Wrapf(err, "the image of %s", c.Name)
		}
	}
	actual, err := beside(ctx, dir)
	if err != nil {
		return nil, err
	}
	if actual != o.Beside {
		return nil, errors.Errorf("%s, %s or %s is not what was bundled", bundle.Readme, bundle.SpecDir, bundle.ContextDir)
	}
	return o, nil
}

// checkImage looks for the blobs of an image. A bundle has only some of the images of an index.
func (l layout) checkImage(d digest.Digest) error {
	data, err := l.read(d)
	if err != nil {
		return err
	}
	var m struct {
		Manifests []ocispecs.Descriptor `json:"manifests"`
		ocispecs.Manifest
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return errors.Wrapf(err, "read %s", d)
	}
	some := false
	for _, child := range m.Manifests {
		if _, err := os.Stat(l.blob(child.Digest)); err != nil {
			continue
		}
		some = true
		if err := l.checkImage(child.Digest); err != nil {
			return err
		}
	}
	if len(m.Manifests) > 0 {
		if !some {
			return errors.Errorf("it lacks all images of the index %s", d)
		}
		return nil
	}
	for _, blob := range append(m.Layers, m.Config) {
		if _, err := os.Stat(l.blob(blob.Digest)); err != nil {
			return errors.Errorf("it lacks %s", blob.Digest)
		}
	}
	return nil
}
