package catalog

// State is what was found out about an entry of a catalog.
type State string

// States of a name or a path, in the repositories of a distribution.
const (
	// Right is there.
	Right State = "right"
	// Moved is a file that is elsewhere.
	Moved State = "moved"
	// Wrong is not there.
	Wrong State = "wrong"
)

// States of a version, compared with the newest of its publisher.
const (
	Current State = "current"
	// Outdated: the publisher has a newer one.
	Outdated State = "outdated"
	// Ahead: the newest of the publisher is older. It may have been withdrawn, or not be in the
	// channel yet.
	Ahead State = "ahead"
)

// States of what is not known.
const (
	// Unlisted is in none of the lists that tell about it.
	Unlisted State = "unlisted"
	// Unreachable could not be looked at.
	Unreachable State = "unreachable"
)

// Finding is what was found out about one entry of a catalog.
type Finding struct {
	// Distro and Arch that it was looked up for; empty for a version.
	Distro string `json:"distro,omitempty"`
	Arch   string `json:"arch,omitempty"`
	// Kind of the entry: component, distribution, package, command, firmware, shim …
	Kind string `json:"kind"`
	// Name that the catalog has.
	Name string `json:"name"`
	// Version in the catalog; of a distribution, the newest release.
	Version string `json:"version,omitempty"`
	// Newest is the publisher's newest version without pre-releases; empty when it is not known.
	Newest string `json:"newest,omitempty"`
	State  State  `json:"state"`
	// Note says what would be right, or what is not known.
	Note string `json:"note,omitempty"`
	// Place in the catalog, as file:line:column.
	Place string `json:"place,omitempty"`
}
