package specs

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/distribution/reference"
	"golang.org/x/mod/semver"

	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

var (
	namePattern = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)
	// packagePattern accepts package names of all package managers, with an optional version. A
	// name starts with a letter or digit, so it is never an option, and does not end with a sign
	// that means removal to apt-get.
	packagePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9+._:~=-]*[A-Za-z0-9+])?$`)
	// modePattern has no fourth digit: BuildKit drops those bits from files.
	modePattern   = regexp.MustCompile(`^(0o?)?[0-7]{3}$`)
	ownerPattern  = regexp.MustCompile(`^[0-9]{1,9}:[0-9]{1,9}$`)
	urlPattern    = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://`)
	labelPattern  = regexp.MustCompile(`^[A-Z0-9_]+$`)
	sha256Pattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
	// cmdlinePattern is printable ASCII; notInCmdline are characters with a meaning in a boot
	// loader.
	cmdlinePattern = regexp.MustCompile(`^[!-~]+$`)
)

// maxName leaves room for the rest of a file name, which has 255 bytes at most.
const maxName = 64

const notInCmdline = "\"'`$\\{};&|<>"

// archives are the file extensions of supported archives; other downloads are the bare program.
func archives() []string {
	return []string{".7z", ".apk", ".bz2", ".deb", ".gz", ".rpm", ".tar", ".xz", ".zip", ".zst"}
}

// isoLevels and diskLevels are the highest compression levels of the compressors that have levels:
// of the squashfs (mksquashfs(1), -Xcompression-level), and of a disk image (zstd(1), xz(1)).
func isoLevels() map[string]int  { return map[string]int{"zstd": 22, "gzip": 9} }
func diskLevels() map[string]int { return map[string]int{"zstd": 19, "xz": 9} }

// validate checks what can be checked without a catalog. It does not report missing values in an
// incomplete document.
func (d *Document) validate(whole bool) Diagnostics {
	v := &validator{doc: d, whole: whole}
	s := d.Spec
	if !v.doc.Has("source") || s.Version != "" { // an image has its own
		v.version(s.Version)
	}
	v.source(s.Source)
	v.enums(reflect.ValueOf(s), "")
	v.match("name", s.Name, namePattern, "use lower case letters and digits, with . _ or - between them")
	if len(s.Name) > maxName {
		v.report(rules.InvalidValue, "name", "", "has %d characters; file names of artifacts have room for %d", len(s.Name), maxName)
	}
	v.image("distro.base", s.Distro.Base, "write an image reference, such as docker.io/library/debian:12-slim")
	v.match("kernel.package", s.Kernel.Package, packagePattern, "write the name of one package")
	v.match("kernel.version", s.Kernel.Version, packagePattern, "write a version as the package manager shows it")
	v.ownKernel(s.Kernel)
	for _, kind := range Kinds() {
		v.match(kind.Key().Version().String(), kind.Choice(s).Version, packagePattern, "write a version such as "+kind.version)
	}
	v.images(s.Images)
	v.packages("packages.add", s.Packages.Add)
	v.packages("packages.remove", s.Packages.Remove)
	v.contradictions(s.Packages)
	v.repositories(s.Repositories)
	v.mirrors(s.Mirrors)
	v.authority(s.CA)
	for i, f := range s.Files {
		v.file(fileKey(i), f)
	}
	v.sameFiles("files", s.Files)
	v.layers(s.Layers)
	v.extensions()
	v.kubernetes(s.Kubernetes)
	v.content("cloudConfig", s.CloudConfig)
	v.content("artifacts.iso.cloudConfig", s.Artifacts.ISO.CloudConfig)
	v.content("artifacts.disk.cloudConfig", s.Artifacts.Disk.CloudConfig)
	for i, arg := range s.Cmdline {
		v.cmdline(fmt.Sprintf("cmdline[%d]", i), arg)
	}
	for name, c := range s.Components {
		v.component("components."+name, c)
	}
	iso, disk := s.Artifacts.ISO, s.Artifacts.Disk
	v.level("artifacts.iso.level", iso.Level, iso.Compression, isoLevels())
	v.label("artifacts.iso.label", iso.Label)
	v.size("artifacts.disk.size", disk.Size)
	v.size("size.root", s.Size.Root)
	v.size("size.initramfs", s.Size.Initramfs)
	v.upgrade(s.Upgrade)
	v.level("artifacts.disk.level", disk.Level, disk.Compression, diskLevels())
	v.test(s.Test)
	return v.found
}

