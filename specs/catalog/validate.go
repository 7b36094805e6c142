package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
	"golang.org/x/mod/semver"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// validate refuses incomplete records, so that mistakes in a catalog are found when it is read and
// not during a build.
func (c *Catalog) validate(l *loader) {
	for _, name := range Names(c.Archs) {
		validateArch(l.record("archs", name), c, c.Archs[name])
	}
	for _, name := range Names(c.Distros) {
		c.Distros[name].validate(l.record("distros", name), c)
	}
	for _, name := range Names(c.Models) {
		c.Models[name].validate(l.record("models", name), c)
	}
	for _, name := range Names(c.Components) {
		c.Components[name].validate(l.record("components", name), c)
	}
	c.validateKinds(l)
	for _, name := range Names(c.Modules) {
		c.Modules[name].validate(l.record("modules", name), c)
	}
	for _, name := range Names(c.Requirements) {
		c.Requirements[name].validate(l.record("requirements", name), c)
	}
	for _, name := range Names(c.Tools) {
		c.Tools[name].validate(l.record("tools", name), c)
	}
}

// record is a record that is validated.
type record struct {
	loader    *loader
	dir, name string
}

func (l *loader) record(dir, name string) record { return record{l, dir, name} }

// wrong reports a wrong or missing value. A value from the built-in catalog is reported at the key
// like.
func (r record) wrong(at keys, hint, format string, args ...any) {
	file := r.dir + "/" + r.name
	where := r.loader.ranges[at.find(r.loader.merged[file])]
	if where.Source.Builtin && !r.builtin() {
		where = r.loader.ranges[keys{likeKey}.find(r.top())]
	}
	r.loader.found = append(r.loader.found, diagnostic(where, at.String(), hint, format, args...))
}

// top is the highest layer of a record.
func (r record) top() *yaml.Node {
	layers := r.loader.records[r.dir+"/"+r.name]
	return layers[len(layers)-1]
}

// builtin reports whether no catalog of the user has the record.
func (r record) builtin() bool { return r.loader.ranges[r.top()].Source.Builtin }

