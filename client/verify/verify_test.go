package verify_test

import (
	"archive/tar"
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/sign"
	"github.com/flavorkit/flavorkit/client/verify"
	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// The packages of the system: the base image has the first one.
const (
	baseStatus = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n"
	curlStatus = "\nPackage: curl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.88\n"
	evilStatus = "\nPackage: evil\nStatus: install ok installed\nArchitecture: amd64\nVersion: 6.6\n"
)

var curlSum = strings.Repeat("c", 64)

// layer is a layer with a database of packages.
func layer(t *testing.T, status string) v1.Layer {
	t.Helper()
	var text bytes.Buffer
	w := tar.NewWriter(&text)
	// In an order, so that the layers of all bases are the same.
	for _, file := range []struct{ name, content string }{{"usr/lib/os-release", "ID=debian\nVERSION_ID=12\n"}, {"var/lib/dpkg/status", status}} {
		require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: file.name, Mode: 0o644, Size: int64(len(file.content))}))
		_, err := io.WriteString(w, file.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text.Bytes())), nil })
	require.NoError(t, err)
	return l
}

// system is an image with a base, and with packages above it.
func system(t *testing.T, status string) v1.Image {
	t.Helper()
	image, err := mutate.AppendLayers(empty.Image, layer(t, baseStatus), layer(t, status))
	require.NoError(t, err)
	return image
}

// bill is the bill of materials of packages.
func bill(t *testing.T, packages ...pkgdb.Package) []byte {
	t.Helper()
	data, err := sbom.System{Name: "edge", Stages: []sbom.Stage{{
		Name:     "userland",
		Found:    pkgdb.System{ID: "debian", Version: "12", Type: "deb", Packages: packages},
		Archives: map[string]lock.Archive{"curl/7.88/amd64": {URL: "http://deb.example/curl.deb", SHA256: curlSum}},
	}}}.Write(sbom.SPDX)
	require.NoError(t, err)
	return data
}

var (
	bash = pkgdb.Package{Name: "bash", Version: "5.2", Arch: "amd64"}
	curl = pkgdb.Package{Name: "curl", Version: "7.88", Arch: "amd64"}
	jq   = pkgdb.Package{Name: "jq", Version: "1.6", Arch: "amd64"}
)

// lockOf is the lock file of a system.
func lockOf(t *testing.T, image v1.Image, sum string) *lock.File {
	t.Helper()
	config, err := image.ConfigFile()
	require.NoError(t, err)
	f := &lock.File{Version: lock.Version, Images: []lock.Image{{
		Name: "debian:12-slim", Arch: "amd64", Layers: identity.ChainID([]digest.Digest{digest.Digest(config.RootFS.DiffIDs[0].String())}).String(),
	}}}
	f.Add(lock.Stage{
		Stage: "userland", Request: lock.Request{Distro: "debian-12", Arch: "amd64", Base: "debian:12-slim", Packages: []string{"curl"}}, Archives: []string{"curl/7.88/amd64"},
	}, map[string]lock.Archive{"curl/7.88/amd64": {URL: "http://deb.example/curl.deb", SHA256: sum}})
	return f
}

// statement is an in-toto statement about a digest.
func statement(t *testing.T, kind, hex string, predicate []byte) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind, "predicate": json.RawMessage(predicate),
		"subject": []any{map[string]any{"name": "pkg:docker/edge", "digest": map[string]string{"sha256": hex}}},
	})
	require.NoError(t, err)
	return data
}

// attested is an index as BuildKit makes it: an image and its attestations.
func attested(t *testing.T, image v1.Image, statements ...[]byte) v1.ImageIndex {
	t.Helper()
	sum, err := image.Digest()
	require.NoError(t, err)
	var about v1.Image = empty.Image
	for _, s := range statements {
		about, err = mutate.AppendLayers(about, static.NewLayer(s, "application/vnd.in-toto+json"))
		require.NoError(t, err)
	}
	return mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: about, Descriptor: v1.Descriptor{
			Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": sum.String()},
		}})
}

// published pushes an image with its attestations.
func published(t *testing.T, image v1.Image, statements ...[]byte) string {
	t.Helper()
	ref, err := name.ParseReference(testkit.Registry(t).Addr() + "/acme/edge:v1")
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(ref, attested(t, image, statements...)))
	return ref.String()
}

func keys(t *testing.T) (*sign.Key, *sign.PublicKey) {
	t.Helper()
	private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), nil)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key"), private, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pub"), public, 0o600))
	k, err := sign.ReadKey(filepath.Join(dir, "key"), nil)
	require.NoError(t, err)
	p, err := sign.ReadPublicKey(filepath.Join(dir, "pub"))
	require.NoError(t, err)
	return k, p
}