// validator collects diagnostics.
type validator struct {
	doc   *Document
	whole bool
	found Diagnostics
}

func (v *validator) report(rule rules.Rule, key, hint, format string, args ...any) {
	v.found = append(v.found, v.doc.Diagnose(rule, key, hint, format, args...))
}

func (v *validator) missing(rule rules.Rule, key, hint, message string) {
	if v.whole {
		v.report(rule, key, hint, "%s", message)
	}
}

func (v *validator) version(version string) {
	const hint = `write semantic versioning with a leading v, such as "version: v1.0.0"`
	switch {
	case version == "":
		v.missing(rules.MissingValue, "version", hint, "is missing")
	case !semver.IsValid(version) || semver.Canonical(version) != strings.SplitN(version, "+", 2)[0]:
		v.report(rules.InvalidValue, "version", hint, "%s is not a version", quote(version))
	}
}

// enums checks values against the enum in their struct tag, which the schema is made from.
func (v *validator) enums(s reflect.Value, key string) {
	for field := range keyedFields(s.Type()) {
		value, at := s.FieldByIndex(field.Index), joinKey(key, yamlName(field))
		if field.Type.Kind() == reflect.Struct {
			v.enums(value, at)
			continue
		}
		valid := enum(field)
		if len(valid) > 0 && value.String() != "" && !slices.Contains(valid, value.String()) {
			v.report(rules.InvalidValue, at, Suggest(value.String(), valid), "%s is not valid", quote(value.String()))
		}
	}
}

// enum returns the valid values of a field, or nil when any value is valid.
func enum(field reflect.StructField) (valid []string) {
	for option := range strings.SplitSeq(field.Tag.Get("jsonschema"), ",") {
		if value, ok := strings.CutPrefix(option, "enum="); ok {
			valid = append(valid, value)
		}
	}
	return valid
}

func (v *validator) match(key, value string, pattern *regexp.Regexp, hint string) {
	if value != "" && !pattern.MatchString(value) {
		v.report(rules.InvalidValue, key, hint, "%s is not valid", quote(value))
	}
}

// image checks an image reference as BuildKit does.
func (v *validator) image(key, ref, hint string) {
	if ref == "" {
		return
	}
	if _, err := reference.ParseNormalizedNamed(ref); err != nil {
		v.report(rules.InvalidValue, key, hint, "%s is not valid", quote(ref))
	}
}

// images checks container images for the machine.
func (v *validator) images(refs []string) {
	first := map[string]string{}
	for i, ref := range refs {
		at := fmt.Sprintf("images[%d]", i)
		const hint = "write an image reference, such as docker.io/library/nginx:1.29"
		if ref == "" {
			v.report(rules.EmptyValue, at, hint, "is empty")
			continue
		}
		v.image(at, ref, hint)
		if before, ok := first[ref]; ok {
			v.report(rules.DuplicateEntry, at, "", "duplicate entry %q, first in line %d", ref, v.doc.At(before).Start.Line)
		}
		first[ref] = at
	}
}

// ownKernel checks a custom kernel.
func (v *validator) ownKernel(k Kernel) {
	v.image("kernel.image", k.Image, "write an image reference, such as ghcr.io/acme/kernel:6.12")
	v.image("kernel.context", k.Context, "write the name of a named context, in the form of an image name")
	switch {
	case k.Image != "" && k.Context != "":
		v.report(rules.ConflictingValues, "kernel", "keep one of them", "has both image and context")
	case (k.Image != "" || k.Context != "") && (k.Package != "" || k.Version != ""):
		v.report(rules.ConflictingValues, "kernel", "keep one of them", "has both a custom kernel and a package")
	}
}

