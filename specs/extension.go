package specs

import (
	"fmt"
	"regexp"

	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

var (
	extensionNamePattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	// extensionVersionPattern accepts what systemd compares (systemd(7) of versions, uapi-group.org,
	// version format), and no more than a file name has.
	extensionVersionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+~_-]*$`)
	// unitPattern accepts the name of a unit that can be started (systemd.unit(5)).
	unitPattern = regexp.MustCompile(`^[A-Za-z0-9_.@:-]+\.(automount|mount|path|service|socket|swap|target|timer)$`)
)

// KeyedExtension is an extension with its key.
type KeyedExtension struct {
	Extension
	Key key.Key
}

// Extensions are all extensions of the spec.
func (d *Document) Extensions() (all []KeyedExtension) {
	if d.Has(key.Extension.String()) {
		all = append(all, KeyedExtension{d.Spec.Extension, key.Extension})
	}
	for i, e := range d.Spec.Extensions {
		all = append(all, KeyedExtension{e, key.Extensions.Item(i)})
	}
	return all
}

// extensions checks all extensions. Machines know them by their names.
func (v *validator) extensions() {
	first := map[string]string{}
	for _, e := range v.doc.Extensions() {
		v.extension(e.Key.String(), e.Extension)
		at := e.Key.Name().String()
		if before, ok := first[e.Name]; ok && e.Name != "" {
			v.report(rules.DuplicateEntry, at, "give each extension a name of its own", "duplicate entry %q, first in line %d", e.Name, v.doc.At(before).Start.Line)
		}
		first[e.Name] = at
	}
}

// extension checks an extension. What is in its packages is checked when it is built.
func (v *validator) extension(at string, e Extension) {
	if e.Name == "" {
		v.missing(rules.MissingValue, at, "give it one, such as name: caddy", "has no name")
	}
	v.match(at+".name", e.Name, extensionNamePattern, "use lower case letters and digits, with - between them")
	v.match(at+".version", e.Version, extensionVersionPattern, "write a version such as v1.2.3")
	for key, text := range map[string]string{at + ".name": e.Name, at + ".version": e.Version} {
		if len(text) > maxName {
			v.report(rules.InvalidValue, key, "", "has %d characters; the name of a file has room for %d", len(text), maxName)
		}
	}
	if len(e.Packages) == 0 && len(e.Files) == 0 {
		v.missing(rules.MissingValue, at, "give packages or files", "has nothing in it")
	}
	v.packages(at+".packages", e.Packages)
	for i, f := range e.Files {
		v.file(fmt.Sprintf("%s.files[%d]", at, i), f)
	}
	v.sameFiles(at+".files", e.Files)
	v.units(at+".services", e.Services)
	v.content(at+".certificate", e.Certificate)
}

// kubernetes checks what is for Kubernetes as an extension.
func (v *validator) kubernetes(k Kubernetes) {
	at := key.Kind(KindKubernetes)
	v.content(at.Certificate().String(), k.Certificate)
	if !k.Certificate.IsZero() && !k.AsExtension() && v.whole {
		v.report(rules.InapplicableKey, at.Certificate().String(), `write "as: extension", or remove it`, "only an extension is signed")
	}
}

func (v *validator) units(key string, names []string) {
	first := map[string]string{}
	for i, name := range names {
		at := itemKey(key, i)
		v.match(at, name, unitPattern, "write the name of one unit, such as caddy.service")
		if before, ok := first[name]; ok {
			v.report(rules.DuplicateEntry, at, "", "duplicate entry %q, first in line %d", name, v.doc.At(before).Start.Line)
		}
		first[name] = at
	}
}
