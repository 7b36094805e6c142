// Package tree describes small file trees that flavorkit itself brings into a
// root filesystem, as plain data.
package tree

import "io/fs"

// Entry is a file, a directory or a symbolic link.
type Entry struct {
	// Path in the root filesystem, absolute and clean.
	Path string
	// Mode holds the permissions, and fs.ModeDir or fs.ModeSymlink.
	Mode fs.FileMode
	// Data is the text of a file.
	Data []byte
	// Target of a symbolic link.
	Target string
}

// File is a file that is read by everybody.
func File(path string, data []byte) Entry { return Entry{Path: path, Mode: 0o644, Data: data} }

// Link is a symbolic link.
func Link(path, target string) Entry {
	return Entry{Path: path, Mode: fs.ModeSymlink | 0o777, Target: target}
}

// Dir is a directory that is read by everybody.
func Dir(path string) Entry { return Entry{Path: path, Mode: fs.ModeDir | 0o755} }
