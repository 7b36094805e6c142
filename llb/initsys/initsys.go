// Package initsys enables services by writing the files that an init system reads, so no init
// system has to run in the build.
package initsys

import (
	"maps"
	"path"
	"slices"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/plan"
)

// Links returns the links that enable and mask the services of a system.
func Links(system plan.System) ([]tree.Entry, error) {
	links, ok := map[string]func(plan.System) []tree.Entry{
		"systemd": systemd,
		"openrc":  openrc,
	}[system.Init]
	if !ok {
		return nil, errors.Errorf("no init system is called %q", system.Init)
	}
	return links(system), nil
}

// systemd enables a unit with a link in the directory of the target that wants it, and masks one
// with a link to /dev/null (systemctl(1), enable and mask). No system has a graphical target
// (contract 1.12).
func systemd(system plan.System) []tree.Entry {
	const own, units = "/etc/systemd/system", "/usr/lib/systemd/system"
	entries := enable(system, func(unit, target string) tree.Entry {
		return tree.Link(path.Join(own, target+".wants", unit), path.Join(units, unit))
	})
	entries = append(entries, tree.Link(path.Join(own, "default.target"), path.Join(units, "multi-user.target")))
	for _, unit := range system.Mask {
		entries = append(entries, tree.Link(path.Join(own, unit), "/dev/null"))
	}
	return entries
}

// openrc enables a service with a link in the directory of the runlevel that starts it
// (rc-update(8)).
func openrc(system plan.System) []tree.Entry {
	const runlevels, services = "/etc/runlevels", "/etc/init.d"
	return enable(system, func(service, runlevel string) tree.Entry {
		return tree.Link(path.Join(runlevels, runlevel, service), path.Join(services, service))
	})
}

// enable makes a link for each service and each target or runlevel that starts it.
func enable(system plan.System, link func(service, where string) tree.Entry) []tree.Entry {
	var entries []tree.Entry
	for _, service := range slices.Sorted(maps.Keys(system.Enable)) {
		for _, where := range system.Enable[service] {
			entries = append(entries, link(service, where))
		}
	}
	return entries
}
