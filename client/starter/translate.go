package starter

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"golang.org/x/mod/semver"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// translation makes a draft from a file of another tool. A change that a build would refuse becomes
// a note, so the draft always resolves.
type translation struct {
	*Draft
	ctx context.Context
}

// note says that something has no counterpart.
func (t *translation) note(line int, format string, args ...any) {
	t.Notes = append(t.Notes, Note{line, fmt.Sprintf(format, args...)})
}

// keep changes the spec if a build takes it then, or else says why not.
func (t *translation) keep(line int, what string, change func(*specs.Spec)) bool {
	changed := t.with(change)
	if _, err := changed.any(t.ctx); err != nil {
		t.note(line, "%s: %s", what, mistake(err))
		return false
	}
	*t.Draft = *changed
	return true
}

// setVersion takes a version with or without a leading v.
func (t *translation) setVersion(line int, version string) {
	version = "v" + strings.TrimPrefix(version, "v")
	t.keep(line, "version "+version, func(s *specs.Spec) { s.Version = version })
}

// setProvider chooses a Kubernetes. Upstream takes the newest version when there is none.
func (t *translation) setProvider(line int, name, version string) {
	changed := *t.Draft
	if err := changed.setKubernetes(name); err != nil {
		t.note(line, "%s", err)
		return
	}
	if !t.keep(line, name, func(s *specs.Spec) { *s = changed.Spec }) {
		return
	}
	if version != "" && version != "latest" {
		t.keep(line, name+" "+version, func(s *specs.Spec) { s.Kubernetes.Version = version })
	}
}

// defaultOf is the Kubernetes that a variant has by default; empty when it has none.
func (s Starter) defaultOf(variant string) string {
	for name, c := range s.components(specs.KindKubernetes) {
		if slices.Contains(c.Variants, variant) {
			return name
		}
	}
	return ""
}

// setModel takes the name of a machine, which is the same here and upstream.
func (t *translation) setModel(line int, model string) {
	if p, err := t.any(t.ctx); err == nil && p.Model != model {
		t.keep(line, "model "+model, func(s *specs.Spec) { s.Model = model })
	}
}

// setDistro extends the flavor of a distribution, or names the distribution when it has none.
func (t *translation) setDistro(d *catalog.Distro) {
	for _, name := range preferred(d.Name, t.starter.Catalog.FlavorNames()) {
		changed := t.with(func(s *specs.Spec) { s.Distro, s.Extends = specs.Distro{}, name })
		p, err := changed.any(t.ctx)
		if err == nil && plainly(p, d) {
			*t.Draft = *changed
			return
		}
	}
	t.Spec.Extends, t.Spec.Distro = "", specs.Distro{Name: d.Name}
}

// plainly reports whether a system is the distribution with its own kernel and init system, for no
// special machine.
func plainly(p *plan.Plan, d *catalog.Distro) bool {
	return p.Userland.Distro == d.Name && p.Kernel.Distro == d.Name && p.System.Init == d.Inits[0].Name && p.Disk.Firmware == nil
}

// byBase finds the distribution that an image is a base image of. The tag may have more parts than
// the catalog's, such as 12.5-slim, or be a name in the title, such as bookworm. It returns the
// newest release for a tag that names none; exact is false then.
func (s Starter) byBase(image string) (found *catalog.Distro, exact bool) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, false
	}
	tag := ""
	if tagged, ok := named.(reference.Tagged); ok {
		tag, _, _ = strings.Cut(tagged.Tag(), "-")
	}
	for _, name := range catalog.Names(s.Catalog.Distros) {
		d := s.Catalog.Distros[name]
		base, err := reference.ParseNormalizedNamed(d.Base)
		if err != nil || base.Name() != named.Name() {
			continue
		}
		if tag != "" && (numbered(tag, releaseOf(d)) || strings.Contains(d.Title, "("+tag+")")) {
			return d, true
		}
		if found == nil || semver.Compare("v"+releaseOf(found), "v"+releaseOf(d)) < 0 {
			found = d
		}
	}
	return found, false
}

// byRelease finds a distribution by its names upstream.
func (s Starter) byRelease(flavor, release string) (found *catalog.Distro, exact bool) {
	for _, name := range catalog.Names(s.Catalog.Distros) {
		d := s.Catalog.Distros[name]
		if d.Flavor != flavor {
			continue
		}
		if release != "" && (d.Release == release || numbered(release, releaseOf(d))) {
			return d, true
		}
		if found == nil || semver.Compare("v"+releaseOf(found), "v"+releaseOf(d)) < 0 {
			found = d
		}
	}
	return found, false
}

