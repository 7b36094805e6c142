// Package pkgdb reads the databases of installed packages in a root filesystem: those of dpkg, apk
// and rpm. It runs no program of the system.
package pkgdb

import (
	"bufio"
	"bytes"
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
	"github.com/pkg/errors"
)

// System is what is installed in a root filesystem.
type System struct {
	// ID and Version of the distribution, such as debian and 12 (os-release(5)).
	ID, Version string
	// Type of the packages, as in a package URL: deb, apk or rpm.
	Type string
	// Packages by name, version and architecture.
	Packages []Package
}

// Package is an installed package.
type Package struct {
	Name string
	// Version as the package manager shows it. The epoch of an rpm is before a colon.
	Version string
	// Arch as the package manager names it; empty when it does not tell.
	Arch string
	// Source is the source package, and SourceVersion its version; empty when unknown.
	Source, SourceVersion string
	// Licenses of parts of the package, as the database spells them.
	Licenses []string
	// Supplier is the maintainer or the vendor.
	Supplier string
}

// Owns picks packages by the paths of their files, which have no leading slash.
type Owns func(path string) bool

// database is a kind of database.
type database struct {
	// kind is the type of package URLs.
	kind string
	// files are where it may be.
	files []string
	// read returns the packages that own a path, or all when owns is nil.
	read func(fsys fs.FS, name string, owns Owns) ([]Package, error)
}

func databases() []database {
	var sqlite, ndb, bdb []string
	for _, dir := range []string{"usr/lib/sysimage/rpm", "var/lib/rpm"} {
		sqlite = append(sqlite, path.Join(dir, "rpmdb.sqlite"))
		ndb = append(ndb, path.Join(dir, "Packages.db"))
		bdb = append(bdb, path.Join(dir, "Packages"))
	}
	return []database{
		{packageurl.TypeDebian, []string{"var/lib/dpkg/status"}, readDpkg},
		{packageurl.TypeApk, []string{"lib/apk/db/installed", "usr/lib/apk/db/installed"}, readApk},
		{packageurl.TypeRPM, sqlite, readRPM(sqliteRows)},
		{packageurl.TypeRPM, ndb, readRPM(ndbBlobs)},
		{packageurl.TypeRPM, bdb, readRPM(bdbBlobs)},
	}
}

// Wants reports whether Read may read a file. Paths have no leading slash.
func Wants(name string) bool {
	if slices.Contains(releaseFiles(), name) {
		return true
	}
	if ok, _ := path.Match(copyrightOf("*"), name); ok {
		return true
	}
	return slices.ContainsFunc(databases(), func(d database) bool {
		return slices.ContainsFunc(d.files, func(file string) bool { return name == file || name == file+walSuffix })
	})
}

// Read reads the packages that own a path, or all packages when owns is nil. A root filesystem
// without a database is an error.
func Read(fsys fs.FS, owns Owns) (System, error) {
	s, err := release(fsys)
	if err != nil {
		return System{}, err
	}
	d, name := find(fsys)
	if name == "" {
		return System{}, errors.New("there is no database of dpkg, apk or rpm")
	}
	if s.Packages, err = d.read(fsys, name, owns); err != nil {
		return System{}, errors.Wrapf(err, "read /%s", name)
	}
	s.Type = d.kind
	slices.SortFunc(s.Packages, compare)
	return s, nil
}

// Find returns the path of the database that Read reads, or nothing if there is none.
func Find(fsys fs.FS) string {
	_, name := find(fsys)
	return name
}

func find(fsys fs.FS) (d database, name string) {
	for _, d := range databases() {
		for _, name := range d.files {
			if _, err := fs.Stat(fsys, name); !errors.Is(err, fs.ErrNotExist) {
				return d, name
			}
		}
	}
	return database{}, ""
}

func compare(a, b Package) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Arch, b.Arch))
}

// releaseFiles are the places of os-release(5). The second is usually a link to the first.
func releaseFiles() []string { return []string{"usr/lib/os-release", "etc/os-release"} }

// release reads the name of the distribution.
func release(fsys fs.FS) (s System, err error) {
	for _, name := range releaseFiles() {
		data, err := fs.ReadFile(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return System{}, errors.Wrapf(err, "read /%s", name)
		}
		for line := range strings.Lines(string(data)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			value = strings.Trim(value, `"'`)
			switch key {
			case "ID":
				s.ID = value
			case "VERSION_ID":
				s.Version = value
			}
		}
		break
	}
	return s, nil
}

// paragraphs calls each for the paragraphs of a text, which an empty line ends. Lines that begin
// with a blank go on with the field before and are left out.
func paragraphs(text []byte, each func(lines []string)) error {
	var lines []string
	end := func() {
		if len(lines) > 0 {
			each(lines)
		}
		lines = nil
	}
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, len(text)+1)
	for scan.Scan() {
		switch line := scan.Text(); {
		case strings.TrimSpace(line) == "":
			end()
		case line[0] != ' ' && line[0] != '\t':
			lines = append(lines, line)
		}
	}
	end()
	return scan.Err()
}