func diagnostic(at specs.Range, key, hint, format string, args ...any) specs.Diagnostic {
	return specs.Diagnostic{Rule: rules.InvalidCatalog, Range: at, Key: key, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// named checks that a record has the name of its file.
func (r record) named(name string) {
	if name != r.name {
		r.wrong(keys{"name"}, "write name: "+r.name+", or rename the file", "%q is not the name of the file", name)
	}
}

// needed checks that a record has a value.
func (r record) needed(key, value string) {
	if value == "" {
		r.wrong(keys{key}, "", "is missing")
	}
}

// oneOf checks that a value is a valid one.
func (r record) oneOf(at keys, value string, valid []string) {
	switch {
	case value == "":
		r.wrong(at, specs.Suggest(value, valid), "is missing")
	case !slices.Contains(valid, value):
		r.wrong(at, specs.Suggest(value, valid), "%q is not valid", value)
	}
}

// arguments checks that a list has kernel arguments.
func (r record) arguments(key string, list []string) {
	for i, arg := range list {
		r.argument(keys{key, i}, arg)
	}
}

func (r record) argument(at keys, arg string) {
	if !specs.IsKernelArgument(arg) {
		r.wrong(at, specs.KernelArgumentHint, "%q is not one kernel argument", arg)
	}
}

// day checks that a value is empty or a day.
func (r record) day(at keys, value string) {
	if _, err := time.Parse(time.DateOnly, value); value != "" && err != nil {
		r.wrong(at, "write it as 2026-05-31", "%q is not a day", value)
	}
}

var (
	// archiveNamePattern accepts names that the key of a spec can have.
	archiveNamePattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	// archivePattern accepts a host and a path, as scripts replace them.
	archivePattern = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~+-]+)*$`)
)

// validateArchives checks what has mirrors, and how a certificate is trusted.
func (d *Distro) validateArchives(r record) {
	for _, name := range Names(d.Archives) {
		if !archiveNamePattern.MatchString(name) {
			r.wrong(keys{"archives", name}, "use lower case letters and digits, with - between them", "%q is not a name", name)
		}
		for i, place := range d.Archives[name] {
			if !archivePattern.MatchString(place) {
				r.wrong(keys{"archives", name, i}, "write a host and a path, such as deb.debian.org/debian", "%q is not the place of an archive", place)
			}
		}
	}
	for _, name := range Names(d.Snapshots) {
		if len(d.Archives[name]) == 0 {
			r.wrong(keys{"snapshots", name}, "name one of archives", "%q is not an archive", name)
		}
		for i, url := range d.Snapshots[name] {
			if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
				r.wrong(keys{"snapshots", name, i}, "write such as https://snapshot.debian.org/archive/debian/{time}", "%q is not an http or https address", url)
			}
		}
	}
	if a := d.Authorities; (a.Directory == "") != (len(a.Update) == 0) {
		r.wrong(keys{"authorities"}, "", "needs both directory and update, or neither")
	}
}

func (d *Distro) validate(r record, c *Catalog) {
	r.named(d.Name)
	r.needed("title", d.Title)
	r.needed("base", d.Base)
	r.needed("family", d.Family)
	r.needed("flavor", d.Flavor)
	r.needed("release", d.Release)
	r.day(keys{"eol"}, d.EOL)
	d.Releases.validate(r)
	r.arguments("cmdline", d.Cmdline)
	d.validateManager(r)
	d.validateArchives(r)
	if len(d.Architectures) == 0 {
		r.wrong(keys{"architectures"}, "", "is missing")
	}
	r.archs(c, keys{"architectures"}, d.Architectures)
	archKeys(r, c, keys{"kernel", "packages"}, d.Kernel.Packages)
	archKeys(r, c, keys{"loaders"}, d.Loaders)
	if len(d.Inits) == 0 {
		r.wrong(keys{"inits"}, "", "is missing")
	}
	for i, g := range d.Groups {
		g.validate(r, c, "groups", i)
	}
	for i, g := range d.Kernel.Firmware {
		g.validate(r, c, "kernel", "firmware", i)
	}
	for i, g := range d.Kernel.Initramfs.Groups {
		g.validate(r, c, "kernel", "initramfs", "groups", i)
	}
	for _, arch := range Names(d.Loaders) {
		from := d.Loaders[arch].From
		if lender, ok := c.Distros[from]; from != "" && (!ok || len(lender.Loaders[arch].Packages) == 0) {
			r.wrong(keys{"loaders", arch, "from"}, "", "%s lends none", from)
		}
		for _, file := range Names(d.Loaders[arch].Copies) {
			if l := d.Loaders[arch]; !slices.Contains([]string{l.Shim, l.Grub, l.DiskGrub}, file) {
				r.wrong(keys{"loaders", arch, "copies", file}, "", "is none of shim, grub and diskGrub")
			}
		}
	}
	for i, init := range d.Inits {
		for n, arg := range init.Cmdline {
			r.argument(keys{"inits", i, "cmdline", n}, arg)
		}
		if init.Name == "openrc" && len(init.Mask) > 0 {
			r.wrong(keys{"inits", i, "mask"}, "", "OpenRC cannot mask a service")
		}
	}
	for i, component := range d.Kernel.Initramfs.Components {
		r.oneOf(keys{"kernel", "initramfs", "components", i}, component, Names(c.Components))
	}
	for key, set := range map[string]string{"overlay": d.Kernel.Initramfs.Overlay, "network": d.Kernel.Initramfs.Network} {
		if set != "" {
			r.oneOf(keys{"kernel", "initramfs", key}, set, Names(c.overlays))
		}
	}
	for i, set := range d.Overlays {
		r.oneOf(keys{"overlays", i}, set, Names(c.overlays))
	}
}

// validateKinds refuses a variant with two defaults of one kind.
func (c *Catalog) validateKinds(l *loader) {
	first := map[string]string{}
	names := Names(c.Components)
	// Those of users come last, so that the mistake is in their files.
	slices.SortStableFunc(names, func(a, b string) int {
		switch builtin := l.record("components", a).builtin(); {
		case builtin == l.record("components", b).builtin():
			return 0
		case builtin:
			return -1
		default:
			return 1
		}
	})
	for _, name := range names {
		comp := c.Components[name]
		for i, variant := range comp.Variants {
			if other, ok := first[comp.Kind+variant]; ok && comp.Kind != "" {
				l.record("components", name).wrong(keys{"variants", i}, "", "%s is the %s of the variant %s already", other, comp.Kind, variant)
			}
			first[comp.Kind+variant] = name
		}
	}
}

func (c *Component) validate(r record, cat *Catalog) {
	r.named(c.Name)
	r.needed("install", c.Install)
	archKeys(r, cat, keys{"arch"}, c.Arch)
	archKeys(r, cat, keys{"suffix"}, c.Suffix)
	if c.Kind != "" {
		r.oneOf(keys{"kind"}, c.Kind, specs.KindNames())
	}
	c.Releases.validate(r)
	if other, ok := cat.Components[c.Follows]; c.Follows != "" {
		r.oneOf(keys{"follows"}, c.Follows, Names(cat.Components))
		switch {
		case ok && other.Follows != "":
			r.wrong(keys{"follows"}, "", "%s follows %s itself", c.Follows, other.Follows)
		case c.Version != "" || c.Releases != nil:
			r.wrong(keys{"follows"}, "", "it has the version of %s; remove version and releases", c.Follows)
		case c.Kind != "" || len(c.Variants) > 0:
			r.wrong(keys{"follows"}, "", "only a spec that names it can have it; remove kind and variants")
		}
	}
	for _, release := range Names(c.EOL) {
		r.day(keys{"eol", release}, c.EOL[release])
	}
	pattern, err := regexp.Compile(c.VersionPattern)
	switch {
	case err != nil:
		r.wrong(keys{"versionPattern"}, "", "%v", err)
	case !pattern.MatchString(c.Version):
		r.wrong(keys{"version"}, "", "%s does not match versionPattern", c.Version)
	}
	c.validateMultiCall(r, cat)
}

// validateMultiCall checks what a component says about multi-call programs.
func (c *Component) validateMultiCall(r record, cat *Catalog) {
	for i, name := range c.Provides {
		r.oneOf(keys{"provides", i}, name, Names(cat.Components))
		if provided, ok := cat.Components[name]; ok && len(provided.Provides) > 0 {
			r.wrong(keys{"provides", i}, "", "%s is a multi-call program itself", name)
		}
	}
	if first := cat.MultiCall(); len(c.Provides) > 0 && first != c {
		r.wrong(keys{"provides"}, "", "%s is a multi-call program already, and a catalog has one at most", first.Name)
	}
	if len(c.Provides) > 0 && len(c.Variants) > 0 {
		r.wrong(keys{"variants"}, "", "the key kairos of a spec chooses it, not a variant")
	}
	switch {
	case len(c.Provides) > 0 && !semver.IsValid(c.Since):
		r.wrong(keys{"since"}, "write it as v4.3.0", "%q is not a version", c.Since)
	case len(c.Provides) > 0 && semver.Compare(c.Version, c.Since) < 0:
		r.wrong(keys{"version"}, "", "%s is older than %s, the first version", c.Version, c.Since)
	}
	for _, stage := range Names(c.Stages) {
		if last := c.Stages[stage]; !semver.IsValid(last) {
			r.wrong(keys{"stages", stage}, "write it as v4.3.0", "%q is not a version", last)
		}
	}
	for _, name := range Names(c.With) {
		at := keys{"with", name}
		if program, ok := cat.Components[name]; !ok || len(program.Provides) == 0 {
			r.wrong(at, "", "%s is no multi-call program", name)
		}
		if c.With[name].URL == "" || c.With[name].Checksums == "" {
			r.wrong(at, "", "needs url and checksums")
		}
	}
}

func (m *Model) validate(r record, c *Catalog) {
	r.named(m.Name)
	r.needed("title", m.Title)
	r.archs(c, keys{"architectures"}, m.Architectures)
	for _, distro := range Names(m.Distros) {
		at := keys{"distros", distro}
		if _, ok := c.Distros[distro]; !ok {
			r.wrong(at, specs.Suggest(distro, Names(c.Distros)), "unknown distribution %q", distro)
		}
		validatePackages(r, m.Distros[distro].Packages, append(at, "packages")...)
		if d, ok := c.Distros[distro]; ok {
			d.validateAreas(r, m.Distros[distro].Areas, append(slices.Clone(at), "areas"))
			for _, init := range Names(m.Distros[distro].Enable) {
				r.oneOf(append(slices.Clone(at), "enable", init), init, d.InitNames())
			}
		}
	}
	r.arguments("console", m.Console)
	r.arguments("cmdline", m.Cmdline)
	m.Firmware.validate(r, c)
}

func (f *Firmware) validate(r record, c *Catalog) {
	if f == nil {
		return
	}
	at := func(key string) keys { return keys{"firmware", key} }
	r.oneOf(at("from"), f.From, Names(c.Distros))
	if d, ok := c.Distros[f.From]; ok {
		if m, ok := d.manager(); ok && !m.Extract {
			r.wrong(at("from"), "", "%s cannot extract files from packages that are not installed", m.Name)
		}
		d.validateAreas(r, f.Areas, at("areas"))
	}
	if len(f.Packages) == 0 {
		r.wrong(at("packages"), "", "is missing")
	}
	if len(f.Files) == 0 {
		r.wrong(at("files"), "", "is missing")
	}
	for i, name := range f.Trees {
		if strings.Contains(name, "/") {
			r.wrong(append(at("trees"), i), "write the name of the file", "%q is a path", name)
		}
	}
	if _, err := strconv.ParseUint(f.MBR, 16, 8); f.MBR != "" && err != nil {
		r.wrong(at("mbr"), "", "%q is not a byte in hexadecimal", f.MBR)
	}
}

func (g Group) validate(r record, c *Catalog, at ...any) {
	if g.Name == "" || g.Why == "" {
		r.wrong(at, "", "a group needs a name and a reason, why")
	}
	r.archs(c, append(slices.Clone(at), "arch"), g.Arch)
	for i, model := range g.Model {
		r.oneOf(append(slices.Clone(at), "model", i), model, Names(c.Models))
	}
	for i, class := range g.Modules {
		r.oneOf(append(slices.Clone(at), "modules", i), class, c.SwitchedModules())
	}
	validatePackages(r, g.Packages, append(slices.Clone(at), "packages")...)
}

func validatePackages(r record, packages map[string]Package, at ...any) {
	for _, name := range Names(packages) {
		if packages[name].Why == "" {
			r.wrong(append(slices.Clone(at), name), "say why it is there", "has no reason")
		}
		for i, pattern := range packages[name].Firmware {
			namedFirmware(r, pattern, append(slices.Clone(at), name, "firmware", i)...)
		}
	}
}

// namedFirmware refuses a pattern that every firmware file matches, because it proves nothing about
// the device.
func namedFirmware(r record, pattern string, at ...any) {
	if strings.Trim(pattern, "*?/.") == "" {
		r.wrong(at, "name a file of the device", "%q names no file", pattern)
	}
}

func (t *Toolbox) validate(r record, c *Catalog) {
	r.named(t.Name)
	r.oneOf(keys{"distro"}, t.Distro, Names(c.Distros))
	for i, g := range t.Groups {
		g.validate(r, c, "groups", i)
	}
}
