package pkgdb

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// readDpkg reads the status file of dpkg(1).
func readDpkg(fsys fs.FS, name string, owns Owns) ([]Package, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	all, err := parseDpkg(text)
	if err != nil {
		return nil, err
	}
	if owns != nil {
		if all, err = owners(fsys, path.Join(path.Dir(name), "info"), all, owns); err != nil {
			return nil, err
		}
	}
	return all, addLicenses(fsys, all)
}

// parseDpkg returns the packages whose files are there.
func parseDpkg(text []byte) (all []Package, err error) {
	err = paragraphs(text, func(lines []string) {
		field := fields(lines)
		status := strings.Fields(field["status"]) // want, error, state
		if len(status) != 3 || slices.Contains([]string{"not-installed", "config-files", "half-installed"}, status[2]) {
			return
		}
		p := Package{Name: field["package"], Version: field["version"], Arch: field["architecture"], Supplier: field["maintainer"]}
		p.Source, p.SourceVersion = p.Name, p.Version
		if source := field["source"]; source != "" {
			// The version is only there when it differs (deb-control(5)).
			name, version, differs := strings.Cut(source, " (")
			p.Source = name
			if differs {
				p.SourceVersion = strings.TrimSuffix(version, ")")
			}
		}
		if p.Name != "" {
			all = append(all, p)
		}
	})
	return all, err
}

// fields returns the fields of a paragraph. Their names do not depend on case (deb-control(5)).
func fields(lines []string) map[string]string {
	found := map[string]string{}
	for _, line := range lines {
		if key, value, ok := strings.Cut(line, ":"); ok {
			found[strings.ToLower(key)] = strings.TrimSpace(value)
		}
	}
	return found
}

// owners returns the packages that own a path. Lists of packages for several architectures have the
// architecture in their names.
func owners(fsys fs.FS, dir string, all []Package, owns Owns) (picked []Package, err error) {
	for _, p := range all {
		list, err := fs.ReadFile(fsys, path.Join(dir, p.Name+".list"))
		if errors.Is(err, fs.ErrNotExist) {
			list, err = fs.ReadFile(fsys, path.Join(dir, p.Name+":"+p.Arch+".list"))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for line := range strings.Lines(string(list)) {
			if owns(strings.Trim(line, "/\n")) {
				picked = append(picked, p)
				break
			}
		}
	}
	return picked, nil
}

// copyrightOf is the file with the licenses of a package (Debian policy, 12.5).
func copyrightOf(pkg string) string { return "usr/share/doc/" + pkg + "/copyright" }

// addLicenses reads the licenses of the packages that have their documentation.
func addLicenses(fsys fs.FS, all []Package) error {
	entries, err := fs.ReadDir(fsys, path.Dir(path.Dir(copyrightOf("*"))))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Wrap(err, "look for licenses")
	}
	documented := map[string]bool{}
	for _, e := range entries {
		documented[e.Name()] = true
	}
	for i, p := range all {
		if !documented[p.Name] {
			continue
		}
		text, err := fs.ReadFile(fsys, copyrightOf(p.Name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			all[i].Licenses, err = parseCopyright(text)
		}
		if err != nil {
			return errors.Wrapf(err, "read the licenses of %s", p.Name)
		}
	}
	return nil
}

// parseCopyright returns the short names of licenses in a machine-readable copyright file
// (debian.org/doc/packaging-manuals/copyright-format/1.0), or nothing for another file.
func parseCopyright(text []byte) (licenses []string, err error) {
	format := ""
	err = paragraphs(text, func(lines []string) {
		field := fields(lines)
		if format == "" {
			format = field["format"]
		}
		if name := field["license"]; name != "" && strings.Contains(format, "copyright-format") {
			licenses = append(licenses, name)
		}
	})
	slices.Sort(licenses)
	return slices.Compact(licenses), err
}
