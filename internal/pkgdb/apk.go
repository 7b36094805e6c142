package pkgdb

import (
	"io/fs"
	"path"
	"strings"
)

// readApk reads the installed database of apk.
func readApk(fsys fs.FS, name string, owns Owns) ([]Package, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	return parseApk(text, owns)
}

// parseApk reads fields with one letter: apk-tools writes those of a package, and then its
// directories (F) with their files (R).
func parseApk(text []byte, owns Owns) (all []Package, err error) {
	err = paragraphs(text, func(lines []string) {
		var p Package
		dir, picked := "", owns == nil
		for _, line := range lines {
			key, value, _ := strings.Cut(line, ":")
			switch key {
			case "P":
				p.Name = value
			case "V":
				p.Version = value
			case "A":
				p.Arch = value
			case "L":
				if value != "" {
					p.Licenses = []string{value}
				}
			case "o":
				p.Source = value
			case "m":
				p.Supplier = value
			case "F":
				dir = value
				picked = picked || owns(dir)
			case "R":
				picked = picked || owns(path.Join(dir, value))
			}
		}
		if p.Source != "" {
			p.SourceVersion = p.Version
		}
		if p.Name != "" && picked {
			all = append(all, p)
		}
	})
	return all, err
}
