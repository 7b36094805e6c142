package specs

import (
	"net/url"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// mirrors checks servers to use instead of the public ones. Names of archives are checked with the
// catalog.
func (v *validator) mirrors(m Mirrors) {
	const urlHint = "write a full url, such as https://mirror.example.com/debian"
	for name, to := range m.Archives {
		v.mirrorURL("mirrors.archives."+name, to, urlHint)
	}
	for from, to := range m.Downloads {
		at := "mirrors.downloads." + from
		if !isPrefix(from) {
			v.report(rules.InvalidValue, at, "write a scheme and a host, and a path if you like, such as https://github.com", "%s is not the beginning of a url", quote(from))
		}
		v.mirrorURL(at, to, "write a full url, such as https://mirror.example.com/github")
	}
	for from, to := range m.Registries {
		at := "mirrors.registries." + from
		const hint = "write a host, and a path if you like, such as mirror.example.com/hub"
		if !isRegistry(from) {
			v.report(rules.InvalidValue, at, "write a host, and a path if you like, such as docker.io", "%s is not the beginning of the name of an image", quote(from))
		}
		if !isRegistry(to) {
			v.report(rules.InvalidValue, at, hint, "%s is not the beginning of the name of an image", quote(to))
		}
	}
	v.sameMirrors("mirrors.downloads.", m.Downloads)
	v.sameMirrors("mirrors.registries.", m.Registries)
}

// Prefix is the beginning of urls or of names of images as they are compared: the host in lower
// case, and no slash at the end.
func Prefix(s string) string {
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		scheme, rest = "", s
	}
	host, path, _ := strings.Cut(rest, "/")
	s = strings.TrimRight(strings.ToLower(host)+"/"+path, "/")
	if found {
		s = strings.ToLower(scheme) + "://" + s
	}
	return s
}

// sameMirrors finds two mirrors of the same beginning. The checker finds those that are written the
// same.
func (v *validator) sameMirrors(keys string, all map[string]string) {
	first := map[string]string{}
	names := make([]string, 0, len(all))
	for from := range all {
		names = append(names, from)
	}
	// In the order of the file, as far as one has all.
	slices.SortFunc(names, func(a, b string) int {
		x, y := v.doc.At(keys+a).Start, v.doc.At(keys+b).Start
		if x.Line != y.Line {
			return x.Line - y.Line
		}
		return x.Column - y.Column
	})
	for _, from := range names {
		before, ok := first[Prefix(from)]
		if ok {
			v.report(rules.DuplicateEntry, keys+from, "keep one of them", "another mirror of %s, the first is in line %d", quote(Prefix(from)), v.doc.At(keys+before).Start.Line)
			continue
		}
		first[Prefix(from)] = from
	}
}

// mirrorURL accepts a url without credentials. Package managers have it in lines of their own.
func (v *validator) mirrorURL(key, s, hint string) {
	switch u, err := url.Parse(s); {
	case !isPrefix(s):
		v.report(rules.InvalidValue, key, hint, "%s is not the url of a mirror", quote(s))
	case err == nil && u.User != nil:
		v.report(rules.InvalidValue, key, "remove them; a mirror has to be readable without", "credentials do not belong into a spec")
	}
}

// isPrefix reports whether a text is the beginning of urls: a scheme, a host, and a path without
// anything that a package manager or sed would read.
func isPrefix(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.RawQuery == "" && u.Fragment == "" &&
		cmdlinePattern.MatchString(s) && !strings.ContainsAny(s, `"'\?#$*[]`+"`")
}

// isRegistry reports whether a text is the beginning of full names of images.
func isRegistry(s string) bool {
	host, _, _ := strings.Cut(s, "/")
	if host != "localhost" && !strings.ContainsAny(host, ".:") {
		return false // which a name of an image would take for a part of docker.io
	}
	named, err := reference.ParseNormalizedNamed(strings.TrimSuffix(s, "/") + "/x")
	return err == nil && reference.IsNameOnly(named)
}

// authority checks the certificates of an authority. The file is read later.
func (v *validator) authority(c CA) {
	v.from("ca.from", c.From, "write the certificates into a file, and name that")
	v.match("ca.secret", c.Secret, secretPattern, "write the id of a build secret, such as company-ca")
	switch {
	case c.From != "" && c.Secret != "":
		v.report(rules.ConflictingValues, "ca", "keep one of them", "has both a file and a secret")
	case c.Image && c.Secret != "":
		v.report(rules.InapplicableKey, "ca.image", "give the file with from:, which is no secret in an image", "a system takes nothing from a build secret")
	case c.From == "" && c.Secret == "" && v.doc.Has("ca"):
		v.missing(rules.MissingValue, "ca", "name a file, such as ca: certs/acme.pem, or a secret", "has neither from nor secret")
	}
}