func outcomes(r *verify.Report) (all []verify.Outcome) {
	for _, c := range r.Checks {
		all = append(all, c.Outcome)
	}
	return all
}

func check(r *verify.Report, kind verify.Kind) verify.Check {
	for _, c := range r.Checks {
		if c.Check == kind {
			return c
		}
	}
	return verify.Check{}
}

func run(t *testing.T, name string, opt verify.Options) *verify.Report {
	t.Helper()
	r, err := verify.Verify(t.Context(), name, opt)
	require.NoError(t, err)
	return r
}

// TestUnnamed verifies an image that had no name when it was built: BuildKit writes no subject into its
// attestations.
func TestUnnamed(t *testing.T) {
	data, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", "predicate": json.RawMessage(bill(t, bash, curl)),
	})
	require.NoError(t, err)
	r := run(t, published(t, system(t, baseStatus+curlStatus), data), verify.Options{})
	assert.Equal(t, verify.OK, check(r, verify.SBOM).Outcome, "%+v", r)
}

// TestImage verifies an image with everything, and then with each part wrong.
func TestImage(t *testing.T) {
	image := system(t, baseStatus+curlStatus)
	own, err := image.Digest()
	require.NoError(t, err)
	locked, err := json.Marshal(lockOf(t, image, curlSum))
	require.NoError(t, err)
	spdx := statement(t, "https://spdx.dev/Document", own.Hex, bill(t, bash, curl))
	locks := statement(t, lock.Predicate, own.Hex, locked)
	key, public := keys(t)

	ref := published(t, image, spdx, locks)
	r := run(t, ref, verify.Options{})
	assert.Equal(t, []verify.Outcome{verify.OK, verify.Absent, verify.OK, verify.OK}, outcomes(r), "%+v", r)
	assert.Contains(t, check(r, verify.Lock).Detail, "1 packages are in the base image, and 1 in the attestation sha256:")
	r = run(t, ref, verify.Options{Require: []verify.Kind{verify.Signature}})
	assert.Equal(t, "not present: there is none", check(r, verify.Signature).Detail)
	assert.Equal(t, 1, r.Count(verify.Failed))
	r = run(t, ref, verify.Options{Key: public})
	assert.Equal(t, verify.Failed, check(r, verify.Signature).Outcome, "a key asks for a signature")

	signed, err := sign.Image(t.Context(), key, ref, verify.Options{}.Options)
	require.NoError(t, err)
	assert.NotEqual(t, own, signed, "the index, with the attestations")
	r = run(t, ref, verify.Options{Key: public, Digest: signed.String(), Require: verify.Kinds()})
	assert.Equal(t, 4, r.Count(verify.OK), "%+v", r)
	assert.Equal(t, signed.String(), r.Digest)
	assert.Equal(t, verify.Unchecked, check(run(t, ref, verify.Options{}), verify.Signature).Outcome)
	_, other := keys(t)
	assert.Contains(t, check(run(t, ref, verify.Options{Key: other}), verify.Signature).Detail, "the signature is not of this key")
	r = run(t, ref, verify.Options{Digest: "sha256:" + curlSum})
	assert.Contains(t, check(r, verify.Digest).Detail, ", and not sha256:ccc")

	for about, tc := range map[string]struct {
		image      v1.Image
		statements func(hex string) [][]byte
		kind       verify.Kind
		want       string
	}{
		"a package that the SBOM has and the system has not": {
			image, func(hex string) [][]byte {
				return [][]byte{statement(t, "https://spdx.dev/Document", hex, bill(t, bash, curl, jq))}
			}, verify.SBOM, "jq 1.6 amd64 is in the attestation",
		},
		"a package that the system has and the SBOM has not": {
			image, func(hex string) [][]byte {
				return [][]byte{statement(t, "https://spdx.dev/Document", hex, bill(t, bash))}
			}, verify.SBOM, "curl 7.88 amd64 is in the system, and not in the attestation",
		},
		"an SBOM of something else": {
			image, func(string) [][]byte {
				return [][]byte{spdx, statement(t, "https://spdx.dev/Document", curlSum, bill(t))}
			}, verify.SBOM, "is about something else",
		},
		"another archive than the locked one": {
			image, func(hex string) [][]byte {
				other, err := json.Marshal(lockOf(t, image, strings.Repeat("d", 64)))
				require.NoError(t, err)
				return [][]byte{spdx, statement(t, lock.Predicate, hex, other)}
			}, verify.Lock, "curl 7.88 amd64 has the checksum cccccccc… in the attestation",
		},
		"a package of neither the lock nor the base image": {
			system(t, baseStatus+curlStatus+evilStatus), func(hex string) [][]byte { return [][]byte{statement(t, lock.Predicate, hex, locked)} }, verify.Lock, "evil 6.6 amd64 is neither in the attestation",
		},
		"a locked package that is missing": {
			system(t, baseStatus), func(hex string) [][]byte { return [][]byte{statement(t, lock.Predicate, hex, locked)} }, verify.Lock, "curl/7.88/amd64 is in the attestation",
		},
		"a lock that was edited": {
			image, func(hex string) [][]byte {
				return [][]byte{statement(t, lock.Predicate, hex, []byte(`{"version": 1, "foo": 1}`))}
			}, verify.Lock, "foo",
		},
	} {
		t.Run(about, func(t *testing.T) {
			own, err := tc.image.Digest()
			require.NoError(t, err)
			r := run(t, published(t, tc.image, tc.statements(own.Hex)...), verify.Options{})
			c := check(r, tc.kind)
			assert.Equal(t, verify.Failed, c.Outcome, "%+v", r)
			assert.Contains(t, c.Detail+"\n"+strings.Join(c.Differences, "\n"), tc.want)
		})
	}
}

