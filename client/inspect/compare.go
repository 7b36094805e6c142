package inspect

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/plan"
)

// Comparison is what differs between two systems.
type Comparison struct {
	// Changes of packages, kernel, services, kernel arguments, and variables of the release.
	Changes []plan.Change `json:"changes"`
	// Files are sorted by path.
	Files []FileChange `json:"files"`
	// Layers is nil if one of the two is no image.
	Layers *LayerComparison `json:"layers,omitempty"`
}

// FileChange is a file that differs.
type FileChange struct {
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
	// Old and New are the sizes in bytes.
	Old int64 `json:"old"`
	New int64 `json:"new"`
}

// Kind is a kind of change.
type Kind string

// What may have become of a file.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// LayerComparison is what a machine with the old image pulls for the new one. Sizes are in bytes, as
// the new image stores them.
type LayerComparison struct {
	Shared     int   `json:"shared"`
	SharedSize int64 `json:"sharedSize"`
	New        int   `json:"new"`
	NewSize    int64 `json:"newSize"`
}

// Compare compares two systems, which were read with their contents.
func Compare(old, current *Report) *Comparison {
	c := &Comparison{
		Changes: append([]plan.Change{}, plan.Changes(old.System.values(), current.System.values())...),
		Files:   compareFiles(old.System.tree, current.System.tree),
	}
	if old.Image != nil && current.Image != nil {
		c.Layers = compareLayers(old.Image.Layers, current.Image.Layers)
	}
	return c
}

// values are what users know of a system, by name.
func (s *System) values() map[string]string {
	all := map[string]string{"distribution": s.OS["PRETTY_NAME"]}
	for name, value := range s.Release {
		all[name] = value
	}
	versions := map[string][]string{}
	for _, p := range s.Packages {
		versions["package "+p.Name] = append(versions["package "+p.Name], p.Version)
	}
	for _, k := range s.Kernels {
		versions["kernel"] = append(versions["kernel"], k.Version)
	}
	for name, list := range versions {
		all[name] = strings.Join(list, ", ")
	}
	for _, service := range s.Services {
		all["service "+service.Name] = service.state()
	}
	for _, argument := range strings.Fields(s.CommandLine) {
		all["kernel argument "+argument] = "there"
	}
	return all
}

func compareFiles(old, current map[string]node) []FileChange {
	all := []FileChange{}
	for name, n := range current {
		switch before, ok := old[name]; {
		case !ok:
			all = append(all, FileChange{name, Added, 0, n.size})
		case before != n:
			all = append(all, FileChange{name, Changed, before.size, n.size})
		}
	}
	for name, n := range old {
		if _, ok := current[name]; !ok {
			all = append(all, FileChange{name, Removed, n.size, 0})
		}
	}
	slices.SortFunc(all, func(a, b FileChange) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// compareLayers compares layers by what is in them, because a registry and an archive may compress
// them in other ways.
func compareLayers(old, current []Layer) *LayerComparison {
	c := &LayerComparison{}
	for _, l := range current {
		if slices.ContainsFunc(old, func(o Layer) bool { return o.DiffID == l.DiffID }) {
			c.Shared++
			c.SharedSize += l.Size
		} else {
			c.New++
			c.NewSize += l.Size
		}
	}
	return c
}

// String is a line for people.
func (c FileChange) String() string {
	switch c.Kind {
	case Added:
		return fmt.Sprintf("+ file /%s %s", c.Path, size(c.New))
	case Removed:
		return fmt.Sprintf("- file /%s %s", c.Path, size(c.Old))
	default:
		return fmt.Sprintf("~ file /%s %s → %s", c.Path, size(c.Old), size(c.New))
	}
}

// Directories sums up the changed files, a line for each directory with some.
func (c *Comparison) Directories() []string {
	type sum struct {
		kinds map[Kind]int
		bytes int64
	}
	sums := map[string]*sum{}
	for _, f := range c.Files {
		dir := shallow(f.Path)
		if sums[dir] == nil {
			sums[dir] = &sum{kinds: map[Kind]int{}}
		}
		sums[dir].kinds[f.Kind]++
		sums[dir].bytes += f.New - f.Old
	}
	var all []string
	for _, dir := range slices.Sorted(maps.Keys(sums)) {
		var parts []string
		for _, kind := range []Kind{Added, Removed, Changed} {
			if n := sums[dir].kinds[kind]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, kind))
			}
		}
		sign, bytes := "+", sums[dir].bytes
		if bytes < 0 {
			sign, bytes = "-", -bytes
		}
		all = append(all, fmt.Sprintf("~ files in /%s %s, %s%s", dir, strings.Join(parts, ", "), sign, size(bytes)))
	}
	return all
}

// shallow is the directory of a file, of at most two names.
func shallow(file string) string {
	parts := strings.Split(path.Dir(file), "/")
	if parts[0] == "." {
		return ""
	}
	return path.Join(parts[:min(2, len(parts))]...)
}

// String is a line for people.
func (l *LayerComparison) String() string {
	return fmt.Sprintf("%s shared (%s), %d to pull (%s)", count(l.Shared, "layer"), size(l.SharedSize), l.New, size(l.NewSize))
}
