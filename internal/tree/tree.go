// Package tree describes small file trees that flavorkit adds to a root filesystem, as plain data.
package tree

import "io/fs"

// Entry is a file, a directory or a symbolic link.
type Entry struct {
	// Path in the root filesystem, absolute and clean.
	Path string
	// Mode has the permissions, and fs.ModeDir or fs.ModeSymlink.
	Mode fs.FileMode
	// Data is the content of a file.
	Data []byte
	// Target of a symbolic link.
	Target string
}

// File returns a file that everybody can read.
func File(path string, data []byte) Entry { return Entry{Path: path, Mode: 0o644, Data: data} }

// Link returns a symbolic link.
func Link(path, target string) Entry {
	return Entry{Path: path, Mode: fs.ModeSymlink | 0o777, Target: target}
}

// Dir returns a directory that everybody can read.
func Dir(path string) Entry { return Entry{Path: path, Mode: fs.ModeDir | 0o755} }
