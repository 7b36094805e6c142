package specs

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/flavorkit/flavorkit/specs/rules"
)

var (
	// onlyPattern accepts names of packages without a version.
	onlyPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9+._-]*[A-Za-z0-9+])?$`)
	// wordPattern accepts suites, components and directories of apt, which are separated by spaces.
	wordPattern = regexp.MustCompile(`^[A-Za-z0-9._/~+-]+$`)
	// secretPattern accepts the id of a build secret that is also a file name.
	secretPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	// keyNamePattern accepts the last part of the path of a key, which apk looks it up by.
	keyNamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9@+._-]*$`)
)

// repositories checks third-party package sources. What a package manager has is checked with the
// catalog.
func (v *validator) repositories(all []Repository) {
	first := map[string]string{}
	for i, r := range all {
		at := fmt.Sprintf("repositories[%d]", i)
		v.repository(at, r)
		if before, ok := first[r.Name]; ok && r.Name != "" {
			v.report(rules.DuplicateEntry, at+".name", "keep one of them", "duplicate entry %q, first in line %d", r.Name, v.doc.At(before).Start.Line)
		}
		first[r.Name] = at + ".name"
	}
}

func (v *validator) repository(at string, r Repository) {
	if r.Name == "" {
		v.missing(rules.MissingValue, at, "give it one, such as name: docker", "has no name")
	}
	v.match(at+".name", r.Name, namePattern, "use lower case letters and digits, with . _ or - between them")
	if r.URL == "" {
		v.missing(rules.MissingValue, at, "give the url of the repository, such as url: https://download.docker.com/linux/debian", "has no url")
	}
	v.repositoryURL(at+".url", r.URL)
	for key, words := range map[string][]string{"suites": r.Suites, "components": r.Components} {
		for i, word := range words {
			v.match(fmt.Sprintf("%s.%s[%d]", at, key, i), word, wordPattern, "write one word, such as bookworm")
		}
	}
	switch {
	case r.Path != "" && !wordPattern.MatchString(r.Path), r.Path != "" && !strings.HasSuffix(r.Path, "/"):
		v.report(rules.InvalidValue, at+".path", "write a directory below the url, with a / at its end, such as ./", "%s is not valid", quote(r.Path))
	case r.Path != "" && (len(r.Suites) > 0 || len(r.Components) > 0):
		v.report(rules.ConflictingValues, at+".path", "keep one of them", "a repository has either suites and components, or a path")
	}
	v.signingKey(at, r)
	for i, name := range r.Packages {
		v.match(fmt.Sprintf("%s.packages[%d]", at, i), name, onlyPattern, "write the name of one package without a version, such as docker-ce")
	}
	const hint = "write the id of a build secret, such as company-repo"
	v.match(at+".secret", r.Secret, secretPattern, hint)
	v.match(at+".certificate", r.Certificate, secretPattern, hint)
	if r.Certificate != "" && strings.HasPrefix(r.URL, "http:") {
		v.report(rules.InapplicableKey, at+".certificate", "write an https url, or remove it", "http knows no client certificates")
	}
}

// repositoryURL accepts a url without credentials. Package managers put it into lines of their own,
// so it has no space and no quote.
func (v *validator) repositoryURL(key, s string) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || !cmdlinePattern.MatchString(s) || strings.ContainsAny(s, `"'\`):
		v.report(rules.InvalidValue, key, "write a full url, such as https://download.docker.com/linux/debian", "%s is not the url of a repository", quote(s))
	case u.User != nil:
		v.report(rules.InvalidValue, key, "put user:password into a build secret, and name it with secret:", "credentials do not belong into a spec")
	case u.RawQuery != "" || u.Fragment != "":
		v.report(rules.InvalidValue, key, "remove what begins with ? or #", "%s has a query", quote(s))
	}
}

// signingKey refuses a repository without a key: over http it would be whatever the network brings,
// and over https whatever the server is made to give.
func (v *validator) signingKey(at string, r Repository) {
	k := r.Key
	switch {
	case k.IsZero() && strings.HasPrefix(r.URL, "http:"):
		v.missing(rules.UnverifiedDownload, at, "name the public key of the repository, such as key: keys/acme.asc", "has no key, and anybody on the way can change what http brings")
	case k.IsZero():
		v.missing(rules.UnverifiedDownload, at, "name the public key of the repository, such as key: keys/acme.asc", "has no key")
	case k.From != "" && (k.URL != "" || k.SHA256 != ""):
		v.report(rules.ConflictingValues, at+".key", "keep one of them", "has both a file and a download")
	case k.URL != "" && k.SHA256 == "":
		v.report(rules.UnverifiedDownload, at+".key.url", "add sha256: with the checksum of the key", "needs a checksum")
	case k.SHA256 != "" && k.URL == "":
		v.report(rules.MissingValue, at+".key", "add the url of the key", "has a checksum and no url")
	}
	if urlPattern.MatchString(k.From) {
		v.report(rules.InvalidPath, at+".key.from", "write key: {url: …, sha256: …}", "%s is a url, not the path of a file", quote(k.From))
		return
	}
	v.from(at+".key.from", k.From, "write the key into a file, and name that")
	v.match(at+".key.sha256", k.SHA256, sha256Pattern, "write 64 hexadecimal digits, lower case")
	place, name := at+".key.from", k.From[strings.LastIndex(k.From, "/")+1:]
	if k.URL != "" {
		u, err := url.Parse(k.URL)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || strings.HasSuffix(u.Path, "/") || u.Path == "" {
			v.report(rules.InvalidValue, at+".key.url", "write the full url of the key, such as https://download.docker.com/linux/debian/gpg", "%s is not the url of a file", quote(k.URL))
			return
		}
		place, name = at+".key.url", u.Path[strings.LastIndex(u.Path, "/")+1:]
	}
	if name != "" && isLocal(k.From) && !keyNamePattern.MatchString(name) {
		v.report(rules.InvalidValue, place, "use letters, digits and @ + . _ - in the name of the file", "%s is not the name of a key", quote(name))
	}
}
