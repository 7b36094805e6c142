// Package sign signs images and files with a key, in the formats of cosign.
package sign

import (
	"bytes"
	"crypto"
	"io"
	"os"

	"github.com/pkg/errors"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// Key signs. It is a private key.
type Key struct{ signer signature.Signer }

// ReadKey reads a private key in PEM, as cosign, OpenSSL and others write it. The password is asked for
// if the key is encrypted.
func ReadKey(file string, password func() ([]byte, error)) (*Key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.Wrap(err, "read the key")
	}
	private, err := cryptoutils.UnmarshalPEMToPrivateKey(text, func(bool) ([]byte, error) { return password() })
	if err != nil {
		return nil, errors.Wrapf(err, "read the private key %s", file)
	}
	signer, err := signature.LoadSigner(private, crypto.SHA256)
	return &Key{signer}, errors.Wrapf(err, "use the private key %s", file)
}

// sign signs the SHA-256 of a content.
func (k *Key) sign(content io.Reader) ([]byte, error) { return k.signer.SignMessage(content) }

// PublicKey verifies what its private key has signed.
type PublicKey struct{ verifier signature.Verifier }

// ReadPublicKey reads a public key in PEM.
func ReadPublicKey(file string) (*PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.Wrap(err, "read the key")
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey(text)
	if err != nil {
		return nil, errors.Wrapf(err, "read the public key %s", file)
	}
	verifier, err := signature.LoadVerifier(public, crypto.SHA256)
	return &PublicKey{verifier}, errors.Wrapf(err, "use the public key %s", file)
}

// Verify reports whether the signature is that of a content.
func (k *PublicKey) Verify(content io.Reader, sig []byte) error {
	return k.verifier.VerifySignature(bytes.NewReader(sig), content)
}
