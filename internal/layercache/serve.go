package layercache

import (
	"io"
	"net/http"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"
)

// ServeHTTP implements http.Handler: what of the registry's API a pull needs.
func (c *Cache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		fail(w, explain("", unsupported("%s: images can only be pulled here", r.Method)))
		return
	}
	if r.URL.Path == "/v2/" || r.URL.Path == "/v2" {
		w.WriteHeader(http.StatusOK)
		return
	}
	t, err := parse(r.URL.Path, c.upstream.insecure)
	if err == nil {
		switch t.kind {
		case "manifests":
			err = c.manifest(w, r, t)
		case "blobs":
			err = c.blob(w, r, t)
		}
	}
	var broken *brokenOff
	if errors.As(err, &broken) {
		if r.Context().Err() == nil {
			c.log.Error("breaking off an answer", "path", r.URL.Path, "because", broken.Error())
		}
		panic(http.ErrAbortHandler) // so that the client does not take it for a whole one
	}
	if err != nil {
		p := explain(t.repo.RegistryStr(), err)
		c.log.Error("request failed", "path", r.URL.Path, "because", p.message)
		fail(w, p)
	}
}

// head sends the header of an answer.
func head(w http.ResponseWriter, h v1.Hash, size int64) {
	w.Header().Set("Docker-Content-Digest", h.String())
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.WriteHeader(http.StatusOK)
}

// blob answers a request for a blob.
func (c *Cache) blob(w http.ResponseWriter, r *http.Request, t target) error {
	h, ok := t.digest()
	if !ok {
		return digestInvalid("%s is not a digest", t.ref)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	f, err := c.store.open(h)
	if err == nil {
		defer f.Close()
		c.log.Info("from the store", "repository", t.repo.String(), "digest", h.String())
		w.Header().Set("Docker-Content-Digest", h.String())
		http.ServeContent(w, r, "", time.Time{}, f)
		return nil
	}
	if r.Method == http.MethodHead {
		size, err := c.upstream.size(r.Context(), t.repo, h)
		if err == nil {
			head(w, h, size)
		}
		return err
	}
	d := c.join(t.repo, h)
	defer d.leave()
	return c.follow(w, r, t, h, d)
}

// follow sends a blob while it is downloaded.
func (c *Cache) follow(w http.ResponseWriter, r *http.Request, t target, h v1.Hash, d *download) error {
	p, err := d.next(r.Context(), -1)
	if err != nil {
		return err
	}
	if p.err != nil && !errors.Is(p.err, errPassThrough) {
		return p.err
	}
	var sent int64
	if p.size >= 0 {
		head(w, h, p.size)
		for sent < p.size {
			if p, err = d.next(r.Context(), sent); err != nil {
				return &brokenOff{err}
			}
			n, err := io.Copy(w, io.NewSectionReader(d.part, sent, p.readable-sent))
			if err != nil {
				return &brokenOff{err}
			}
			sent += n
			if p.done {
				break
			}
		}
	}
	switch {
	case p.err == nil:
		return nil
	case !errors.Is(p.err, errPassThrough):
		return &brokenOff{p.err}
	}
	src, err := c.upstream.blob(r.Context(), t.repo, h, sent)
	if err != nil && p.size < 0 {
		return err
	}
	if err != nil {
		return &brokenOff{err}
	}
	defer src.Close()
	if p.size < 0 {
		head(w, h, src.total)
	}
	if _, err := io.Copy(w, src); err != nil {
		return &brokenOff{err}
	}
	return nil
}

// brokenOff is the error of an answer whose header is sent.
type brokenOff struct{ error }
