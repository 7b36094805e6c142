package graph

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Layout is an OCI layout that the client of a build holds.
type Layout struct {
	// Session of the client, and the name of the layout in it.
	Session, Store string
}

// Blob is a file of the layout, with a name of its own. BuildKit verifies it.
func (l Layout) Blob(d digest.Digest, opts ...llb.ImageBlobOption) llb.State {
	return llb.OCILayoutBlob("oci-layout@"+d.String(), append(opts, llb.ImageBlobOCIStore(l.Session, l.Store))...)
}

// Blob downloads a blob of an image, named by the digits of its digest. Blobs of one image share a line
// of the progress output.
func (s Stage) Blob(from func(digest.Digest, ...llb.ImageBlobOption) llb.State, title string, d digest.Digest) llb.State {
	opts := []llb.ImageBlobOption{llb.Filename(d.Encoded())}
	for _, o := range s.options(title) {
		opts = append(opts, o)
	}
	return from(d, opts...)
}

// Blobs are those of a container image for a platform.
type Blobs struct {
	// Root is the index or the manifest that names the image.
	Root ocispecs.Descriptor
	// Files are all of them, Root among them. Each is at the top of its state, named by the digits of
	// its digest.
	Files map[digest.Digest]llb.State
}

// Bundle has downloads by their digests.
type Bundle struct {
	Layout
	Files map[digest.Digest]bool
}

// Has reports whether a download is in the bundle. Nil is no bundle.
func (b *Bundle) Has(sum digest.Digest) bool { return b != nil && b.Files[sum] }

// Fetch downloads a file, and verifies it if its digest is known. It is then at the top of the state.
func (s Stage) Fetch(title, url, file string, sum digest.Digest) llb.State {
	return s.fetch(url, file, sum, s.options(title))
}

// FetchOf downloads one of many files, which share a line of the progress output. explain is for a
// failed download.
func (s Stage) FetchOf(group, title, url, file string, sum digest.Digest, explain ExplainFetch) llb.State {
	shared := s.title(group)
	return s.fetch(url, file, sum, append(s.options(title), llb.ProgressGroup(shared, shared, false), s.graph.explanations.addFetch(Fetch{URL: url, Explain: explain})))
}

// fetch takes a file from the bundle, or downloads it.
func (s Stage) fetch(url, file string, sum digest.Digest, about []llb.ConstraintsOpt) llb.State {
	if s.graph.Bundle.Has(sum) {
		opts := []llb.ImageBlobOption{llb.Filename(file)}
		for _, o := range about {
			opts = append(opts, o)
		}
		return s.graph.Bundle.Blob(sum, opts...)
	}
	opts := []llb.HTTPOption{llb.Filename(file)}
	if sum != "" {
		opts = append(opts, llb.Checksum(sum))
	}
	for _, o := range about {
		opts = append(opts, o)
	}
	return llb.HTTP(url, opts...)
}
