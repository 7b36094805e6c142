package inspect

import (
	"bufio"
	"cmp"
	"io"
	"strings"
)

// Package is an installed package.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
}

func comparePackages(a, b Package) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), strings.Compare(a.Arch, b.Arch))
}

// readPackages reads a database of packages.
func readPackages(parse func(io.Reader) ([]Package, error)) func(*collector, string, io.Reader) error {
	return func(c *collector, path string, r io.Reader) error {
		found, err := parse(r)
		if err != nil {
			return err
		}
		c.databases = append(c.databases, path)
		c.packages = append(c.packages, found...)
		return nil
	}
}

// unreadPackages notes a database that cannot be read: those of rpm need a reader for SQLite, Berkeley DB
// and a format of its own.
func unreadPackages(c *collector, path string, _ io.Reader) error {
	c.unread = append(c.unread, "packages: flavorkit cannot read databases of rpm (/"+path+")")
	return nil
}

// parseDpkg reads the status file of dpkg (dpkg(1), FILES). Removed packages with configuration files
// are left out.
func parseDpkg(r io.Reader) ([]Package, error) {
	var all []Package
	err := paragraphs(r, func(p map[string]string) {
		if strings.HasSuffix(p["Status"], " installed") {
			all = append(all, Package{p["Package"], p["Version"], p["Architecture"]})
		}
	})
	return all, err
}

// parseApk reads the installed database of apk (apk-db(5)).
func parseApk(r io.Reader) ([]Package, error) {
	var all []Package
	err := paragraphs(r, func(p map[string]string) {
		if p["P"] != "" {
			all = append(all, Package{p["P"], p["V"], p["A"]})
		}
	})
	return all, err
}

// paragraphs reads fields, such as Package: curl, in paragraphs with an empty line after each. Of a
// field with several values, it keeps the last; of one with several lines, the first line.
func paragraphs(r io.Reader, each func(map[string]string)) error {
	lines := bufio.NewScanner(r)
	const longest = 16 << 20
	lines.Buffer(nil, longest)
	fields := map[string]string{}
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			each(fields)
			clear(fields)
			continue
		}
		if name, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") {
			fields[name] = strings.TrimSpace(value)
		}
	}
	each(fields)
	return lines.Err()
}
