package layercache

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/pkg/errors"
)

// maxManifest is the size of a manifest that registries have to take (distribution-spec, "Pushing
// Manifests").
const maxManifest = 4 << 20

// manifest is what the cache has to know of a manifest or an index.
type manifest struct {
	MediaType types.MediaType `json:"mediaType"`
	Config    *v1.Descriptor  `json:"config"`
	Layers    []v1.Descriptor `json:"layers"`
	Manifests []v1.Descriptor `json:"manifests"`
}

func readManifest(data []byte) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return manifest{}, err
	}
	if m.Config == nil && m.Manifests == nil {
		return manifest{}, errors.New("it is no manifest")
	}
	return m, nil
}

// contentType of a manifest. It may leave it out if it is one of OCI.
func (m manifest) contentType() types.MediaType {
	switch {
	case m.MediaType != "":
		return m.MediaType
	case m.Manifests != nil:
		return types.OCIImageIndex
	default:
		return types.OCIManifestSchema1
	}
}

// manifest answers a request for a manifest. Only the registry knows what a tag is now.
func (c *Cache) manifest(w http.ResponseWriter, r *http.Request, t target) error {
	h, pinned := t.digest()
	if pinned {
		if data, err := c.store.read(h); err == nil {
			m, err := readManifest(data)
			if err != nil {
				return digestInvalid("%s: %v", h, err)
			}
			c.images.note(image(r.URL.Path, t.ref), h)
			sendManifest(w, r, string(m.contentType()), h, data)
			return nil
		}
	}
	resp, err := c.upstream.manifest(r.Context(), t, r.Header.Values("Accept"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
	if err != nil {
		return err
	}
	if len(data) > maxManifest {
		return digestInvalid("the manifest of %s:%s has more than %d bytes", t.repo, t.ref, maxManifest)
	}
	got, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if pinned && got != h {
		return digestInvalid("what %s sent as %s has the digest %s", t.repo.RegistryStr(), h, got)
	}
	err = c.store.room(int64(len(data)), c.images.keep())
	if err == nil {
		err = c.store.write(c.store.blob(got), data)
	}
	if err == nil {
		c.images.note(image(r.URL.Path, t.ref), got)
	} else {
		c.log.Warn("passing a manifest through without storing it", "digest", got.String(), "because", err.Error())
	}
	sendManifest(w, r, resp.Header.Get("Content-Type"), got, data)
	return nil
}

func sendManifest(w http.ResponseWriter, r *http.Request, contentType string, h v1.Hash, data []byte) {
	w.Header().Set("Content-Type", contentType)
	head(w, h, int64(len(data)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(data) // the client is gone
	}
}
