package inspect

import (
	"io/fs"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
)

// Package is an installed package.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
}

// addPackages adds the packages in a database. A system without one has none.
func (s *System) addPackages(databases fs.FS) {
	s.Databases, s.Packages = []string{}, []Package{}
	s.found, s.notFound = pkgdb.Read(databases, nil)
	database := pkgdb.Find(databases)
	switch {
	case database == "":
		return
	case s.notFound != nil:
		s.unread = append(s.unread, "packages: "+s.notFound.Error())
		return
	}
	s.Databases = append(s.Databases, database)
	for _, p := range s.found.Packages {
		s.Packages = append(s.Packages, Package{p.Name, p.Version, p.Arch})
	}
}
