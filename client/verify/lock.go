package verify

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/specs"
)

// locked is a lock file that somebody has written.
type locked struct {
	from string
	*lock.File
}

// locks are those that come with the system, and the one that is given.
func (s *subject) locks() (all []locked, err error) {
	add := func(from string, data []byte) error {
		f, err := lock.Read(&specs.Source{Name: from, Data: data})
		all = append(all, locked{from, f})
		return err
	}
	for _, st := range s.statements {
		if st.PredicateType != lock.Predicate {
			continue
		}
		if !s.isAbout(st) {
			return nil, errors.Errorf("%s is about something else", st.from)
		}
		if err := add(st.from, st.Predicate); err != nil {
			return nil, err
		}
	}
	if s.opt.Lock == "" {
		return all, nil
	}
	data, err := os.ReadFile(s.opt.Lock)
	if err != nil {
		return nil, err
	}
	return all, add(s.opt.Lock, data)
}

// checkLock compares lock files with the bill of materials, or with the database in the system if
// there is none.
func (s *subject) checkLock(ctx context.Context) Check {
	c := Check{Check: Lock, Outcome: Failed}
	all, err := s.locks()
	switch {
	case err != nil:
		c.Detail = err.Error()
		return c
	case len(all) == 0:
		c.Outcome, c.Detail = Absent, "there is no attestation with one, and none is given"
		return c
	}
	doc, err := s.told(ctx)
	if err != nil {
		c.Detail = err.Error()
		return c
	}
	var details, wrong []string
	for _, l := range all {
		m := l.match(doc)
		if err := s.addBase(ctx, l, &m); err != nil {
			c.Detail = err.Error()
			return c
		}
		details = append(details, m.String()+" "+l.from)
		if len(m.differences) > 0 {
			wrong = append(wrong, l.from)
		}
		c.Differences = append(c.Differences, m.differences...)
	}
	if len(wrong) > 0 {
		c.Detail = fmt.Sprintf("the packages of %s are not those of %s", doc.from, strings.Join(wrong, ", "))
		return c
	}
	c.Outcome, c.Detail = OK, strings.Join(details, "; ")
	return c
}

// told is what the system has in words of a bill of materials.
func (s *subject) told(ctx context.Context) (bill, error) {
	all, err := s.bills()
	if err != nil {
		return bill{}, err
	}
	if len(all) > 0 {
		return all[0], nil
	}
	doc, err := s.installed(ctx)
	return bill{"the system", doc}, err
}

// match is how a lock file fits a bill of materials.
type match struct {
	stage lock.Stage
	// locked is the number of packages of the lock, and others are those that it does not have.
	locked int
	others []sbom.Part
	// base is true if the others are those of the base image.
	base        bool
	differences []string
}

// String counts.
func (m match) String() string {
	text := fmt.Sprintf("%d packages are in", m.locked)
	if n := len(m.others); n > 0 && m.base {
		text = fmt.Sprintf("%d packages are in the base image, and %d in", n, m.locked)
	} else if n > 0 {
		text = fmt.Sprintf("%d packages are not compared, as the base image may have them, and %d are in", n, m.locked)
	}
	return text
}

// match finds the stage of the lock that the system was made with: a lock is for several architectures,
// and maybe for several specs.
func (l locked) match(doc bill) match {
	has := map[string]bool{}
	for _, p := range doc.Parts {
		if isPackage(p) && inUserland(p) {
			has[lock.ID(p.Name, p.Version, p.Arch)] = true
		}
	}
	var best *lock.Stage
	var missing []string
	for _, stage := range l.Stages {
		if stage.Stage != userland {
			continue
		}
		lacks := slices.DeleteFunc(slices.Clone(stage.Archives), func(id string) bool { return has[id] })
		if best == nil || len(lacks) < len(missing) {
			best, missing = &stage, lacks
		}
	}
	if best == nil {
		return match{differences: []string{l.from + " has no packages of the userland"}}
	}
	m := match{stage: *best}
	for _, id := range missing {
		m.differences = append(m.differences, fmt.Sprintf("%s is in %s, and not in %s", id, l.from, doc.from))
	}
	m.compare(l, doc)
	return m
}

// compare compares the packages of a bill with the archives of a lock.
func (m *match) compare(l locked, doc bill) {
	for _, p := range doc.Parts {
		if !isPackage(p) {
			continue
		}
		id := lock.ID(p.Name, p.Version, p.Arch)
		sums := l.sums(id)
		switch {
		case p.SHA256 != "" && !slices.Contains(sums, p.SHA256):
			m.differences = append(m.differences, fmt.Sprintf("%s has the checksum %.8s… in %s, which %s does not have", title(p), p.SHA256, doc.from, l.from))
		case inUserland(p) && slices.Contains(m.stage.Archives, id), !inUserland(p) && len(sums) > 0:
			m.locked++
		case inUserland(p):
			m.others = append(m.others, p)
		}
	}
}

// sums are the checksums of an archive, which several distributions may have.
func (l locked) sums(id string) (all []string) {
	for _, archives := range l.Archives {
		if a, ok := archives[id]; ok {
			all = append(all, a.SHA256)
		}
	}
	return all
}

// addBase compares the packages that the lock does not have with those of the base image, which are in
// the first layers of an image.
func (s *subject) addBase(ctx context.Context, l locked, m *match) error {
	if s.image == nil || len(m.others) == 0 || len(m.differences) > 0 {
		return nil
	}
	base := slices.DeleteFunc(slices.Clone(l.Images), func(img lock.Image) bool { return img.Name != m.stage.Base })
	if len(base) == 0 {
		return nil // a directory replaces it
	}
	count, err := s.layersOf(base)
	if err != nil {
		return err
	}
	if count == 0 {
		m.differences = append(m.differences, fmt.Sprintf("the image does not begin with the layers of %s in %s", m.stage.Base, l.from))
		return nil
	}
	layers, err := s.image.Layers()
	if err != nil {
		return errors.Wrap(err, "read the layers")
	}
	below, err := mutate.AppendLayers(empty.Image, layers[:count]...)
	if err != nil {
		return errors.Wrap(err, "read the base image")
	}
	found, err := inspect.ImagePackages(ctx, below)
	if err != nil {
		return errors.Wrap(err, "list the packages of the base image")
	}
	doc, err := documentOf(found)
	if err != nil {
		return err
	}
	for _, p := range m.others {
		if !slices.ContainsFunc(doc.Parts, func(b sbom.Part) bool { return title(b) == title(p) }) {
			m.differences = append(m.differences, fmt.Sprintf("%s is neither in %s nor in the base image %s", title(p), l.from, m.stage.Base))
		}
	}
	m.base = true
	return nil
}

// layersOf counts the layers that the image has of one of several base images; 0 if it has those of
// none.
func (s *subject) layersOf(base []lock.Image) (int, error) {
	config, err := s.image.ConfigFile()
	if err != nil {
		return 0, errors.Wrap(err, "read the configuration")
	}
	var ids []digest.Digest
	for _, d := range config.RootFS.DiffIDs {
		ids = append(ids, digest.Digest(d.String()))
	}
	for n := range ids {
		chain := identity.ChainID(slices.Clone(ids[:n+1])).String()
		if slices.ContainsFunc(base, func(img lock.Image) bool { return img.Layers == chain }) {
			return n + 1, nil
		}
	}
	return 0, nil
}
