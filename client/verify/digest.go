package verify

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/sign"
)

// sumSuffix is that of the checksum of a file, which is beside it.
const sumSuffix = ".sha256"

// checkDigest compares the content with its digest, and the digest with those that are given.
func (s *subject) checkDigest(context.Context) Check {
	c := Check{Check: Digest, Outcome: Failed}
	if asked := s.opt.Digest; asked != "" && !s.has(asked) {
		c.Detail = "is " + s.digest().String() + ", and not " + asked
		return c
	}
	beside, err := s.checkSum()
	if err != nil {
		c.Detail = err.Error()
		return c
	}
	if s.image != nil {
		if err := whole(s.image); err != nil {
			c.Detail = err.Error()
			return c
		}
	}
	c.Outcome = OK
	switch {
	case s.opt.Digest != "":
		c.Detail = s.opt.Digest + " as given"
	case beside != "":
		c.Detail = s.file.String() + " as in " + beside
	case s.image != nil:
		c.Detail = "its content is that of " + s.digests[0].String()
	default:
		c.Outcome, c.Detail = Absent, "there is neither "+s.name+sumSuffix+" nor a digest to compare with"
	}
	return c
}

// has reports whether the subject has a digest.
func (s *subject) has(digest string) bool {
	if s.file != (v1.Hash{}) && s.file.String() == digest {
		return true
	}
	return slices.ContainsFunc(s.digests, func(d v1.Hash) bool { return d.String() == digest })
}

// checkSum compares a file with the checksum beside it, and returns the name of the file that has it;
// empty if there is none.
func (s *subject) checkSum() (string, error) {
	if s.file == (v1.Hash{}) {
		return "", nil
	}
	name := s.name + sumSuffix
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", errors.Wrap(err, "read the checksum")
	}
	if sum, _, _ := strings.Cut(string(text), " "); strings.TrimSpace(sum) != s.file.Hex {
		return "", errors.Errorf("is %s, and %s has another one", s.file, name)
	}
	return name, nil
}

// whole compares the configuration and the layers of an image with their digests. Manifests were
// compared when the image was opened.
func whole(image v1.Image) error {
	manifest, err := image.Manifest()
	if err != nil {
		return errors.Wrap(err, "read the manifest")
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return errors.Wrap(err, "read the configuration")
	}
	if sum, _, err := v1.SHA256(bytes.NewReader(config)); err != nil || sum != manifest.Config.Digest {
		return errors.Errorf("the configuration %s is damaged", manifest.Config.Digest)
	}
	layers, err := image.Layers()
	if err != nil {
		return errors.Wrap(err, "read the layers")
	}
	for i, layer := range layers {
		if err := wholeLayer(layer, manifest.Layers[i].Digest); err != nil {
			return err
		}
	}
	return nil
}

func wholeLayer(layer v1.Layer, digest v1.Hash) error {
	r, err := layer.Compressed()
	if err != nil {
		return errors.Wrapf(err, "read the layer %s", digest)
	}
	defer r.Close()
	sum, _, err := v1.SHA256(r)
	if err != nil {
		return errors.Wrapf(err, "read the layer %s", digest)
	}
	if sum != digest {
		return errors.Errorf("the layer %s is damaged: its content has the digest %s", digest, sum)
	}
	return nil
}

// checkSignature verifies the signature of the file, or of the image or its index.
func (s *subject) checkSignature(context.Context) Check {
	c := Check{Check: Signature, Outcome: Failed}
	from, verify, err := s.signature()
	switch {
	case err != nil:
		c.Detail = err.Error()
	case verify == nil && s.opt.Key != nil:
		c.Detail = "there is none"
	case verify == nil:
		c.Outcome, c.Detail = Absent, "there is none"
	case s.opt.Key == nil:
		c.Outcome, c.Detail = Unchecked, from+"; name the public key with --key"
	default:
		if err := verify(s.opt.Key); err != nil {
			c.Detail = from + ": " + err.Error()
			return c
		}
		c.Outcome, c.Detail = OK, from
	}
	return c
}

// signature finds a signature, and how to verify it; nil if there is none.
func (s *subject) signature() (from string, verify func(*sign.PublicKey) error, err error) {
	if s.file != (v1.Hash{}) {
		sig, from, err := sign.OfFile(s.name)
		if err != nil {
			return "", nil, err
		}
		if from != "" {
			return from, func(k *sign.PublicKey) error { return verifyFile(k, s.name, sig) }, nil
		}
	}
	for _, digest := range s.digests {
		signatures, err := s.published.Tagged(sign.Tag(digest))
		if err != nil {
			return "", nil, errors.Wrap(err, "look for signatures")
		}
		if signatures != nil {
			return sign.Tag(digest), func(k *sign.PublicKey) error { return sign.VerifyImage(k, digest, signatures) }, nil
		}
	}
	return "", nil, nil
}

func verifyFile(k *sign.PublicKey, name string, sig []byte) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := k.Verify(f, sig); err != nil {
		return errors.New("the signature is not of this key and this file")
	}
	return nil
}
