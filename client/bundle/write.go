// Package bundle writes bundles and opens them. Package plan/bundle says what is in one.
package bundle

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan/bundle"
)

// Options of a bundle that is written.
type Options struct {
	// Files is a directory with the result of the frontend, on the file system of the bundle. It is
	// emptied.
	Files string
	// Contents is what the frontend says about them.
	Contents bundle.Contents
	// Spec is the path of the spec or the matrix, Context the directory of the build context.
	Spec, Context string
	// Dirs are the named contexts that are directories.
	Dirs map[string]string
	// Args are the build arguments.
	Args map[string]string
}

// Write writes a bundle into an empty directory.
func Write(ctx context.Context, dir string, o Options) error {
	w := writer{layout: layout(dir), Options: o}
	if err := os.MkdirAll(filepath.Dir(w.blob(digest.FromBytes(nil))), 0o755); err != nil {
		return err
	}
	if err := w.takeFiles(); err != nil {
		return errors.Wrap(err, "take what was downloaded")
	}
	beside := append(slices.Clone(o.Contents.Spec), filepath.Base(o.Spec))
	if err := copyPaths(ctx, filepath.Dir(o.Spec), filepath.Join(dir, bundle.SpecDir), beside); err != nil {
		return errors.Wrap(err, "copy the spec")
	}
	files := o.Contents.Files
	if len(files) > 0 {
		files = append(slices.Clone(files), ".dockerignore")
	}
	if err := copyPaths(ctx, o.Context, filepath.Join(dir, bundle.ContextDir), files); err != nil {
		return errors.Wrap(err, "copy the files of the build context")
	}
	if err := w.addContexts(ctx); err != nil {
		return err
	}
	return w.finish(ctx)
}

// writer writes a bundle.
type writer struct {
	layout
	Options
	contexts []bundle.Context
	// index has all images.
	index []ocispecs.Descriptor
}

// takeFiles moves what the frontend has downloaded among the blobs.
func (w *writer) takeFiles() error {
	entries, err := os.ReadDir(w.Files)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from := filepath.Join(w.Files, e.Name())
		if err := os.Chmod(from, 0o644); err != nil {
			return err
		}
		if err := os.Rename(from, w.blob(digest.NewDigestFromEncoded(digest.SHA256, e.Name()))); err != nil {
			return err
		}
	}
	return nil
}

// addContexts adds images and directories.
func (w *writer) addContexts(ctx context.Context) error {
	add := func(name string, d ocispecs.Descriptor) {
		tag, _, _ := strings.Cut(name, "::")
		if tag == bundle.FrontendName {
			tag = bundle.FrontendTag
		} else {
			w.contexts = append(w.contexts, bundle.Context{Name: name, Digest: d.Digest})
		}
		d.Annotations = map[string]string{ocispecs.AnnotationRefName: tag}
		if !slices.ContainsFunc(w.index, func(other ocispecs.Descriptor) bool { return other.Digest == d.Digest }) {
			w.index = append(w.index, d)
		}
	}
	for _, img := range w.Contents.Images {
		add(img.Name, img.Root)
	}
	for _, name := range slices.Sorted(maps.Keys(w.Dirs)) {
		d, err := w.addDir(ctx, w.Dirs[name])
		if err != nil {
			return errors.Wrapf(err, "bundle the named context %s", name)
		}
		add(frontend.ContextKey(name), d)
	}
	return nil
}

// finish writes what describes the bundle.
func (w *writer) finish(ctx context.Context) error {
	b := bundle.Bundle{
		Version: bundle.Version, Spec: filepath.Base(w.Spec), Entries: w.Contents.Entries, Platforms: w.Contents.Platforms, Args: w.Args, Contexts: w.contexts,
	}
	readme, err := readme(b, slices.ContainsFunc(w.index, func(d ocispecs.Descriptor) bool {
		return d.Annotations[ocispecs.AnnotationRefName] == bundle.FrontendTag
	}))
	if err != nil {
		return err
	}
	if err := write(filepath.Join(string(w.layout), bundle.Readme), readme); err != nil {
		return err
	}
	if b.Beside, err = beside(ctx, string(w.layout)); err != nil {
		return err
	}
	m := ocispecs.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageManifest, ArtifactType: bundle.ArtifactType,
		Layers: []ocispecs.Descriptor{},
	}
	if m.Config, err = w.addJSON(bundle.ConfigType, b); err != nil {
		return err
	}
	for _, d := range w.Contents.Downloads {
		info, err := os.Stat(w.blob(d.Digest))
		if err != nil {
			return err
		}
		m.Layers = append(m.Layers, ocispecs.Descriptor{
			MediaType: bundle.DownloadType, Digest: d.Digest, Size: info.Size(), Annotations: map[string]string{ocispecs.AnnotationTitle: d.URL},
		})
	}
	root, err := w.addJSON(ocispecs.MediaTypeImageManifest, m)
	if err != nil {
		return err
	}
	root.ArtifactType, root.Annotations = bundle.ArtifactType, map[string]string{ocispecs.AnnotationRefName: bundle.Tag}
	return w.writeIndex(append([]ocispecs.Descriptor{root}, w.index...))
}

func (w *writer) writeIndex(all []ocispecs.Descriptor) error {
	for name, value := range map[string]any{
		ocispecs.ImageLayoutFile: ocispecs.ImageLayout{Version: ocispecs.ImageLayoutVersion},
		ocispecs.ImageIndexFile: ocispecs.Index{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageIndex, Manifests: all,
		},
	} {
		data, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(string(w.layout), name), data); err != nil {
			return err
		}
	}
	return nil
}

func write(name string, data []byte) error {
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return err
	}
	return os.Chmod(name, 0o644)
}

// beside is the digest of what is beside the layout.
func beside(ctx context.Context, dir string) (digest.Digest, error) {
	sum := digest.SHA256.Digester()
	err := pack(ctx, dir, sum.Hash(), bundle.Readme, bundle.SpecDir, bundle.ContextDir)
	return sum.Digest(), err
}
