package inspect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/sbom"
)

// System is what a root filesystem has. Paths start at its root, without a slash.
type System struct {
	// Release are the variables of /etc/kairos-release.
	Release map[string]string `json:"release"`
	// OS are the variables of /etc/os-release.
	OS map[string]string `json:"os"`
	// Files is the number of files and links, and Size the bytes in them.
	Files int   `json:"files"`
	Size  int64 `json:"size"`
	// Databases are the files that list the packages.
	Databases []string  `json:"databases"`
	Packages  []Package `json:"packages"`
	Kernels   []Kernel  `json:"kernels"`
	Initramfs []File    `json:"initramfs"`
	// Loaders are the boot loaders that an installation takes.
	Loaders []File `json:"loaders"`
	// CommandLine has the kernel arguments of the installed system.
	CommandLine string `json:"commandLine,omitempty"`
	// CloudConfigs are in the order in which a machine reads them.
	CloudConfigs []File    `json:"cloudConfigs"`
	Services     []Service `json:"services"`

	unread []string
	// found are the packages with all that is known of them, and notFound why there are none.
	found    pkgdb.System
	notFound error
	programs []sbom.Program
	released time.Time
	// tree has all files and links by path, for Compare.
	tree map[string]node
}

// File is a file of a system or of a medium.
type File struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// newSystem derives a system from what was collected of its files.
func newSystem(c *collector) *System {
	s := &System{Release: c.release, OS: c.os, CommandLine: installedArguments(c.menu), programs: c.programs, released: c.released, tree: c.tree}
	for _, n := range c.tree {
		s.Files++
		s.Size += n.size
	}
	s.Kernels = kernels(c.tree, c.versions)
	s.Initramfs = s.files(isInitramfs)
	s.Loaders = s.files(isLoader)
	s.CloudConfigs = cloudConfigs(s)
	s.Services = services(c.tree)
	s.addPackages(c.databases)
	return s
}

// files lists regular files, by path.
func (s *System) files(wanted func(path string) bool) []File {
	all := []File{}
	for path, n := range s.tree {
		if n.mode.IsRegular() && wanted(path) {
			all = append(all, File{path, n.size})
		}
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// cloudConfigs lists the cloud-config files, in the order of the directories (contract 1.12).
func cloudConfigs(s *System) []File {
	all := []File{}
	for _, dir := range []string{"system/oem/", "oem/", "usr/local/cloud-config/", "etc/kairos/"} {
		all = append(all, s.files(func(path string) bool {
			name, ok := strings.CutPrefix(path, dir)
			return ok && !strings.Contains(name, "/") && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml"))
		})...)
	}
	return all
}

// summary says what was found, for an error about a system that is not Kairos.
func (s *System) summary() string {
	var parts []string
	if name := s.OS["PRETTY_NAME"]; name != "" {
		parts = append(parts, name)
	}
	if len(s.Packages) > 0 {
		parts = append(parts, count(len(s.Packages), "package"))
	}
	parts = append(parts, fmt.Sprintf("%s of %s", count(s.Files, "file"), size(s.Size)))
	return strings.Join(parts, ", ")
}

// count is a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// size is a number of bytes for people.
func size(bytes int64) string { return units.HumanSize(float64(bytes)) }
