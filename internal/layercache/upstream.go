package layercache

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/pkg/errors"
)

// upstream are the registries that have the images.
type upstream struct {
	keychain  authn.Keychain
	transport http.RoundTripper
	insecure  []string
	retry     Retry
}

// ask sends a request for a part of a repository, with the credentials for its registry.
func (u upstream) ask(ctx context.Context, repo name.Repository, method, part string, header http.Header) (*http.Response, error) {
	auth, err := authn.Resolve(ctx, u.keychain, repo)
	if err != nil {
		return nil, errors.Wrap(err, "read the credentials")
	}
	t, err := transport.NewWithContext(ctx, repo.Registry, auth, u.transport, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, err
	}
	address := url.URL{Scheme: repo.Scheme(), Host: repo.RegistryStr(), Path: "/v2/" + repo.RepositoryStr() + "/" + part}
	req, err := http.NewRequestWithContext(ctx, method, address.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header = header
	client := http.Client{Transport: t}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := transport.CheckError(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		_ = resp.Body.Close() // the error is what counts
		return nil, err
	}
	return resp, nil
}

// manifest asks for the manifest of a tag or a digest, in one of the formats that are accepted.
func (u upstream) manifest(ctx context.Context, t target, accept []string) (*http.Response, error) {
	return u.ask(ctx, t.repo, http.MethodGet, "manifests/"+t.ref, http.Header{"Accept": accept})
}

// size is the size of a blob.
func (u upstream) size(ctx context.Context, repo name.Repository, h v1.Hash) (int64, error) {
	resp, err := u.ask(ctx, repo, http.MethodHead, "blobs/"+h.String(), http.Header{})
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close() // it is empty
	if resp.ContentLength < 0 {
		return 0, digestInvalid("%s does not say how large %s is", repo.RegistryStr(), h)
	}
	return resp.ContentLength, nil
}

// blob opens a blob at an offset. Reading goes on where it was when a connection breaks.
func (u upstream) blob(ctx context.Context, repo name.Repository, h v1.Hash, offset int64) (*source, error) {
	s := &source{
		retry: u.retry,
		open: func(ctx context.Context, offset int64) (io.ReadCloser, int64, error) {
			return u.blobAt(ctx, repo, h, offset)
		},
		offset: offset,
		ctx:    ctx,
	}
	if err := s.connect(); err != nil {
		return nil, err
	}
	return s, nil
}

// errShort says that a blob ends before the offset that was asked for.
var errShort = errors.New("the blob is shorter than what is there of it")

// blobAt opens a blob at an offset, and returns the size of all of it. Registries without ranges send
// what comes before again.
func (u upstream) blobAt(ctx context.Context, repo name.Repository, h v1.Hash, offset int64) (io.ReadCloser, int64, error) {
	header := http.Header{}
	if offset > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := u.ask(ctx, repo, http.MethodGet, "blobs/"+h.String(), header)
	if offset > 0 && noRange(err) {
		resp, err = u.ask(ctx, repo, http.MethodGet, "blobs/"+h.String(), http.Header{})
	}
	if err != nil {
		return nil, 0, err
	}
	total, err := skip(resp, offset)
	if err != nil {
		_ = resp.Body.Close() // the error is what counts
		return nil, 0, err
	}
	return resp.Body, total, nil
}

// skip goes to an offset in an answer, and returns the size of the whole blob.
func skip(resp *http.Response, offset int64) (total int64, err error) {
	if resp.StatusCode == http.StatusPartialContent {
		return rangeTotal(resp.Header.Get("Content-Range"), offset)
	}
	switch total = resp.ContentLength; {
	case total < 0:
		return 0, digestInvalid("%s does not say how large the blob is", resp.Request.URL)
	case total < offset:
		return 0, errShort
	}
	_, err = io.CopyN(io.Discard, resp.Body, offset)
	return total, err
}

// rangeTotal reads a header such as "bytes 100-199/200" of an answer that has to begin at an offset.
func rangeTotal(header string, offset int64) (int64, error) {
	span, total, _ := strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	if first != strconv.FormatInt(offset, 10) {
		return 0, errors.Errorf("asked for the bytes from %d on, and got %q", offset, header)
	}
	n, err := strconv.ParseInt(total, 10, 64)
	return n, errors.Wrapf(err, "read the range %q", header)
}

// source reads a blob of a registry, and connects again when the connection breaks.
type source struct {
	// ctx ends reading.
	ctx    context.Context
	retry  Retry
	open   func(ctx context.Context, offset int64) (io.ReadCloser, int64, error)
	offset int64
	// total is the size of the blob, known after the first connection.
	total int64

	body   io.ReadCloser
	stop   context.CancelFunc
	stall  *time.Timer
	failed int
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	for s.offset < s.total {
		if s.body == nil {
			if err := s.connect(); err != nil {
				return 0, err
			}
		}
		s.stall.Reset(s.retry.Stall)
		n, err := s.body.Read(p[:min(int64(len(p)), s.total-s.offset)])
		if n > 0 {
			s.offset += int64(n)
			s.failed = 0
			return n, nil
		}
		if err == nil {
			continue
		}
		s.Close()
		if err := s.again(err); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// connect opens the blob where reading is, and tries again if that fails.
func (s *source) connect() error {
	for {
		ctx, stop := context.WithCancel(s.ctx)
		stall := time.AfterFunc(s.retry.Stall, stop)
		body, total, err := s.open(ctx, s.offset)
		if err == nil {
			s.body, s.total, s.stop, s.stall = body, total, stop, stall
			return nil
		}
		stall.Stop()
		stop()
		if err := s.again(err); err != nil {
			return err
		}
	}
}

// again waits before another try, unless the error is permanent or there were too many.
func (s *source) again(err error) error {
	s.failed++
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	if errors.Is(err, errShort) || permanent(err) || s.failed >= s.retry.Tries {
		return err
	}
	select {
	case <-s.ctx.Done():
		return s.ctx.Err()
	case <-time.After(s.retry.Pause << (s.failed - 1)):
		return nil
	}
}

// Close ends the connection.
func (s *source) Close() {
	if s.body == nil {
		return
	}
	s.stall.Stop()
	s.stop()
	_ = s.body.Close() // nothing is lost
	s.body = nil
}