func (v *validator) packages(key string, names []string) {
	first := map[string]string{}
	for i, name := range names {
		at := itemKey(key, i)
		if !packagePattern.MatchString(name) {
			v.report(rules.InvalidValue, at, "write the name of one package, such as htop", "%s is not a package name", quote(name))
			continue
		}
		// Different specs of a chain may name the same package, such as to pin what a base adds.
		name, _, _ = strings.Cut(name, "=")
		if before, ok := first[name]; ok && v.doc.At(before).Source == v.doc.At(at).Source {
			v.report(rules.DuplicateEntry, at, "", "duplicate entry %q, first in line %d", name, v.doc.At(before).Start.Line)
		}
		first[name] = at
	}
}

// contradictions finds packages that one file both adds and removes. Between two files, the nearer
// wins.
func (v *validator) contradictions(p Packages) {
	added := map[string]string{}
	for i, name := range p.Add {
		added[name] = fmt.Sprintf("packages.add[%d]", i)
	}
	for i, name := range p.Remove {
		if add, ok := added[name]; ok {
			v.report(rules.ConflictingValues, fmt.Sprintf("packages.remove[%d]", i), "keep one of them", "%q is also added, in line %d", name, v.doc.At(add).Start.Line)
		}
	}
}

// volatile are directories that are mounted over at boot, and links into them.
func volatile() []string {
	return []string{"/dev", "/proc", "/run", "/sys", "/tmp", "/var/lock", "/var/run", "/var/tmp"}
}

