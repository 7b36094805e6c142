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

// transport trusts the authority.
func (r Registries) transport() (http.RoundTripper, error) {
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
	image, _, err := openRegistry(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	return readManifestImage(ctx, image, opt)
}

// openRegistry opens an image in a registry, with the credentials of docker login.
func openRegistry(ctx context.Context, image string, opt Options) (v1.Image, io.Closer, error) {
	nothing := io.NopCloser(nil)
	ref, err := name.ParseReference(plan.MirroredImage(image, opt.Registries.Mirrors))
	if err != nil {
		return nil, nil, err
	}
	transport, err := opt.Registries.transport()
	if err != nil {
		return nil, nil, err
	}
	found, err := remote.Get(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(transport))
	if err != nil {
		return nil, nil, err
	}
	if !found.MediaType.IsIndex() {
		only, err := found.Image()
		return only, nothing, err
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
	chosen, err := index.Image(d.Digest)
	return chosen, nothing, err
}
