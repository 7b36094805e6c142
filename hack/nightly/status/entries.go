// Package status has the systems that are tried every night, and what became of them.
package status

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
)

// Stage is something that is tried with an entry.
type Stage string

// Stages of a night.
const (
	// Check holds the catalog to the repositories of the distributions.
	Check Stage = "check"
	// Core and Standard build the images of both variants.
	Core     Stage = "core"
	Standard Stage = "standard"
	// Boot boots the ISO, or the disk of a board, and runs assertions.
	Boot Stage = "boot"
	// Install installs a disk and runs assertions on the installed system.
	Install Stage = "install"
	// Upgrade upgrades an installed machine to a newer image.
	Upgrade Stage = "upgrade"
	// K3s waits until the node of a cluster is ready.
	K3s Stage = "k3s"
	// Publish pushes the images of both variants.
	Publish Stage = "publish"
)

// Stages returns all stages, in the order in which they run.
func Stages() []Stage {
	return []Stage{Check, Core, Standard, Boot, Install, Upgrade, K3s, Publish}
}

// Needs are the stages without which a stage is pointless.
func (s Stage) Needs() []Stage {
	switch s {
	case Boot, Install, Upgrade:
		return []Stage{Core}
	case K3s:
		return []Stage{Standard}
	case Publish:
		return []Stage{Core, Standard, Boot}
	default:
		return nil
	}
}

// Entry is a system, in both variants: a flavor on an architecture and a model.
type Entry struct {
	// Name, such as debian-12-amd64 or debian-12-arm64-rpi4.
	Name   string `json:"name"`
	Flavor string `json:"flavor"`
	Arch   string `json:"arch"`
	Model  string `json:"model"`
	// Stages that the entry goes through.
	Stages []Stage `json:"stages"`
}

const (
	// firstArch is the architecture of the entries that stand for their family.
	firstArch = "amd64"
	// anyMachine is the model of specs that name none.
	anyMachine = "generic"
)

// Entries returns the entries of the built-in matrix, in its order. The first one of each family of
// distributions goes through all stages.
func Entries(cat *catalog.Catalog) ([]Entry, error) {
	rows, err := matrix.Read(matrix.Builtin(), matrix.Options{FlavorVersion: matrix.DefaultVersion, Flavors: cat.FlavorNames(), Archs: catalog.Names(cat.Archs)})
	if err != nil {
		return nil, errors.Wrap(err, "read the matrix")
	}
	var entries []Entry
	families := map[string]bool{}
	for _, e := range rows {
		c := Entry{Name: e.Flavor + "-" + e.Arch, Flavor: e.Flavor, Arch: e.Arch, Model: e.Model, Stages: []Stage{Check, Core, Standard, Boot, Publish}}
		if e.Model != anyMachine {
			c.Name += "-" + e.Model
		}
		if slices.ContainsFunc(entries, func(other Entry) bool { return other.Name == c.Name }) {
			continue // its other variant
		}
		if c.Arch == firstArch {
			p, err := Plan(cat, c, Spec(c, Core))
			if err != nil {
				return nil, errors.Wrap(err, c.Name)
			}
			if family := cat.Distros[p.Userland.Distro].Family; !families[family] {
				families[family] = true
				c.Stages = Stages()
			}
		}
		entries = append(entries, c)
	}
	return entries, nil
}
