package specs

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"
)

var (
	namePattern = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)
	// packagePattern takes what the four package managers call a package, with
	// an optional version. It starts with a letter or digit, so that a name is
	// never taken for an option, and does not end with a sign that apt-get
	// takes for an order to remove.
	packagePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9+._:~=-]*[A-Za-z0-9+])?$`)
	modePattern    = regexp.MustCompile(`^(0o?)?[0-7]{3,4}$`)
	ownerPattern   = regexp.MustCompile(`^[0-9]+:[0-9]+$`)
	sha256Pattern  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	imagePattern   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:/@-]*[A-Za-z0-9])?$`)
)

// maxLevel is the highest compression level of the squashfs compressors that
// have levels (mksquashfs(1), -Xcompression-level).
var maxLevel = map[string]int{"zstd": 22, "gzip": 9}

// validate checks what can be checked without a catalog.
func (d *Document) validate() Diagnostics {
	v := &validator{doc: d}
	s := d.Spec
	v.version(s.Version)
	v.oneOf("variant", s.Variant, "core", "standard")
	v.oneOf("init", s.Init, "systemd", "openrc")
	v.match("name", s.Name, namePattern, "use lower case letters and digits, with . _ or - between them")
	v.match("distro.base", s.Distro.Base, imagePattern, "write an image reference, such as docker.io/library/debian:12-slim")
	v.match("kernel.package", s.Kernel.Package, packagePattern, "write the name of one package")
	v.match("kernel.version", s.Kernel.Version, packagePattern, "write a version as the package manager shows it")
	v.packages("packages.add", s.Packages.Add)
	v.packages("packages.remove", s.Packages.Remove)
	for i, f := range s.Files {
		v.file(fmt.Sprintf("files[%d]", i), f)
	}
	v.content("cloudConfig", s.CloudConfig)
	v.content("artifacts.iso.cloudConfig", s.Artifacts.ISO.CloudConfig)
	for i, arg := range s.Cmdline {
		v.cmdline(fmt.Sprintf("cmdline[%d]", i), arg)
	}
	for name, c := range s.Components {
		v.component("components."+name, c)
	}
	v.compression(s.Artifacts.ISO)
	return v.found
}

// validator collects diagnostics.
type validator struct {
	doc   *Document
	found Diagnostics
}

func (v *validator) report(key, hint, format string, args ...any) {
	v.found = append(v.found, v.doc.Diagnose(key, hint, format, args...))
}

func (v *validator) version(version string) {
	const hint = `write semantic versioning with a leading v, such as "version: v1.0.0"`
	switch {
	case version == "":
		v.report("version", hint, "is missing")
	case !semver.IsValid(version) || semver.Canonical(version) != strings.SplitN(version, "+", 2)[0]:
		v.report("version", hint, "%q is not a version", version)
	}
}

func (v *validator) oneOf(key, value string, valid ...string) {
	if value != "" && !slices.Contains(valid, value) {
		v.report(key, Suggest(value, valid), "%q is not valid", value)
	}
}

func (v *validator) match(key, value string, pattern *regexp.Regexp, hint string) {
	if value != "" && !pattern.MatchString(value) {
		v.report(key, hint, "%q is not valid", value)
	}
}

func (v *validator) packages(key string, names []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", key, i)
		if !packagePattern.MatchString(name) {
			v.report(at, "write the name of one package, such as htop", "%q is not a package name", name)
		} else if first := slices.Index(names, name); first < i {
			v.report(at, "", "%q stands twice, first as %s[%d]", name, key, first)
		}
	}
}

func (v *validator) file(key string, f File) {
	switch {
	case f.Path == "":
		v.report(key, "give the path in the root filesystem, such as path: /etc/motd", "has no path")
	case !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/":
		v.report(key+".path", "write an absolute path without . and .. in it, such as /etc/motd", "%q is not a path in the root filesystem", f.Path)
	}
	v.content(key, Content{From: f.From, Content: f.Content})
	if f.From == "" && f.Content == "" && !v.doc.Has(key+".content") {
		v.report(key, "give from, a file of the build context, or content, the text itself", "has neither from nor content")
	}
	v.match(key+".mode", f.Mode, modePattern, "write it in octal, such as 0644")
	v.match(key+".owner", f.Owner, ownerPattern, "write uid:gid in numbers, such as 0:0")
}

func (v *validator) content(key string, c Content) {
	if c.From != "" && c.Content != "" {
		v.report(key, "keep one of them", "has both from and content")
	}
	if c.From != "" && !isLocal(c.From) {
		v.report(key+".from", "name a file inside the build context, by a relative path", "%q climbs out of the build context", c.From)
	}
}

func (v *validator) cmdline(key, arg string) {
	if arg == "" || strings.ContainsAny(arg, " \t\n\"'`$\\{};&|<>") {
		v.report(key, "write one argument, without spaces, quotes or $, such as console=ttyS1,115200", "%q is not one kernel argument", arg)
	}
}

func (v *validator) component(key string, c Component) {
	given := 0
	for _, s := range []string{c.URL, c.Image, c.Context} {
		if s != "" {
			given++
		}
	}
	if given > 1 {
		v.report(key, "keep one of them", "has more than one of url, image and context")
	}
	v.match(key+".version", c.Version, packagePattern, "write a version such as v2.31.4")
	v.match(key+".image", c.Image, imagePattern, "write an image reference")
	v.match(key+".context", c.Context, imagePattern, "write the name of a named context")
	v.url(key+".url", c.URL)
	v.url(key+".checksums", c.Checksums)
	for arch, sum := range c.SHA256 {
		v.match(key+".sha256."+arch, sum, sha256Pattern, "write 64 hexadecimal digits, lower case")
	}
	if c.URL != "" && len(c.SHA256) == 0 && c.Checksums == "" {
		v.report(key+".url", "add sha256: {amd64: …}, or checksums: with the url of the publisher's sha256 list", "has nothing to verify it with")
	}
	if c.Path != "" && !isLocal(strings.TrimPrefix(c.Path, "/")) {
		v.report(key+".path", "", "%q climbs out of its source", c.Path)
	}
}

func (v *validator) url(key, s string) {
	if s == "" {
		return
	}
	if u, err := url.Parse(s); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		v.report(key, "write a full url, such as https://example.com/{version}/file-{arch}.tar.gz", "%q is not a url", s)
	}
}

func (v *validator) compression(iso ISO) {
	const key = "artifacts.iso.compression"
	v.oneOf(key, iso.Compression, "zstd", "xz", "gzip", "lz4")
	if iso.Level == 0 && !v.doc.Has("artifacts.iso.level") {
		return
	}
	name := iso.Compression
	if name == "" {
		name = "zstd"
	}
	limit, ok := maxLevel[name]
	switch {
	case !ok:
		v.report("artifacts.iso.level", "take it out", "%s has no levels", name)
	case iso.Level < 1 || iso.Level > limit:
		v.report("artifacts.iso.level", "write a number from 1 to "+strconv.Itoa(limit), "%d is not a level of %s", iso.Level, name)
	}
}
