package sign_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/pkg/errors"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/sign"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// password is that of encrypted keys.
const password = "correct horse"

// keys writes a pair of keys, as OpenSSL does without a password.
func keys(t *testing.T) (private, public string) {
	t.Helper()
	return write(t, nil)
}

// write writes a pair of keys. With a password, the private one is encrypted as cosign does.
func write(t *testing.T, ask cryptoutils.PassFunc) (private, public string) {
	t.Helper()
	key, pub, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), ask)
	require.NoError(t, err)
	dir := t.TempDir()
	private, public = filepath.Join(dir, "cosign.key"), filepath.Join(dir, "cosign.pub")
	require.NoError(t, os.WriteFile(private, key, 0o600))
	require.NoError(t, os.WriteFile(public, pub, 0o600))
	return private, public
}

func read(t *testing.T, private, public string) (*sign.Key, *sign.PublicKey) {
	t.Helper()
	k, err := sign.ReadKey(private, func() ([]byte, error) { return []byte(password), nil })
	require.NoError(t, err)
	p, err := sign.ReadPublicKey(public)
	require.NoError(t, err)
	return k, p
}

func TestReadKey(t *testing.T) {
	private, public := write(t, cryptoutils.StaticPasswordFunc([]byte(password)))
	text, err := os.ReadFile(private)
	require.NoError(t, err)
	assert.Contains(t, string(text), "ENCRYPTED SIGSTORE PRIVATE KEY")
	read(t, private, public)
	_, err = sign.ReadKey(private, func() ([]byte, error) { return []byte("wrong"), nil })
	require.ErrorContains(t, err, "read the private key "+private)
	_, err = sign.ReadKey(private, func() ([]byte, error) { return nil, errors.New("it has a password") })
	require.ErrorContains(t, err, "it has a password")
	_, err = sign.ReadKey(public, nil)
	require.ErrorContains(t, err, "read the private key "+public)
	_, err = sign.ReadKey(filepath.Join(t.TempDir(), "none"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = sign.ReadPublicKey(private)
	require.ErrorContains(t, err, "read the public key "+private)
}

// TestFile verifies a signature with nothing but Go's own library.
func TestFile(t *testing.T) {
	private, public := keys(t)
	k, p := read(t, private, public)
	file := filepath.Join(t.TempDir(), "edge.iso")
	content := []byte("an ISO")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	made, err := sign.File(k, file)
	require.NoError(t, err)
	assert.Equal(t, file+".sig", made)
	sig, from, err := sign.OfFile(file)
	require.NoError(t, err)
	assert.Equal(t, made, from)
	text, err := os.ReadFile(public)
	require.NoError(t, err)
	pub, err := cryptoutils.UnmarshalPEMToPublicKey(text)
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	ec, ok := pub.(*ecdsa.PublicKey)
	require.True(t, ok)
	assert.True(t, ecdsa.VerifyASN1(ec, sum[:], sig))

	for suffix, bundle := range map[string]string{
		".bundle":        `{"base64Signature": "` + base64.StdEncoding.EncodeToString(sig) + `", "cert": ""}`,
		".sigstore.json": `{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "messageSignature": {"signature": "` + base64.StdEncoding.EncodeToString(sig) + `"}}`,
	} {
		require.NoError(t, os.Remove(from))
		from = file + suffix
		require.NoError(t, os.WriteFile(from, []byte(bundle), 0o600))
		same, found, err := sign.OfFile(file)
		require.NoError(t, err)
		assert.Equal(t, from, found)
		assert.Equal(t, sig, same)
		f, err := os.Open(file)
		require.NoError(t, err)
		defer f.Close()
		require.NoError(t, p.Verify(f, same))
	}
	require.NoError(t, os.WriteFile(from, []byte(`{"dsseEnvelope": {}}`), 0o600))
	_, _, err = sign.OfFile(file)
	require.ErrorContains(t, err, "it has no signature of a file")
	require.NoError(t, os.Remove(from))
	sig, from, err = sign.OfFile(file)
	require.NoError(t, err)
	assert.Empty(t, from)
	assert.Nil(t, sig)
}

// TestImage signs an image in a registry and in a layout, twice.
func TestImage(t *testing.T) {
	image, err := random.Image(64, 1)
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	addr := testkit.Registry(t).Addr()
	ref, err := name.ParseReference(addr + "/acme/edge:v1")
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, image))
	dir := filepath.Join(t.TempDir(), "layout")
	l, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, l.AppendImage(image))

	private, public := keys(t)
	k, p := read(t, private, public)
	otherPrivate, otherPublic := keys(t)
	other, otherP := read(t, otherPrivate, otherPublic)
	for place, called := range map[string]string{ref.String(): addr + "/acme/edge", dir: "layout"} {
		for _, k := range []*sign.Key{k, other} {
			signed, err := sign.Image(t.Context(), k, place, inspect.Options{})
			require.NoError(t, err)
			assert.Equal(t, digest, signed)
		}
		signatures := signaturesOf(t, place, digest)
		require.NoError(t, sign.VerifyImage(p, digest, signatures))
		require.NoError(t, sign.VerifyImage(otherP, digest, signatures))
		_, third := read(t, private, second(keys(t)))
		require.ErrorContains(t, sign.VerifyImage(third, digest, signatures), "the signature is not of this key")
		require.ErrorContains(t, sign.VerifyImage(p, v1.Hash{Algorithm: "sha256", Hex: "00"}, signatures), "the signature is for another image: "+digest.String())
		require.ErrorContains(t, sign.VerifyImage(p, digest, image), "there is no signature in it")

		layers, err := signatures.Layers()
		require.NoError(t, err)
		require.Len(t, layers, 2, "both stay")
		claim, err := layers[0].Compressed()
		require.NoError(t, err)
		text, err := io.ReadAll(claim)
		require.NoError(t, err)
		var told map[string]any
		require.NoError(t, json.Unmarshal(text, &told))
		assert.Equal(t, map[string]any{
			"critical": map[string]any{
				"identity": map[string]any{"docker-reference": called},
				"image":    map[string]any{"docker-manifest-digest": digest.String()},
				"type":     "cosign container image signature",
			},
			"optional": nil,
		}, told)
	}
}

func second(_, b string) string { return b }

func signaturesOf(t *testing.T, place string, digest v1.Hash) v1.Image {
	t.Helper()
	found, closer, err := inspect.Open(t.Context(), place, inspect.Options{})
	require.NoError(t, err, "the layout still has one image")
	t.Cleanup(func() { closer.Close() })
	signatures, err := found.Tagged(sign.Tag(digest))
	require.NoError(t, err)
	require.NotNil(t, signatures)
	return signatures
}
