package sign

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"

	"github.com/pkg/errors"
)

// FileSuffix is that of the signature of a file, which is beside it.
const FileSuffix = ".sig"

// File signs a file, and returns the name of the file with the signature. It has what cosign sign-blob
// prints: the signature in base64.
func File(k *Key, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", errors.Wrap(err, "sign")
	}
	defer f.Close()
	sig, err := k.sign(f)
	if err != nil {
		return "", errors.Wrapf(err, "sign %s", name)
	}
	text := base64.StdEncoding.EncodeToString(sig) + "\n"
	return name + FileSuffix, errors.Wrapf(os.WriteFile(name+FileSuffix, []byte(text), 0o644), "sign %s", name)
}

// OfFile reads the signature that is beside a file: a signature in base64, or a bundle of cosign. from
// is the name of its file, and empty if there is none.
func OfFile(name string) (sig []byte, from string, err error) {
	for _, suffix := range []string{FileSuffix, ".bundle", ".sigstore.json"} {
		from = name + suffix
		text, err := os.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, from, err
		}
		if suffix != FileSuffix {
			if text, err = bundled(text); err != nil {
				return nil, from, errors.Wrapf(err, "read the bundle %s", from)
			}
		}
		sig, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
		return sig, from, errors.Wrapf(err, "read the signature %s", from)
	}
	return nil, "", nil
}

// bundled is the signature of a file in a bundle: of sigstore
// (github.com/sigstore/protobuf-specs), or of older versions of cosign.
func bundled(text []byte) ([]byte, error) {
	var b struct {
		MessageSignature struct {
			Signature string `json:"signature"`
		} `json:"messageSignature"`
		Base64Signature string `json:"base64Signature"`
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, err
	}
	sig := cmp.Or(b.MessageSignature.Signature, b.Base64Signature)
	if sig == "" {
		return nil, errors.New("it has no signature of a file")
	}
	return []byte(sig), nil
}
