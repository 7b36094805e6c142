package lock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/plan"
)

// Diff returns the changes from one lock to another. Without an old one, all is new.
func Diff(old, current *File) []plan.Change { return plan.Changes(old.values(), current.values()) }

// values are everything that a lock pins, by name. A package of several versions has all of them.
func (f *File) values() map[string]string {
	all := map[string]string{}
	if f == nil {
		return all
	}
	for _, img := range f.Images {
		id := img.Digest
		if id == "" {
			id = img.Layers
		}
		all[fmt.Sprintf("image %s (%s)", img.Name, img.Arch)] = id
	}
	for _, d := range f.Downloads {
		all["download "+d.URL] = d.SHA256
	}
	versions := map[string][]string{}
	for distro, archives := range f.Archives {
		for id, a := range archives {
			name, version, arch := SplitID(id)
			key := fmt.Sprintf("package %s (%s, %s)", name, distro, arch)
			// A publisher may change an archive and not its version.
			versions[key] = append(versions[key], fmt.Sprintf("%s (%.8s)", version, a.SHA256))
		}
	}
	for name, v := range versions {
		slices.Sort(v)
		all[name] = strings.Join(v, ", ")
	}
	return all
}

// DiffSystems compares an old and a current system: what is in them, and if both have a lock, also what
// their locks pin.
func DiffSystems(plans [2]*plan.Plan, locks [2]*File) []plan.Change {
	changes := append([]plan.Change{}, plan.Diff(plans[0], plans[1])...) // a list in JSON, even of none
	if locks[0] != nil && locks[1] != nil {
		changes = append(changes, Diff(locks[0], locks[1])...)
	}
	return changes
}
