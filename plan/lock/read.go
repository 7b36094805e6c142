package lock

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// again is the hint for a file that nobody should have changed.
const again = "do not edit the file; write it again with flavorkit lock --update"

var (
	declared = regexp.MustCompile(`(?m)^version: *(\d+)\r?$`)
	checksum = regexp.MustCompile(`^[0-9a-f]{64}$`)
	day      = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	oci      = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// Read reads a lock file. All mistakes are returned as specs.Diagnostics.
func Read(src *specs.Source) (*File, error) {
	// A newer version may have keys that this one does not know.
	if m := declared.FindSubmatchIndex(src.Data); m != nil {
		if v, err := strconv.Atoi(string(src.Data[m[2]:m[3]])); err != nil || v > Version {
			line := 1
			for _, b := range src.Data[:m[0]] {
				if b == '\n' {
					line++
				}
			}
			at := specs.Position{Line: line, Column: m[2] - m[0] + 1}
			return nil, specs.Diagnostics{{
				Rule: rules.InvalidLock, Range: specs.Range{Source: src, Start: at, End: at}, Key: "version",
				Message: fmt.Sprintf("has the format %s, and this version of flavorkit reads %d", src.Data[m[2]:m[3]], Version),
				Hint:    "use the version of flavorkit that wrote it, or a newer one",
			}}
		}
	}
	f := &File{}
	at, err := specs.Read(src, f)
	if err != nil {
		return nil, err
	}
	f.at = at
	c := &checker{file: f}
	c.check()
	return f, c.found.Err()
}

// checker checks the values of a lock file.
type checker struct {
	file  *File
	found specs.Diagnostics
}

func (c *checker) report(key, format string, args ...any) {
	c.found = append(c.found, c.file.Diagnose(rules.InvalidLock, key, again, format, args...))
}

func (c *checker) check() {
	f := c.file
	if f.Version != Version {
		c.report("version", "is missing or not %d", Version)
	}
	for i, img := range f.Images {
		key := fmt.Sprintf("images[%d]", i)
		c.given(key+".name", img.Name)
		c.given(key+".arch", img.Arch)
		if img.Digest != "" {
			c.matches(key+".digest", img.Digest, oci, "sha256: and 64 hexadecimal digits")
		}
		c.matches(key+".layers", img.Layers, oci, "sha256: and 64 hexadecimal digits")
	}
	for i, d := range f.Downloads {
		c.given(fmt.Sprintf("downloads[%d].arch", i), d.Arch)
		c.download(fmt.Sprintf("downloads[%d]", i), d.URL, d.SHA256)
	}
	for i, s := range f.Stages {
		key := fmt.Sprintf("stages[%d]", i)
		c.given(key+".distro", s.Distro)
		c.given(key+".arch", s.Arch)
		c.given(key+".base", s.Base)
		if len(s.Packages) == 0 {
			c.report(key+".packages", "is missing or empty")
		}
		for j, id := range s.Archives {
			if _, ok := f.Archives[s.Distro][id]; !ok {
				c.report(fmt.Sprintf("%s.archives[%d]", key, j), "there is no archive %q of %s", id, s.Distro)
			}
		}
	}
	for _, distro := range catalog.Names(f.Archives) {
		for _, id := range catalog.Names(f.Archives[distro]) {
			a := f.Archives[distro][id]
			c.download("archives."+distro+"."+id, a.URL, a.SHA256)
			if a.Seen != "" {
				c.matches("archives."+distro+"."+id+".seen", a.Seen, day, "a day such as 2026-11-27")
			}
		}
	}
	slices.SortFunc(c.found, func(a, b specs.Diagnostic) int { return a.Range.Start.Line - b.Range.Start.Line })
}

// download checks the record of a file.
func (c *checker) download(key, address, sha256 string) {
	if u, err := url.Parse(address); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		c.report(key+".url", "%q is not an http or https address", address)
	}
	c.matches(key+".sha256", sha256, checksum, "64 hexadecimal digits")
}

func (c *checker) given(key, value string) {
	if value == "" {
		c.report(key, "is missing")
	}
}

func (c *checker) matches(key, value string, form *regexp.Regexp, said string) {
	if !form.MatchString(value) {
		c.report(key, "%q is not %s", value, said)
	}
}
