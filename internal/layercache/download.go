package layercache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"
)

// errPassThrough says that a blob is not stored: whoever wants it reads on by itself.
var errPassThrough = errors.New("the blob is not stored")

// download is a blob on its way from a registry into the store. All who want the blob read it from the
// part that is there.
type download struct {
	part *os.File

	mu sync.Mutex
	// changed is closed, and replaced, when one of the following changes.
	changed chan struct{}
	// size of the blob; -1 until the registry has answered.
	size int64
	// readable is how much of it others may read. The last byte is not before the digest is checked, so
	// nobody gets a whole blob that is wrong.
	readable int64
	done     bool
	err      error
	// users are those who have part open.
	users int
}

// join returns the download of a blob, and starts it if there is none.
func (c *Cache) join(repo name.Repository, h v1.Hash) *download {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.downloads[h]; ok {
		d.update(func() { d.users++ })
		return d
	}
	d := &download{changed: make(chan struct{}), size: -1, users: 2} // the caller and the download itself
	c.downloads[h] = d
	c.wait.Go(func() {
		err := c.fetch(d, repo, h)
		if err != nil && !errors.Is(err, errPassThrough) {
			c.log.Error("download failed", "repository", repo.String(), "digest", h.String(), "because", err.Error())
		}
		c.mu.Lock()
		delete(c.downloads, h)
		c.mu.Unlock()
		d.update(func() { d.done, d.err = true, err })
		d.leave()
	})
	return d
}

// fetch downloads a blob into the store, from where an earlier download ended.
func (c *Cache) fetch(d *download, repo name.Repository, h v1.Hash) error {
	part, err := os.OpenFile(c.store.part(h), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return c.passThrough(h, err)
	}
	d.part = part
	digest := sha256.New()
	have, err := io.Copy(digest, part)
	if err != nil {
		return c.passThrough(h, err)
	}
	if sum(digest) == h.Hex { // it was complete, and ended before it was moved
		return c.complete(d, h, have)
	}
	src, err := c.upstream.blob(c.ctx, repo, h, have)
	if errors.Is(err, errShort) {
		return c.afresh(d, repo, h, err)
	}
	if err != nil {
		return err
	}
	defer src.Close()
	if err := c.store.room(src.total-have, c.images.keep()); err != nil {
		return c.passThrough(h, err)
	}
	d.update(func() { d.size = src.total })
	c.log.Info("downloading", "repository", repo.String(), "digest", h.String(), "bytes", src.total-have, "from", have)
	at := have
	buffer := make([]byte, 128<<10)
	for {
		n, err := src.Read(buffer)
		if n > 0 {
			digest.Write(buffer[:n])
			if _, err := part.Write(buffer[:n]); err != nil {
				return c.passThrough(h, err)
			}
			at += int64(n)
			// What was there before may be wrong, after a power cut, so nobody gets it unchecked.
			if have == 0 {
				d.update(func() { d.readable = min(at, src.total-1) })
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if got := sum(digest); got != h.Hex {
		err := digestInvalid("what %s sent as %s has the digest sha256:%s", repo.RegistryStr(), h, got)
		if have > 0 {
			return c.afresh(d, repo, h, err)
		}
		c.store.remove(c.store.part(h))
		return err
	}
	return c.complete(d, h, at)
}

func sum(digest hash.Hash) string { return hex.EncodeToString(digest.Sum(nil)) }

// complete moves a part with the right digest to the blobs.
func (c *Cache) complete(d *download, h v1.Hash, size int64) error {
	if err := c.store.commit(h, d.part); err != nil {
		return c.passThrough(h, err)
	}
	d.update(func() { d.size, d.readable = size, size })
	return nil
}

// afresh drops what an earlier download left, and downloads all.
func (c *Cache) afresh(d *download, repo name.Repository, h v1.Hash, because error) error {
	c.log.Warn("starting a download afresh", "digest", h.String(), "because", because.Error())
	c.store.remove(c.store.part(h))
	closePart(d.part) // nobody reads it yet
	return c.fetch(d, repo, h)
}

// passThrough gives up storing a blob. What is there of it stays readable for those who have it open.
func (c *Cache) passThrough(h v1.Hash, because error) error {
	c.log.Warn("passing a blob through without storing it", "digest", h.String(), "because", because.Error())
	c.store.remove(c.store.part(h))
	return errPassThrough
}

// leave is for everybody who joined a download. The last one closes the part.
func (d *download) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users--; d.users == 0 && d.part != nil {
		closePart(d.part)
	}
}

func closePart(f *os.File) { _ = f.Close() } // what counts was synced

// update changes the state, and wakes those who wait.
func (d *download) update(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
	close(d.changed)
	d.changed = make(chan struct{})
}

// progress is a state of a download.
type progress struct {
	size, readable int64
	done           bool
	err            error
}

// next waits until more than offset is readable, or the download has ended; with offset -1, until
// the size is known.
func (d *download) next(ctx context.Context, offset int64) (progress, error) {
	for {
		d.mu.Lock()
		p, changed := progress{d.size, d.readable, d.done, d.err}, d.changed
		d.mu.Unlock()
		if p.done || p.readable > offset && p.size >= 0 {
			return p, nil
		}
		select {
		case <-ctx.Done():
			return progress{}, ctx.Err()
		case <-changed:
		}
	}
}
