// Package initsys enables services by the files that an init system looks at,
// so that no init system has to run in the build.
package initsys

import (
	"maps"
	"path"
	"slices"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/internal/tree"
)

// Links returns what enables and masks the services of a system.
func Links(system plan.System) ([]tree.Entry, error) {
	switch system.Init {
	case "systemd":
		return systemd(system), nil
	default:
		return nil, errors.Errorf("no init system is called %q", system.Init)
	}
}

// systemd enables a unit by a link from the folder of the target that wants
// it, and masks one by a link to /dev/null (systemctl(1), enable and mask). No
// system has a graphical target (contract 1.12).
func systemd(system plan.System) []tree.Entry {
	const own, units = "/etc/systemd/system", "/usr/lib/systemd/system"
	entries := []tree.Entry{tree.Link(path.Join(own, "default.target"), path.Join(units, "multi-user.target"))}
	for _, unit := range slices.Sorted(maps.Keys(system.Enable)) {
		for _, target := range system.Enable[unit] {
			entries = append(entries, tree.Link(path.Join(own, target+".wants", unit), path.Join(units, unit)))
		}
	}
	for _, unit := range system.Mask {
		entries = append(entries, tree.Link(path.Join(own, unit), "/dev/null"))
	}
	return entries
}
