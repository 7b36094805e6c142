package integration

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	diskfile "github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/partition/gpt"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
)

// Types of partitions for amd64 (uapi-group.org, discoverable partitions).
const (
	rootPartition      = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
	verityPartition    = "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5"
	signaturePartition = "41092B05-9FC8-4523-994F-2DEF0408B176"
)

const extensionSpec = `# syntax=ghcr.io/flavorkit/frontend:1
extends: debian-13
version: v1.0.0
extension:
  name: hello
  version: v2
`

const helloExtension = extensionSpec + `  packages: [tree]
  services: [hello.service]
  files:
    - path: /lib/systemd/system/hello.service
      content: |
        [Service]
        ExecStart=/usr/bin/tree /etc/hello
`

// TestSysext makes an extension twice, looks into it, and has it signed with a key that nothing has
// which is left of the build. What an extension cannot change is refused with its path.
func TestSysext(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	const name = "hello-v2.sysext.raw"
	sysext := func(spec string) solve.Options {
		o := options(t, map[string]string{"kairos.spec": spec})
		o.Target = "sysext"
		watch(&o)
		return o
	}
	first := build(t, c, sysext(helloExtension)) + "/" + name
	partitions := dissect(t, first)
	require.Len(t, partitions, 2)
	root, verity := partitions[0], partitions[1]
	assert.Equal(t, rootPartition, root.kind)
	assert.Equal(t, verityPartition, verity.kind)
	assert.Equal(t, rootHash(t, root.data, verity.data), root.id+verity.id, "the identifiers are the root hash")
	assert.Contains(t, string(root.data), "ID=debian\nVERSION_ID=13\nARCHITECTURE=x86-64\nEXTENSION_RELOAD_MANAGER=1\n")
	assert.Contains(t, string(root.data), "[Unit]\nUpholds=hello.service\n")
	assert.Contains(t, string(root.data), "ExecStart=/usr/bin/tree /etc/hello\n")
	assert.NotContains(t, string(root.data), "Package: tree", "the database of packages is left out")

	again := sysext(helloExtension)
	again.NoCacheStages = []string{"extension/hello"}
	assert.Equal(t, sumOf(t, first), sumOf(t, build(t, c, again)+"/"+name))

	key, certificate := signer(t)
	signed := options(t, map[string]string{"kairos.spec": helloExtension + "  certificate: signing.crt\n", "signing.crt": certificate})
	signed.Target = "sysext"
	signed.Secrets = secretsprovider.FromMap(map[string][]byte{"sysext.key": []byte(key)})
	r, began := watch(&signed), time.Now()
	made := build(t, c, signed)
	assert.NotContains(t, r.log.String(), secretPart(key))
	for _, tree := range []string{made, shared.root} {
		assert.Empty(t, filesWith(t, tree, secretPart(key), began), "files with the key")
	}
	partitions = dissect(t, made+"/"+name)
	require.Len(t, partitions, 3)
	assert.Equal(t, signaturePartition, partitions[2].kind)
	var signature struct{ RootHash, Signature string }
	require.NoError(t, json.Unmarshal(bytes.TrimRight(partitions[2].data, "\x00"), &signature))
	assert.Equal(t, rootHash(t, root.data, verity.data), signature.RootHash, "the content is that without a signature")
	assert.NotEmpty(t, signature.Signature)

	other, _ := signer(t)
	for secret, want := range map[string]string{other: "is not for the key of the secret sysext.key", "": `the build has no secret "sysext.key"; pass it with --secret id=sysext.key,src=FILE`} {
		signed.Secrets = secretsprovider.FromMap(map[string][]byte{})
		if secret != "" {
			signed.Secrets = secretsprovider.FromMap(map[string][]byte{"sysext.key": []byte(secret)})
		}
		signed.NoCacheStages = []string{"extension/hello"}
		_, err := solve.Build(t.Context(), c, signed)
		require.ErrorContains(t, err, "kairos.spec:14:16: extension.certificate: ")
		assert.ErrorContains(t, err, want)
	}

	for packages, want := range map[string][2]string{
		"screen": {"changes files where machines merge no sysext", "check failed: /etc/screenrc: machines merge nothing here"},
		"chrony": {"deletes files of the system", "check failed: /usr/lib/systemd/systemd-timesyncd: is deleted"},
	} {
		o := options(t, map[string]string{"kairos.spec": extensionSpec + "  packages: [" + packages + "]\n"})
		o.Target = "sysext"
		r := watch(&o)
		_, err := solve.Build(t.Context(), c, o)
		require.ErrorContains(t, err, "kairos.spec:5:3: extension: the extension hello "+want[0])
		assert.Contains(t, r.log.String(), want[1])
	}
}

// partition of a disk image.
type partition struct {
	// kind and id are its type and its identifier, the latter as it is in a root hash.
	kind, id string
	data     []byte
}

// dissect reads the partitions of a disk image.
func dissect(t *testing.T, name string) (all []partition) {
	t.Helper()
	disk, err := diskfile.OpenFromPath(name, true)
	require.NoError(t, err)
	defer disk.Close()
	const sector = 512
	table, err := gpt.Read(disk, sector, sector)
	require.NoError(t, err)
	image, err := os.ReadFile(name)
	require.NoError(t, err)
	for _, p := range table.Partitions {
		if p.Type == gpt.Unused {
			continue
		}
		start := p.Start * sector
		all = append(all, partition{
			kind: strings.ToUpper(string(p.Type)), id: strings.ToLower(strings.ReplaceAll(p.GUID, "-", "")),
			data: image[start : start+p.Size],
		})
	}
	return all
}

// rootHash computes the root hash of a partition, with the parameters of its verity data
// (Linux, admin-guide/device-mapper/verity.rst; cryptsetup(8), veritysetup).
func rootHash(t *testing.T, data, verity []byte) string {
	t.Helper()
	require.Equal(t, "verity\x00\x00", string(verity[:8]))
	const hashBlock, saltLength, salt = 68, 80, 88
	dataSize, blocks := binary.LittleEndian.Uint32(verity[64:]), binary.LittleEndian.Uint64(verity[72:])
	size := int(binary.LittleEndian.Uint32(verity[hashBlock:]))
	salted := verity[salt : salt+int(binary.LittleEndian.Uint16(verity[saltLength:]))]
	require.Equal(t, "sha256", string(bytes.TrimRight(verity[32:64], "\x00")))
	require.EqualValues(t, size, dataSize)
	level := data[:int(blocks)*size]
	for {
		var sums []byte
		for ; len(level) > 0; level = level[size:] {
			sum := sha256.Sum256(append(append([]byte{}, salted...), level[:size]...))
			sums = append(sums, sum[:]...)
		}
		if len(sums) == sha256.Size {
			return hex.EncodeToString(sums)
		}
		for len(sums)%size != 0 {
			sums = append(sums, 0)
		}
		level = sums
	}
}

// signer makes a private key and a certificate for it, in PEM.
func signer(t *testing.T) (key, certificate string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "extensions"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}))
}