// TestLayout finds one changed byte of a layer.
func TestLayout(t *testing.T) {
	dir := t.TempDir()
	image := system(t, baseStatus+curlStatus)
	l, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, l.AppendIndex(attested(t, image)))
	assert.Equal(t, verify.OK, check(run(t, dir, verify.Options{}), verify.Digest).Outcome)
	layers, err := image.Layers()
	require.NoError(t, err)
	sum, err := layers[1].Digest()
	require.NoError(t, err)
	blob := filepath.Join(dir, "blobs", "sha256", sum.Hex)
	data, err := os.ReadFile(blob)
	require.NoError(t, err)
	data[4] ^= 1 // the time in the header of gzip, which nothing reads
	require.NoError(t, os.WriteFile(blob, data, 0o600))
	c := check(run(t, dir, verify.Options{}), verify.Digest)
	assert.Equal(t, verify.Failed, c.Outcome)
	assert.Contains(t, c.Detail, "the layer "+sum.String()+" is damaged")

	manifest, err := image.RawManifest()
	require.NoError(t, err)
	own, err := image.Digest()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "blobs", "sha256", own.Hex), append(manifest, ' '), 0o600))
	_, err = verify.Verify(t.Context(), dir, verify.Options{})
	require.ErrorContains(t, err, "the manifest "+own.String()+" is damaged")
}

// TestFile verifies an archive of a root filesystem, which stands for all files, with what is beside
// it.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "edge.tar")
	content := archive(t, baseStatus+curlStatus)
	require.NoError(t, os.WriteFile(file, content, 0o600))
	r := run(t, file, verify.Options{})
	assert.Equal(t, []verify.Outcome{verify.Absent, verify.Absent, verify.Absent, verify.Absent}, outcomes(r))

	sum := sha256.Sum256(content)
	require.NoError(t, os.WriteFile(file+".sha256", []byte(hex.EncodeToString(sum[:])+"  edge.tar\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sbom.spdx.json"), statement(t, "https://spdx.dev/Document", hex.EncodeToString(sum[:]), bill(t, bash, curl)), 0o600))
	key, public := keys(t)
	_, err := sign.File(key, file)
	require.NoError(t, err)
	text, err := lockOf(t, system(t, baseStatus), curlSum).Text()
	require.NoError(t, err)
	lockFile := filepath.Join(dir, "kairos.lock")
	require.NoError(t, os.WriteFile(lockFile, text, 0o600))
	r = run(t, file, verify.Options{Key: public, Lock: lockFile, Require: verify.Kinds()})
	assert.Equal(t, 4, r.Count(verify.OK), "%+v", r)
	assert.Contains(t, check(r, verify.Lock).Detail, "1 packages are not compared, as the base image may have them, and 1 are in")

	require.NoError(t, os.WriteFile(file, append(content, make([]byte, 512)...), 0o600))
	r = run(t, file, verify.Options{Key: public})
	assert.Contains(t, check(r, verify.Digest).Detail, "edge.tar.sha256 has another one")
	assert.Contains(t, check(r, verify.Signature).Detail, "the signature is not of this key and this file")
	assert.Equal(t, verify.Absent, check(r, verify.SBOM).Outcome, "what is beside it is about another file")
}

// archive is a root filesystem as a tar archive.
func archive(t *testing.T, status string) []byte {
	t.Helper()
	r, err := layer(t, status).Uncompressed()
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return data
}
