package extension

// Kind is a kind of extension image (systemd-sysext(8)).
type Kind struct {
	// Name is that of the target, the end of the file's name, and what systemd-repart(8) calls it
	// (--make-ddi).
	Name string
	// Description says in a few words what the kind is for.
	Description string
	// hierarchies are the directories that systemd merges by default, and variable is that of the
	// environment of its service that changes them.
	hierarchies []string
	variable    string
	// root is the directory with the directory of release files, and units that with units.
	root, units string
}

// System is the kind of system extensions.
func System() Kind {
	return Kind{
		Name: "sysext", Description: "system extension, which machines merge into /usr",
		hierarchies: []string{"/usr", "/opt"}, variable: "SYSTEMD_SYSEXT_HIERARCHIES",
		root: "/usr/lib", units: "/usr/lib/systemd/system",
	}
}

// Kinds are all kinds of extensions.
func Kinds() []Kind {
	return []Kind{
		System(),
		{
			Name: "confext", Description: "configuration extension, which machines merge into /etc",
			hierarchies: []string{"/etc"}, variable: "SYSTEMD_CONFEXT_HIERARCHIES",
			root: "/etc", units: "/etc/systemd/system",
		},
	}
}

// File is the name of the image of an extension.
func (k Kind) File(extension string) string { return extension + "." + k.Name + ".raw" }
