package inspect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan"
)

// Registries are how a network reaches registries.
type Registries struct {
	// Mirrors are what names of images begin with, and what they begin with instead (specs.Mirrors).
	Mirrors map[string]string
	// Authority has certificates in PEM that are trusted beside those of the system; nil for none.
	Authority []byte
}

// Transport trusts the authority.
func (r Registries) Transport() (http.RoundTripper, error) {
	base, ok := remote.DefaultTransport.(*http.Transport)
	if !ok || r.Authority == nil {
		return remote.DefaultTransport, nil
	}
	trusted, err := x509.SystemCertPool()
	if err != nil {
		return nil, errors.Wrap(err, "read the certificates of the system")
	}
	if !trusted.AppendCertsFromPEM(r.Authority) {
		return nil, errors.New("the authority has no certificate in PEM")
	}
	t := base.Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
	return t, nil
}

// readRegistry reads an image in a registry.
func readRegistry(ctx context.Context, name string, opt Options) (*Report, error) {
	p, _, err := openRegistry(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	return readManifestImage(ctx, p.Image, opt)
}

// reference is where a registry has an image: at a mirror, if there is one.
func (r Registries) reference(image string) (name.Reference, error) {
	return name.ParseReference(plan.MirroredImage(image, r.Mirrors))
}

// remote are the options to talk to a registry, with the credentials of docker login.
func (r Registries) remote(ctx context.Context) ([]remote.Option, error) {
	over, err := r.Transport()
	if err != nil {
		return nil, err
	}
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(over)}, nil
}

// openRegistry opens an image in a registry.
func openRegistry(ctx context.Context, image string, opt Options) (*Published, io.Closer, error) {
	nothing := io.NopCloser(nil)
	ref, err := opt.Registries.reference(image)
	if err != nil {
		return nil, nil, err
	}
	options, err := opt.Registries.remote(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, err := remote.Get(ref, options...)
	if err != nil {
		return nil, nil, err
	}
	p := &Published{
		Name: ref.Context().Name(), Digest: found.Digest,
		Tagged: func(tag string) (v1.Image, error) { return tagged(ref.Context().Tag(tag), options...) },
		Put:    func(tag string, image v1.Image) error { return remote.Write(ref.Context().Tag(tag), image, options...) },
	}
	if !found.MediaType.IsIndex() {
		p.Image, err = found.Image()
		return p, nothing, err
	}
	index, err := found.ImageIndex()
	if err != nil {
		return nil, nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, nil, err
	}
	d, err := choose(manifest, opt.Arch)
	if err != nil {
		return nil, nil, err
	}
	if p.Image, err = index.Image(d.Digest); err != nil {
		return nil, nil, err
	}
	p.Attestations, err = attestations(manifest, d.Digest, index.Image)
	return p, nothing, err
}

// tagged reads an image of a registry; nil if there is none with this tag.
func tagged(tag name.Tag, options ...remote.Option) (v1.Image, error) {
	image, err := remote.Image(tag, options...)
	var failure *transport.Error
	if errors.As(err, &failure) && failure.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	return image, err
}
