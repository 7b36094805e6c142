package verify

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/frontend"
)

// statement is an in-toto statement (github.com/in-toto/attestation).
type statement struct {
	// from is where it was found.
	from string
	// attached is one that the index of an image names as the image's own. BuildKit leaves the subject
	// of those out if the image has no name.
	attached      bool
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
	Subject       []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
}

func readStatement(from string, data []byte) (statement, error) {
	st := statement{from: from}
	err := json.Unmarshal(data, &st)
	return st, errors.Wrapf(err, "read %s", from)
}

// isAbout reports whether a statement names what is verified.
func (s *subject) isAbout(st statement) bool {
	if st.attached && len(st.Subject) == 0 {
		return true
	}
	digests := slices.Clone(s.digests)
	if s.file != (v1.Hash{}) {
		digests = append(digests, s.file)
	}
	for _, about := range st.Subject {
		for _, d := range digests {
			if about.Digest[d.Algorithm] == d.Hex {
				return true
			}
		}
	}
	return false
}

// readStatements reads the attestations of an image, and those beside a file, as BuildKit writes them.
func (s *subject) readStatements() (all []statement, err error) {
	if s.published != nil {
		for _, image := range s.published.Attestations {
			found, err := statements(image)
			if err != nil {
				return nil, errors.Wrap(err, "read the attestations")
			}
			all = append(all, found...)
		}
	}
	if s.file == (v1.Hash{}) {
		return all, nil
	}
	for _, name := range []string{frontend.SBOMAttestation, frontend.LockAttestation} {
		from := filepath.Join(filepath.Dir(s.name), name)
		data, err := os.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		st, err := readStatement(from, data)
		if err != nil {
			return nil, err
		}
		// The directory may have files of other builds.
		if s.isAbout(st) || st.names(filepath.Base(s.name)) {
			all = append(all, st)
		}
	}
	return all, nil
}

// names reports whether a statement is about a file of that name.
func (st statement) names(file string) bool {
	for _, about := range st.Subject {
		if about.Name == file {
			return true
		}
	}
	return false
}

// statements reads those of an image of attestations.
func statements(image v1.Image) (all []statement, err error) {
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	for _, d := range manifest.Layers {
		if !strings.HasSuffix(string(d.MediaType), "in-toto+json") {
			continue
		}
		layer, err := image.LayerByDigest(d.Digest)
		if err != nil {
			return nil, err
		}
		if err := wholeLayer(layer, d.Digest); err != nil {
			return nil, err
		}
		r, err := layer.Compressed()
		if err != nil {
			return nil, err
		}
		data, err := readLimited(r)
		r.Close()
		if err != nil {
			return nil, err
		}
		st, err := readStatement("the attestation "+d.Digest.String(), data)
		if err != nil {
			return nil, err
		}
		st.attached = true
		all = append(all, st)
	}
	return all, nil
}
