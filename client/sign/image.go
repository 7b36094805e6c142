package sign

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/pkg/errors"
	"github.com/sigstore/sigstore/pkg/signature/payload"

	"github.com/flavorkit/flavorkit/client/inspect"
)

// The format of cosign: an image of which each layer is a signed claim. Its tag is beside that of the
// signed image (github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md).
const (
	claimType  = types.MediaType("application/vnd.dev.cosign.simplesigning.v1+json")
	annotation = "dev.cosignproject.cosign/signature"
)

// Tag is the tag of the signatures of an image.
func Tag(digest v1.Hash) string { return digest.Algorithm + "-" + digest.Hex + FileSuffix }

// Image signs an image, which is named as for inspect.Read, and stores the signature beside it, where
// other signatures stay. It returns the digest that is signed.
func Image(ctx context.Context, k *Key, image string, opt inspect.Options) (v1.Hash, error) {
	p, closer, err := inspect.Open(ctx, image, opt)
	if err != nil {
		return v1.Hash{}, err
	}
	defer closer.Close()
	if p.Put == nil {
		return v1.Hash{}, errors.Errorf("%s has no room for a signature; sign the file", image)
	}
	old, err := p.Tagged(Tag(p.Digest))
	if err != nil {
		return v1.Hash{}, errors.Wrapf(err, "look for signatures of %s", image)
	}
	signed, err := addSignature(k, cmp.Or(p.Name, path.Base(image)), p.Digest, old)
	if err != nil {
		return v1.Hash{}, errors.Wrapf(err, "sign %s", image)
	}
	return p.Digest, errors.Wrapf(p.Put(Tag(p.Digest), signed), "store the signature of %s", image)
}

// addSignature adds a signature to those that an image has. The name is what the signature calls the
// image. old is nil if there are none.
func addSignature(k *Key, called string, digest v1.Hash, old v1.Image) (v1.Image, error) {
	claim, err := json.Marshal(payload.SimpleContainerImage{Critical: payload.Critical{
		Identity: payload.Identity{DockerReference: called},
		Image:    payload.Image{DockerManifestDigest: digest.String()},
		Type:     payload.CosignSignatureType,
	}})
	if err != nil {
		return nil, err
	}
	sig, err := k.sign(bytes.NewReader(claim))
	if err != nil {
		return nil, err
	}
	if old == nil {
		old = mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	}
	return mutate.Append(old, mutate.Addendum{
		Layer:       static.NewLayer(claim, claimType),
		Annotations: map[string]string{annotation: base64.StdEncoding.EncodeToString(sig)},
	})
}

// VerifyImage returns an error unless one of the signatures of an image is for its digest and of the
// key.
func VerifyImage(k *PublicKey, digest v1.Hash, signatures v1.Image) error {
	manifest, err := signatures.Manifest()
	if err != nil {
		return errors.Wrap(err, "read the signatures")
	}
	failure := errNone
	for _, d := range manifest.Layers {
		if d.MediaType != claimType {
			continue
		}
		switch err := verifyClaim(k, digest, signatures, d); {
		case err == nil:
			return nil
		case !errors.Is(err, errOtherKey) || errors.Is(failure, errNone):
			failure = err
		}
	}
	return failure
}

// Others may have signed an image, too.
var (
	errNone     = errors.New("there is no signature in it")
	errOtherKey = errors.New("the signature is not of this key")
)

// verifyClaim verifies one signature.
func verifyClaim(k *PublicKey, digest v1.Hash, signatures v1.Image, d v1.Descriptor) error {
	sig, err := base64.StdEncoding.DecodeString(d.Annotations[annotation])
	if err != nil {
		return errors.Wrap(err, "read a signature")
	}
	layer, err := signatures.LayerByDigest(d.Digest)
	if err != nil {
		return errors.Wrap(err, "read what is signed")
	}
	r, err := layer.Compressed()
	if err != nil {
		return errors.Wrap(err, "read what is signed")
	}
	defer r.Close()
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return errors.Wrap(err, "read what is signed")
	}
	if err := k.Verify(bytes.NewReader(text), sig); err != nil {
		return errOtherKey
	}
	var claim payload.SimpleContainerImage
	if err := json.Unmarshal(text, &claim); err != nil {
		return errors.Wrap(err, "read what is signed")
	}
	if claim.Critical.Type != payload.CosignSignatureType {
		return errors.Errorf("the signature is for something else: %q", claim.Critical.Type)
	}
	if signed := claim.Critical.Image.DockerManifestDigest; signed != digest.String() {
		return errors.Errorf("the signature is for another image: %s", signed)
	}
	return nil
}