// releaseOf is the number of a release, without a word before it.
func releaseOf(d *catalog.Distro) string {
	return d.Release[strings.LastIndex(d.Release, "-")+1:]
}

// numbered reports whether a number is a release, or a part of one.
func numbered(number, release string) bool {
	return number == release || strings.HasPrefix(number, release+".")
}

// upstreamName is an image or a release that upstream publishes, by the parts of its name.
type upstreamName struct{ flavor, release, variant, arch, model, version, provider, providerVersion string }

// readImage reads the name of an upstream image: FLAVOR:RELEASE-VARIANT-ARCH-MODEL-VERSION. The
// release may have a word in front (contract 5.3).
func (s Starter) readImage(image string) (u upstreamName, ok bool) {
	name := image[strings.LastIndex(image, "/")+1:]
	name, _, _ = strings.Cut(name, "@")
	flavor, tag, _ := strings.Cut(name, ":")
	parts := strings.Split(tag, "-")
	at := slices.IndexFunc(parts, func(p string) bool { return p == "core" || p == "standard" })
	if at < 1 || len(parts) < at+4 {
		return u, false
	}
	u = upstreamName{flavor: flavor, release: strings.Join(parts[:at], "-"), variant: parts[at], arch: parts[at+1]}
	// A model can have several words; the version begins with v.
	rest := parts[at+2:]
	v := slices.IndexFunc(rest, func(p string) bool { return semver.IsValid(p) })
	if v < 1 {
		return u, false
	}
	u.model = strings.Join(rest[:v], "-")
	s.readVersion(&u, strings.Join(rest[v:], "-"))
	return u, true
}

// readVersion reads a version such as v3.5.0-k3sv1.33.5-k3s1, where a + of the Kubernetes may be -.
func (s Starter) readVersion(u *upstreamName, text string) {
	u.version = text
	for _, provider := range catalog.Names(s.components(specs.KindKubernetes)) {
		if version, rest, ok := strings.Cut(text, "-"+provider); ok {
			u.version, u.provider = version, provider
			u.providerVersion = strings.Replace("v"+strings.TrimPrefix(rest, "v"), "-"+provider, "+"+provider, 1)
			return
		}
	}
}

// setUpstream sets what the name of something upstream says. It returns false when the catalog does
// not have the distribution.
func (t *translation) setUpstream(line int, u upstreamName) bool {
	d, exact := t.starter.byRelease(u.flavor, u.release)
	if d == nil {
		return false
	}
	if !exact {
		t.note(line, "%s %s is not in the catalog; %s is used instead", u.flavor, cmp.Or(u.release, "without a release"), d.Title)
	}
	t.setDistro(d)
	if u.version != "" {
		t.setVersion(line, u.version)
	}
	if u.model != "" {
		t.setModel(line, u.model)
	}
	if t.starter.Catalog.Archs[u.arch] != nil {
		t.Arch = u.arch
	}
	if u.provider != "" {
		t.setProvider(line, u.provider, u.providerVersion)
	} else if u.variant == "standard" {
		t.note(line, "the variant standard without a Kubernetes; choose one with kubernetes")
	}
	return true
}

// setPublished makes a published image the system, which u is what its name says of. It returns false
// when it cannot be: the spec makes the system from the distribution then.
func (t *translation) setPublished(line int, what, image string, u upstreamName) bool {
	if m := t.starter.Catalog.Models[u.model]; m != nil && m.Firmware != nil {
		t.note(line, "%s: an image for a board cannot be a source; the spec makes the system from the distribution", what)
		return false
	}
	// The image has a version.
	if !t.keep(line, what, func(s *specs.Spec) { *s = specs.Spec{Source: specs.SourceImage{Image: image}} }) {
		return false
	}
	if t.starter.Catalog.Archs[u.arch] != nil {
		t.Arch = u.arch
	}
	return true
}

// finish completes the draft: what is built first, for which architecture.
func (t *translation) finish() error {
	o, err := archs(t.ctx, t.Draft)
	if err != nil {
		return err
	}
	if !slices.Contains(o.names(), t.Arch) {
		t.Arch = o.Default
	}
	if t.Target.Name == "" {
		target, err := targets(t.ctx, t.Draft)
		if err != nil {
			return err
		}
		if err := t.setTarget(target.Default); err != nil {
			return err
		}
	}
	slices.SortStableFunc(t.Notes, func(a, b Note) int { return cmp.Compare(a.Line, b.Line) })
	return nil
}

// below joins a path to a directory, unless it is absolute.
func below(dir, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", dir, name)
}
