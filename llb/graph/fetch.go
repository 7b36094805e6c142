package graph

import (
	"strings"

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

// Download is a file to download.
type Download struct {
	// Title of the step, and the URL; or, of one of many files, which share a line of the progress
	// output, also the name of all of them.
	Title, URL, Group string
	// File is the name that it gets, at the top of the state.
	File string
	// Sum verifies it; empty for a file whose digest is not known.
	Sum digest.Digest
	// Secret is the id of the build secret with the header Authorization; empty for none.
	Secret string
	// Elsewhere are other URLs of a file with a digest. The next one counts when the one before has lost
	// the file (Graph.Lost).
	Elsewhere []string
	// Explain explains a failure. May be nil.
	Explain ExplainFetch
}

// Fetch downloads a file, or takes it from the bundle.
func (s Stage) Fetch(d Download) llb.State {
	lost := min(s.graph.Lost[d.Sum], len(d.Elsewhere))
	if lost > 0 {
		d.URL, d.Elsewhere = d.Elsewhere[lost-1], d.Elsewhere[lost:]
		d.Title += " from " + d.URL
	}
	about := s.options(d.Title)
	if d.Group != "" {
		shared := s.title(d.Group)
		about = append(about, llb.ProgressGroup(shared, shared, false))
	}
	if d.Explain != nil {
		about = append(about, s.graph.explanations.addFetch(d))
	}
	if s.graph.Bundle.Has(d.Sum) {
		opts := []llb.ImageBlobOption{llb.Filename(d.File)}
		for _, o := range about {
			opts = append(opts, o)
		}
		return s.graph.Bundle.Blob(d.Sum, opts...)
	}
	opts := []llb.HTTPOption{llb.Filename(d.File)}
	if d.Sum != "" {
		opts = append(opts, llb.Checksum(d.Sum))
	}
	if lost > 0 {
		// The URL is no part of the cache key of a file with a checksum: without anything else, BuildKit
		// takes this for the download that has failed, and does not try it (solver, edge merging).
		opts = append(opts, llb.Header(llb.HTTPHeader{Accept: "*/*" + strings.Repeat(", */*", lost-1)}))
	}
	if d.Secret != "" {
		opts = append(opts, llb.AuthHeaderSecret(d.Secret))
	}
	for _, o := range about {
		opts = append(opts, o)
	}
	return llb.HTTP(d.URL, opts...)
}
