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
	// OneProvider is true when a name that is no package, and that several packages provide, cannot
	// be installed, because the manager chooses none of them.
	OneProvider bool
	// TrustsImage is true when it knows no other certificates than those that the image trusts.
	TrustsImage bool
	// Shell says which commands of a shell script install packages.
	Shell Shell
	// Databases are the directories in which it keeps what is installed.
	Databases []string
	// State are directories in which it keeps what else it remembers, outside of /var/cache and
	// /var/log.
	State []string
	// Repositories is what third-party repositories can have.
	Repositories Repositories
}

// Shell is how people call a package manager in scripts.
type Shell struct {
	// Programs are its names.
	Programs []string
	// Install and Remove are the subcommands with packages as arguments.
	Install, Remove []string
	// Upkeep are subcommands without an effect on which packages are installed.
	Upkeep []string
	// Values are the options before or after the subcommand that take the next word.
	Values []string
}

// Repositories is what the third-party repositories of a package manager can have beside a name, a
// url, a key and credentials.
type Repositories struct {
	// Suites is true when a repository has suites with components, or a path.
	Suites bool
	// Priority has the lowest and the highest one; zero when there are none.
	Priority [2]int
	// Only is true when a repository can be limited to some packages.
	Only bool
	// ByHost is true when repositories of one host share priority and limits.
	ByHost bool
	// Tag is the argument for a package that a limited repository has, with {package} and
	// {repository}; empty when the package manager finds it by itself.
	Tag string
	// Certificates is how many client certificates there can be in one build, and 0 when each
	// repository can have its own.
	Certificates int
	// Key is the form of the public keys.
	Key KeyForm
	// KeyExtension of the files of keys; empty when they keep their own names.
	KeyExtension string
}

// KeyForm is a form of public keys, as llb/distro/key.sh writes them.
type KeyForm string

const (
	// OpenPGPBinary keys are made of the others.
	OpenPGPBinary KeyForm = "binary"
	// OpenPGPArmored keys are text.
	OpenPGPArmored KeyForm = "armored"
	// RSA keys are text, in PEM.
	RSA KeyForm = "rsa"
)

// PathForm is the form of excluded paths.
type PathForm string

const (
	// NoPaths can be left out.
	NoPaths PathForm = ""
	// WholeDirectories are paths without wildcards.
	WholeDirectories PathForm = "directories"
	// Wildcards are those of the shell.
	Wildcards PathForm = "patterns"
)

// Managers are all package managers, by name.
func Managers() []Manager {
	return []Manager{
		// apk-world(5), apk-repositories(5)
		{
			Name: "apk",
			Shell: Shell{
				Programs: []string{"apk"}, Install: []string{"add"}, Remove: []string{"del"}, Upkeep: []string{"update", "cache"},
				Values: []string{"-X", "--repository", "-t", "--virtual", "-p", "--root"},
			},
			Pin: "{name}={version}", Databases: []string{"/lib/apk/db", "/usr/lib/apk/db"},
			Repositories: Repositories{Only: true, Tag: "{package}@{repository}", Certificates: 1, Key: RSA},
		},
		// apt-get(8), dpkg(1), sources.list(5), apt_preferences(5): a pin is a short
		{
			Name: "apt",
			Shell: Shell{
				Programs: []string{"apt-get", "apt", "aptitude"}, Install: []string{"install"}, Remove: []string{"remove", "purge"},
				Upkeep: []string{"update", "clean", "autoclean", "autoremove"}, Values: []string{"-o", "--option", "-t", "--target-release", "-c"},
			},
			Pin: "{name}={version}", Areas: true, Exclude: Wildcards, RemoveUsers: true, Extract: true, OneProvider: true,
			Databases: []string{"/var/lib/dpkg"}, State: []string{"/var/lib/apt"},
			Repositories: Repositories{Suites: true, Priority: [2]int{1, 32767}, Only: true, ByHost: true, Key: OpenPGPBinary, KeyExtension: ".gpg"},
		},
		// dnf(8), Specifying packages; dnf.conf(5)
		{
			Name: "dnf",
			Shell: Shell{
				Programs: []string{"dnf", "microdnf", "yum"}, Install: []string{"install"}, Remove: []string{"remove", "erase"},
				Upkeep: []string{"clean", "makecache", "autoremove"}, Values: []string{"-c", "--releasever", "-x"},
			},
			Pin: "{name}-{version}", Exclude: WholeDirectories, RemoveUsers: true, Databases: rpmDatabases(), State: []string{"/usr/lib/sysimage/libdnf5", "/var/lib/dnf"},
			Repositories: Repositories{Priority: [2]int{1, 99}, Only: true, Key: OpenPGPArmored, KeyExtension: ".asc"},
		},
		// zypper(8), Capabilities and Repository Management
		{
			Name: "zypper",
			Shell: Shell{
				Programs: []string{"zypper"}, Install: []string{"install", "in"}, Remove: []string{"remove", "rm"},
				Upkeep: []string{"refresh", "ref", "clean", "cc"}, Values: []string{"-r", "--repo", "--from", "-t", "--type"},
			},
			Pin: "{name}={version}", Exclude: WholeDirectories, SkipRepositories: true, RemoveUsers: true, TrustsImage: true,
			Databases: rpmDatabases(), State: []string{"/var/lib/zypp"},
			Repositories: Repositories{Priority: [2]int{1, 200}, Key: OpenPGPArmored, KeyExtension: ".asc"},
		},
	}
}

// rpmDatabases are those of rpm, the newer one first (rpm, macros: _dbpath).
func rpmDatabases() []string { return []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm"} }

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

// Tagged returns the name of a package that comes from a limited repository.
func (m Manager) Tagged(name, repository string) string {
	if m.Repositories.Tag == "" {
		return name
	}
	return strings.NewReplacer("{package}", name, "{repository}", repository).Replace(m.Repositories.Tag)
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
	d.validatePaths(r, m, keys{"exclude"}, d.Exclude)
	for i, g := range d.Files {
		if g.Name == "" || g.Why == "" {
			r.wrong(keys{"files", i}, "", "a group needs a name and a reason, why")
		}
		d.validatePaths(r, m, keys{"files", i, "paths"}, g.Paths)
	}
	if !m.SkipRepositories && len(d.SkipRepositories) > 0 {
		r.wrong(keys{"skipRepositories"}, "remove it", "%s cannot skip repositories by alias", m.Name)
	}
	if !m.RemoveUsers && len(d.RemoveUsers) > 0 {
		r.wrong(keys{"removeUsers"}, "remove it", "the script of %s removes no users", m.Name)
	}
}

// validatePaths refuses paths that the package manager cannot leave out.
func (d *Distro) validatePaths(r record, m Manager, at keys, paths []string) {
	if m.Exclude == NoPaths && len(paths) > 0 {
		r.wrong(at, "remove it", "%s cannot leave out files of packages", m.Name)
	}
	for i, path := range paths {
		if m.Exclude == WholeDirectories && strings.ContainsAny(path, "*?[!") {
			r.wrong(append(slices.Clone(at), i), "name a directory", "%s takes no wildcards, and no ! before a path", m.Name)
		}
	}
}

// validateAreas refuses areas for a package manager without them.
func (d *Distro) validateAreas(r record, areas []string, at keys) {
	if m, ok := d.manager(); ok && !m.Areas && len(areas) > 0 {
		r.wrong(at, "remove it", "%s knows no areas of an archive", m.Name)
	}
}
