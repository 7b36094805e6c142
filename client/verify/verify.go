// Package verify holds what is told about a built system to the system, and to each other: its digest,
// its signature, its bill of materials and its lock file.
package verify

import (
	"context"
	"io"
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/cache"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/sign"
	"github.com/flavorkit/flavorkit/frontend"
)

// Kind is what a check is about.
type Kind string

// The kinds of checks.
const (
	Digest    Kind = "digest"
	Signature Kind = "signature"
	SBOM      Kind = frontend.SBOMTarget
	Lock      Kind = "lock"
)

// Kinds are all of them, in the order of a report.
func Kinds() []Kind { return []Kind{Digest, Signature, SBOM, Lock} }

// Outcome is that of a check.
type Outcome string

// The outcomes.
const (
	OK     Outcome = "ok"
	Failed Outcome = "failed"
	// Absent is for what there is not.
	Absent Outcome = "not present"
	// Unchecked is for what there is, and nothing to check it with.
	Unchecked Outcome = "not checked"
)

// Options of Verify.
type Options struct {
	inspect.Options
	// Digest that the system has to have, such as sha256:…; empty for any.
	Digest string
	// Key verifies the signature; nil for none.
	Key *sign.PublicKey
	// SBOM and Lock are files to compare with, beside those that come with the system.
	SBOM, Lock string
	// Require fails what there is not, or cannot be checked.
	Require []Kind
}

// Check is one check and its outcome.
type Check struct {
	Check   Kind    `json:"check"`
	Outcome Outcome `json:"outcome"`
	// Detail says what was compared, or what is wrong.
	Detail string `json:"detail"`
	// Differences are those of lists of packages.
	Differences []string `json:"differences,omitempty"`
}

// Report is the result.
type Report struct {
	// Name is what was verified, and Digest that of its file, or of the image.
	Name   string  `json:"name"`
	Digest string  `json:"digest"`
	Checks []Check `json:"checks"`
}

// Count is the number of checks with an outcome.
func (r *Report) Count(o Outcome) (n int) {
	for _, c := range r.Checks {
		if c.Outcome == o {
			n++
		}
	}
	return n
}

// Verify verifies a built system, which is named as for inspect.Read.
func Verify(ctx context.Context, name string, opt Options) (*Report, error) {
	s, err := open(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	defer s.close()
	r := &Report{Name: name, Digest: s.digest().String()}
	for _, check := range []func(context.Context) Check{s.checkDigest, s.checkSignature, s.checkSBOM, s.checkLock} {
		c := check(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if slices.Contains(opt.Require, c.Check) && (c.Outcome == Absent || c.Outcome == Unchecked) {
			c.Outcome, c.Detail = Failed, string(c.Outcome)+": "+c.Detail
		}
		r.Checks = append(r.Checks, c)
	}
	return r, nil
}

// subject is a built system with what is told about it.
type subject struct {
	name string
	opt  Options
	// file is the digest of a file; zero for a directory, and for an image in a registry.
	file v1.Hash
	// image is nil for a medium. It is read as published, once.
	published *inspect.Published
	image     v1.Image
	// digests are those that the image has: its own, and that of the index that it is in.
	digests    []v1.Hash
	statements []statement
	// packages are read once.
	packages packages
	closers  []func()
}

func (s *subject) close() {
	for _, c := range slices.Backward(s.closers) {
		c()
	}
}

// digest is what the subject is known by.
func (s *subject) digest() v1.Hash {
	if s.file != (v1.Hash{}) {
		return s.file
	}
	return s.digests[0]
}

func open(ctx context.Context, name string, opt Options) (_ *subject, err error) {
	s := &subject{name: name, opt: opt}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		if s.file, err = sumOf(name); err != nil {
			return nil, errors.Wrapf(err, "read %s", name)
		}
	}
	if s.file == (v1.Hash{}) || inspect.IsImage(name) {
		// An archive may have a root filesystem instead.
		if err := s.openImage(ctx); err != nil && !errors.Is(err, inspect.ErrNoImage) {
			return nil, err
		}
	}
	s.statements, err = s.readStatements()
	return s, err
}

// openImage opens the image. The layers of one in a registry are downloaded once.
func (s *subject) openImage(ctx context.Context) error {
	p, closer, err := inspect.Open(ctx, s.name, s.opt.Options)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() { _ = closer.Close() })
	s.published, s.image = p, p.Image
	own, err := p.Image.Digest()
	if err != nil {
		return errors.Wrapf(err, "read the manifest of %s", s.name)
	}
	s.digests = []v1.Hash{own}
	if p.Digest != (v1.Hash{}) && p.Digest != own {
		s.digests = []v1.Hash{p.Digest, own}
	}
	if inspect.InRegistry(s.name) {
		dir, err := os.MkdirTemp("", "flavorkit-")
		if err != nil {
			return errors.Wrap(err, "make room for the layers")
		}
		s.closers = append(s.closers, func() { _ = os.RemoveAll(dir) })
		s.image = cache.Image(p.Image, cache.NewFilesystemCache(dir))
	}
	return nil
}

func sumOf(name string) (v1.Hash, error) {
	f, err := os.Open(name)
	if err != nil {
		return v1.Hash{}, err
	}
	defer f.Close()
	sum, _, err := v1.SHA256(f)
	return sum, err
}

// readLimited reads a small file of somebody else.
func readLimited(r io.Reader) ([]byte, error) {
	const most = 64 << 20
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && len(data) > most {
		err = errors.New("it is too large")
	}
	return data, err
}
