package catalog

import (
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/internal/arch"
	"github.com/flavorkit/flavorkit/specs"
)

// ArchHint is the hint about a word that is no architecture of the catalog: the nearest one, by any
// of its names, and all.
func (c *Catalog) ArchHint(word string) string {
	known := Names(c.Archs)
	near, ok := specs.Nearest(word, known)
	for _, name := range known {
		if a := c.Archs[name]; slices.Contains([]string{a.Machine, a.Deb}, word) {
			near, ok = name, true
		}
	}
	hint := "valid: " + strings.Join(known, ", ")
	if ok {
		hint = `did you mean "` + near + `"? ` + hint
	}
	return hint
}

// validateArch refuses an architecture that nothing can be made for.
func validateArch(r record, c *Catalog, a *Arch) {
	r.named(a.Name)
	r.needed("title", a.Title)
	r.needed("machine", a.Machine)
	r.needed("deb", a.Deb)
	r.needed("efi", a.EFI)
	if len(a.Consoles) == 0 {
		r.wrong(keys{"consoles"}, "", "is missing")
	}
	r.arguments("consoles", a.Consoles)
	r.arguments("video", a.Video)
	e := a.Emulator
	for _, needed := range []struct{ key, value string }{
		{"program", e.Program}, {"machine", e.Machine}, {"versioned", e.Versioned}, {"cpu", e.CPU}, {"cdrom", e.CDROM},
	} {
		if needed.value == "" {
			r.wrong(keys{"emulator", needed.key}, "", "is missing")
		}
	}
	if len(e.Firmware.EFI) == 0 {
		r.wrong(keys{"emulator", "firmware", "efi"}, "", "is missing")
	}
	if e.From != "" {
		from := keys{"emulator", "from"}
		r.oneOf(from, e.From, Names(c.Distros))
		if d, ok := c.Distros[e.From]; ok && e.Packages[d.Family] == (arch.Packages{}) {
			r.wrong(from, "", "there are no packages for the family %s", d.Family)
		}
	}
}

// archs checks that the catalog has architectures.
func (r record) archs(c *Catalog, at keys, names []string) {
	for i, name := range names {
		if c.Archs[name] == nil {
			r.wrong(append(slices.Clone(at), i), c.ArchHint(name), "unknown architecture %q", name)
		}
	}
}

// archKeys checks that the keys of a mapping are architectures of the catalog.
func archKeys[T any](r record, c *Catalog, at keys, mapping map[string]T) {
	for _, name := range Names(mapping) {
		if c.Archs[name] == nil {
			r.wrong(append(slices.Clone(at), name), c.ArchHint(name), "unknown architecture %q", name)
		}
	}
}
