package catalog

import (
	"slices"
	"strings"
)

// Manager describes what a package manager, with its script llb/distro/NAME.sh, can do. A catalog
// cannot ask for anything else.
type Manager struct {
	Name string
	// Pin is the argument for one version of a package, with {name} and {version}.
	Pin string
	// Areas is true when areas of the archive can be added to those of the image.
	Areas bool
	// Exclude is how it takes the paths that no package may bring.
	Exclude PathForm
	// SkipRepositories of the image, by alias.
	SkipRepositories bool
	// RemoveUsers that the image brings.
	RemoveUsers bool
	// Extract files from packages that are not installed, also from those for another architecture.
	// The script is NAME-take.sh.
	Extract bool
}

// PathForm is the form of excluded paths.
type PathForm string

const (
	// NoPaths can be left out.
	NoPaths PathForm = ""
	// WholeDirectories, without wildcards.
	WholeDirectories PathForm = "directories"
	// Wildcards of the shell.
	Wildcards PathForm = "patterns"
)

// Managers are all package managers, by name.
func Managers() []Manager {
	return []Manager{
		// apk-world(5)
		{Name: "apk", Pin: "{name}={version}"},
		// apt-get(8), dpkg(1)
		{Name: "apt", Pin: "{name}={version}", Areas: true, Exclude: Wildcards, RemoveUsers: true, Extract: true},
		// dnf(8), Specifying packages
		{Name: "dnf", Pin: "{name}-{version}", Exclude: WholeDirectories, RemoveUsers: true},
		// zypper(8), Capabilities
		{Name: "zypper", Pin: "{name}={version}", Exclude: WholeDirectories, SkipRepositories: true, RemoveUsers: true},
	}
}

// ManagerNames are those of all package managers.
func ManagerNames() []string {
	var names []string
	for _, m := range Managers() {
		names = append(names, m.Name)
	}
	return names
}

// ManagerByName returns a package manager. An unknown one can do nothing.
func ManagerByName(name string) (m Manager, ok bool) {
	all := Managers()
	if i := slices.IndexFunc(all, func(m Manager) bool { return m.Name == name }); i >= 0 {
		return all[i], true
	}
	return Manager{Name: name}, false
}

// Package returns the argument for a package; an empty version means the newest.
func (m Manager) Package(name, version string) string {
	if version == "" {
		return name
	}
	return strings.NewReplacer("{name}", name, "{version}", version).Replace(m.Pin)
}

// manager returns the package manager of a distribution. For a distribution without one, which is
// reported elsewhere, everything is possible.
func (d *Distro) manager() (m Manager, ok bool) { return ManagerByName(d.Manager) }

// validateManager refuses settings that the package manager of the distribution does not support.
func (d *Distro) validateManager(r record) {
	r.oneOf(keys{"manager"}, d.Manager, ManagerNames())
	m, ok := d.manager()
	if !ok {
		return
	}
	if m.Exclude == NoPaths && len(d.Exclude) > 0 {
		r.wrong(keys{"exclude"}, "remove it", "%s cannot leave out files of packages", m.Name)
	}
	for i, path := range d.Exclude {
		if m.Exclude == WholeDirectories && strings.ContainsAny(path, "*?[") {
			r.wrong(keys{"exclude", i}, "name a directory", "%s takes no wildcards", m.Name)
		}
	}
	if !m.SkipRepositories && len(d.SkipRepositories) > 0 {
		r.wrong(keys{"skipRepositories"}, "remove it", "%s cannot skip repositories by alias", m.Name)
	}
	if !m.RemoveUsers && len(d.RemoveUsers) > 0 {
		r.wrong(keys{"removeUsers"}, "remove it", "the script of %s removes no users", m.Name)
	}
}

// validateAreas refuses areas for a package manager without them.
func (d *Distro) validateAreas(r record, areas []string, at keys) {
	if m, ok := d.manager(); ok && !m.Areas && len(areas) > 0 {
		r.wrong(at, "remove it", "%s knows no areas of an archive", m.Name)
	}
}