// below returns the first of the directories that a path is or is in.
func below(p string, dirs []string) (dir string, ok bool) {
	i := slices.IndexFunc(dirs, func(dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") })
	if i < 0 {
		return "", false
	}
	return dirs[i], true
}

// dirs exist on every system, so no file can take their place (hier(7), contract 1.4).
func dirs() []string {
	return []string{
		"/bin", "/boot", "/etc", "/home", "/lib", "/media", "/mnt", "/oem", "/opt", "/root", "/sbin", "/srv", "/system", "/usr",
		"/usr/bin", "/usr/lib", "/usr/local", "/usr/sbin", "/usr/share", "/var", "/var/lib", "/var/log",
	}
}

func (v *validator) file(key string, f File) {
	switch {
	case f.Path == "":
		v.missing(rules.MissingValue, key, "give the path in the root filesystem, such as path: /etc/motd", "has no path")
	case !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" || strings.ContainsFunc(f.Path, unicode.IsControl):
		v.report(rules.InvalidPath, key+".path", "write an absolute path without . and .. in it, such as /etc/motd", "%s is not a path in the root filesystem", quote(f.Path))
	}
	if dir, ok := below(f.Path, volatile()); ok {
		v.report(rules.InvalidPath, key+".path", "put the file elsewhere, or write it from a cloud-config", "%s is mounted over or emptied at boot", dir)
	}
	if f.Content != "" && slices.Contains(dirs(), f.Path) {
		v.report(rules.InvalidPath, key+".path", "name a file in it", "%s is a directory", f.Path)
	}
	v.content(key, Content{From: f.From, Content: f.Content})
	if f.From == "" && f.Content == "" && !v.doc.Has(key+".content") {
		v.missing(rules.MissingValue, key, "give from, a file of the build context, or content, the text itself", "has neither from nor content")
	}
	v.match(key+".mode", f.Mode, modePattern, "write three octal digits, such as 0644, without setuid, setgid and sticky bit")
	v.match(key+".owner", f.Owner, ownerPattern, "write uid:gid in numbers, such as 0:0")
}

// fileKey is the key of a file of the system.
func fileKey(i int) string { return fmt.Sprintf("files[%d]", i) }

// sameFiles finds conflicting files of a list in one spec. Between two specs, the nearer wins.
func (v *validator) sameFiles(key string, files []File) {
	for i, f := range files {
		at := fmt.Sprintf("%s[%d].path", key, i)
		for j, before := range files[:i] {
			first := v.doc.At(fmt.Sprintf("%s[%d].path", key, j))
			switch {
			case f.Path == "" || before.Path == "":
			case f.Path == before.Path && first.Source == v.doc.At(at).Source:
				v.report(rules.DuplicateEntry, at, "keep one of them", "duplicate entry %s, first in line %d", quote(f.Path), first.Start.Line)
			case strings.HasPrefix(f.Path, before.Path+"/") && before.Content != "":
				v.report(rules.ConflictingValues, at, "", "%s is a file, in line %d, not a directory", quote(before.Path), first.Start.Line)
			case strings.HasPrefix(before.Path, f.Path+"/") && f.Content != "":
				v.report(rules.ConflictingValues, at, "", "%s is a directory, by the path in line %d", quote(f.Path), first.Start.Line)
			}
		}
	}
}

func (v *validator) content(key string, c Content) {
	if c.From != "" && c.Content != "" {
		v.report(rules.ConflictingValues, key, "keep one of them", "has both from and content")
	}
	v.from(key+".from", c.From, "write the text under content")
}

// from checks the path of a file in the build context; textHint is the hint for a text in its place.
func (v *validator) from(key, from, textHint string) {
	switch {
	case strings.ContainsFunc(from, unicode.IsControl):
		v.report(rules.InvalidPath, key, textHint, "this is a text, not the path of a file")
	case urlPattern.MatchString(from):
		v.report(rules.InvalidPath, key, "download it, and name the file in the build context", "%s is a url, not the path of a file", quote(from))
	case from != "" && !isLocal(from):
		v.report(rules.InvalidPath, key, "name a file inside the build context, by a relative path", "%s is outside the build context", quote(from))
	}
}

func (v *validator) cmdline(key, arg string) {
	if !IsKernelArgument(arg) {
		v.report(rules.InvalidValue, key, KernelArgumentHint, "%s is not one kernel argument", quote(arg))
	}
}

// KernelArgumentHint says how to write a kernel argument.
const KernelArgumentHint = "write one argument, without spaces, quotes or $, such as console=ttyS1,115200"

// IsKernelArgument reports whether a text is one kernel argument that every boot loader can hand
// over.
func IsKernelArgument(text string) bool {
	return cmdlinePattern.MatchString(text) && !strings.ContainsAny(text, notInCmdline) && text[0] != '#'
}

func (v *validator) component(key string, c Component) {
	given := 0
	for _, s := range []string{c.URL, c.Image, c.Context} {
		if s != "" {
			given++
		}
	}
	if given > 1 {
		v.report(rules.ConflictingValues, key, "keep one of them", "has more than one of url, image and context")
	}
	v.match(key+".version", c.Version, packagePattern, "write a version such as v2.31.4")
	const imageHint, contextHint = "write an image reference, such as ghcr.io/acme/agent:v1", "write the name of a named context, in the form of an image name"
	v.image(key+".image", c.Image, imageHint)
	v.image(key+".context", c.Context, contextHint)
	v.url(key+".url", c.URL)
	v.url(key+".checksums", c.Checksums)
	for arch, sum := range c.SHA256 {
		v.match(key+".sha256."+arch, sum, sha256Pattern, "write 64 hexadecimal digits, lower case")
	}
	v.match(key+".secret", c.Secret, secretPattern, "write the id of a build secret, such as company-downloads")
	if given == 1 && c.URL == "" {
		if c.Secret != "" {
			v.report(rules.InapplicableKey, key+".secret", "remove it, or use a url; images have the credentials of docker login", "applies only to downloads")
		}
		const hint = "remove it, or use a url; checksums do not apply to images and named contexts"
		if len(c.SHA256) > 0 {
			v.report(rules.InapplicableKey, key+".sha256", hint, "applies only to downloads")
		}
		if c.Checksums != "" {
			v.report(rules.InapplicableKey, key+".checksums", hint, "applies only to downloads")
		}
	}
	if c.URL != "" && len(c.SHA256) == 0 && c.Checksums == "" {
		v.missing(rules.UnverifiedDownload, key+".url", "add sha256: {amd64: …}, or checksums: with the url of the publisher's sha256 list", "needs a checksum")
	}
	if c.Path != "" && !isLocal(strings.TrimPrefix(c.Path, "/")) {
		v.report(rules.InvalidPath, key+".path", "name a file inside it", "%s is outside its source", quote(c.Path))
	}
}

func (v *validator) url(key, s string) {
	if s == "" {
		return
	}
	const hint = "write a full url, such as https://example.com/{version}/file-{arch}.tar.gz"
	u, err := url.Parse(s)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.ContainsAny(s, " \t\n"):
		v.report(rules.InvalidValue, key, hint, "%s is not a url", quote(s))
	case u.Path == "" || strings.HasSuffix(u.Path, "/"):
		v.report(rules.InvalidValue, key, hint, "%s names no file", quote(s))
	case slices.Contains(archives(), path.Ext(u.Path)) && !strings.HasSuffix(u.Path, ".tar.gz"):
		v.report(rules.InvalidValue, key, "name a tar.gz archive, or the program itself", "flavorkit does not unpack %s", path.Ext(u.Path))
	}
}

// level checks a compression level; highest has the compressors with levels.
func (v *validator) level(key string, level int, compression string, highest map[string]int) {
	if level == 0 && !v.doc.Has(key) {
		return
	}
	name := cmp.Or(compression, "zstd")
	limit, ok := highest[name]
	switch {
	case !ok:
		v.report(rules.InapplicableKey, key, "remove it", "%s has no levels", name)
	case level < 1 || level > limit:
		v.report(rules.InvalidValue, key, "write a number from 1 to "+strconv.Itoa(limit), "%d is not a level of %s", level, name)
	}
}

// label checks an ISO 9660 volume identifier: up to 32 d-characters (ECMA-119, 7.4.1 and 8.4.8).
func (v *validator) label(key, label string) {
	const most = 32
	switch {
	case len(label) > most:
		v.report(rules.InvalidValue, key, fmt.Sprintf("write at most %d characters", most), "%s is too long, it has %d characters", quote(label), len(label))
	case label != "" && !labelPattern.MatchString(label):
		v.report(rules.InvalidValue, key, "use A to Z, 0 to 9 and _, such as ACME_EDGE", "%s is not the label of a medium", quote(label))
	}
}

func (v *validator) size(key, size string) {
	if _, ok := ParseSize(size); size != "" && !ok {
		v.report(rules.InvalidValue, key, "write a number and MiB, GiB or TiB, such as 8GiB, and at most 2TiB", "%s is not a size", quote(size))
	}
}

// upgrade checks the options of upgrades.
func (v *validator) upgrade(u Upgrade) {
	size := key.UpgradeCacheSize.String()
	v.size(size, u.CacheSize)
	if u.CacheSize != "" && !u.Cache && v.whole {
		v.report(rules.InapplicableKey, size, `write "`+key.UpgradeCache.Line("true")+`", or remove it`, "there is no cache to have a size")
	}
}

var sizePattern = regexp.MustCompile(`^([1-9][0-9]{0,7})(MiB|GiB|TiB)$`)

// maxDisk is the size limit of a VHD in MiB (Microsoft, "Virtual Hard Disk Image Format
// Specification").
const maxDisk = 2 << 20

// ParseSize reads a size of a disk or of memory, in MiB.
func ParseSize(size string) (mib int, ok bool) {
	m := sizePattern.FindStringSubmatch(size)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	mib = n * map[string]int{"MiB": 1, "GiB": 1 << 10, "TiB": 1 << 20}[m[2]]
	return mib, err == nil && mib <= maxDisk
}
