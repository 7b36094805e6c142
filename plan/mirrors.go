package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

func newMirror(archive, from, to string) Mirror {
	return Mirror{Archive: archive, From: specs.Prefix(from), To: strings.TrimRight(to, "/")}
}

// mirrors are those of servers by what they replace.
func mirrors(asked map[string]string) []Mirror {
	var all []Mirror
	for from, to := range asked {
		all = append(all, newMirror("", from, to))
	}
	return longestFirst(all)
}

// longestFirst sorts mirrors by what they begin with, so that the first one that fits counts.
func longestFirst(all []Mirror) []Mirror {
	slices.SortFunc(all, func(a, b Mirror) int {
		return cmp.Or(len(b.From)-len(a.From), strings.Compare(a.From, b.From))
	})
	return all
}

// mirrored replaces the beginning of an address, up to a slash, by that of the first mirror that
// fits.
func mirrored(address string, all []Mirror) string {
	for _, m := range all {
		// The host may be written in capital letters, which do not change its length.
		begins := len(address) >= len(m.From) && specs.Prefix(address[:len(m.From)]) == m.From
		if rest := address[min(len(m.From), len(address)):]; begins && (rest == "" || rest[0] == '/') {
			return m.To + rest
		}
	}
	return address
}

// MirroredDownload is the url that a file is downloaded from.
func (p *Plan) MirroredDownload(url string) string { return mirrored(url, p.Downloads) }

// Mirrored is the url of a file of an archive at the mirror of the archive, if it has one.
func (in Install) Mirrored(url string) string {
	_, address, _ := strings.Cut(url, "://")
	if at := mirrored(address, in.Mirrors); at != address {
		return at
	}
	return url
}

// Canonical is the url that the distribution has for a file at a mirror of its archive. Every archive
// can be read over http. Of several hosts, the one with the shortest name is taken, but none that
// stands for another: nobody has a host below example (RFC 2606). A third-party repository has no other
// url than its own.
func (in Install) Canonical(url string) string {
	if slices.ContainsFunc(in.Repositories, func(r Repository) bool { return below(url, r.URL) }) {
		return url
	}
	var best Mirror
	for _, m := range in.Mirrors { // the longest first
		host, _, _ := strings.Cut(m.From, "/")
		if below(url, m.To) && len(m.To) >= len(best.To) && !strings.HasSuffix(host, ".example") {
			best = m
		}
	}
	if best.To == "" {
		return url
	}
	return "http://" + best.From + strings.TrimPrefix(url, best.To)
}

// below reports whether a url is in the directory of another.
func below(url, dir string) bool {
	return strings.HasPrefix(url, strings.TrimRight(dir, "/")+"/")
}

// MirroredImage is the reference that an image is pulled by. Tag and digest stay.
func (p *Plan) MirroredImage(ref string) string { return mirroredImage(ref, p.Registries) }

// MirroredImage is the reference that an image is pulled by where registries have mirrors: the
// registries of specs.Mirrors.
func MirroredImage(ref string, registries map[string]string) string {
	return mirroredImage(ref, mirrors(registries))
}

func mirroredImage(ref string, registries []Mirror) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil || len(registries) == 0 {
		return ref // which is refused where it is resolved
	}
	if pulled := mirrored(named.Name(), registries); pulled != named.Name() {
		return pulled + strings.TrimPrefix(named.String(), named.Name())
	}
	return ref
}

// checkArchives refuses names that no distribution has an archive by. A list of mirrors may be for
// more distributions than the spec has.
func (r *resolver) checkArchives() {
	valid := r.cat.ArchiveNames()
	for _, name := range catalog.Names(r.spec.Mirrors.Archives) {
		if !slices.Contains(valid, name) {
			r.report(rules.UnknownName, key.MirrorArchives.Entry(name), specs.Suggest(name, valid), "no distribution has an archive called %q", name)
		}
	}
}

// archives are the mirrors of the archives of a distribution.
func (r *resolver) archives(d *catalog.Distro) []Mirror {
	var all []Mirror
	for _, name := range catalog.Names(d.Archives) {
		if to, ok := r.spec.Mirrors.Archives[name]; ok {
			for _, from := range d.Archives[name] {
				all = append(all, newMirror(name, from, to))
			}
		}
	}
	return longestFirst(all)
}

// authority has the certificates of the spec.
func (r *resolver) authority(d *catalog.Distro) *CA {
	asked := r.spec.CA
	if asked.IsZero() {
		return nil
	}
	if asked.Image && len(d.Authorities.Update) == 0 {
		r.report(rules.UnsupportedChoice, key.CAImage, "add authorities: to the record of the distribution", "the catalog does not say how %s trusts a certificate", d.Title)
	}
	return &CA{Content: r.content(key.CA, specs.Content{From: asked.From}), Secret: asked.Secret, Image: asked.Image}
}

// authorities say how a step or a system of a distribution trusts the certificates; nil when there
// are none.
func (r *resolver) authorities(d *catalog.Distro) *Authorities {
	if a := d.Authorities; !r.spec.CA.IsZero() && len(a.Update) > 0 {
		return &Authorities{Directory: a.Directory, List: a.List, Bundle: a.Bundle, Update: a.Update}
	}
	return nil
}
