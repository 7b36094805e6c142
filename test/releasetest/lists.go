// Package releasetest replaces the publishers of components: it has their recorded checksum lists,
// and a server for files with the names in these lists. It does not read the catalog, so a wrong
// name in the catalog is not found on the server.
package releasetest

import (
	"bufio"
	"embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// lists has each recorded list at the path of its URL. A line that begins with
// # is ours and says where the others are from; a checksum of zeros is unknown.
//
//go:embed lists
var lists embed.FS

// List is a publisher's checksum list.
type List []Line

// Line is the checksum of one file, as sha256sum(1) writes it.
type Line struct {
	SHA256 string // in hexadecimal
	// Binary files are marked by an asterisk (sha256sum -b).
	Binary bool
	Name   string
}

var line = regexp.MustCompile(`^([0-9a-f]{64}) ([ *])(\S+)$`)

// Read returns the list that was recorded from a URL, such as
// https://github.com/k3s-io/k3s/releases/download/v1.34.1+k3s1/sha256sum-amd64.txt.
func Read(address string) (List, error) {
	name := path.Join("lists", strings.TrimPrefix(address, "https://"))
	data, err := lists.ReadFile(name)
	if err != nil {
		return nil, errors.Errorf("no checksum list is recorded from %s; add test/releasetest/%s", address, name)
	}
	var list List
	scanner := bufio.NewScanner(strings.NewReader(string(data)))
	for scanner.Scan() {
		if strings.HasPrefix(scanner.Text(), "#") {
			continue
		}
		m := line.FindStringSubmatch(scanner.Text())
		if m == nil {
			return nil, errors.Errorf("%s: %q is not a line of sha256sum", name, scanner.Text())
		}
		list = append(list, Line{SHA256: m[1], Binary: m[2] == "*", Name: m[3]})
	}
	return list, errors.Wrap(scanner.Err(), name)
}

// Find returns the line with exactly this name.
func (l List) Find(name string) (line Line, ok bool) {
	i := slices.IndexFunc(l, func(line Line) bool { return line.Name == name })
	if i < 0 {
		return Line{}, false
	}
	return l[i], true
}

// String returns the list in the format of sha256sum.
func (l List) String() string {
	var b strings.Builder
	for _, line := range l {
		mark := " "
		if line.Binary {
			mark = "*"
		}
		fmt.Fprintf(&b, "%s %s%s\n", line.SHA256, mark, line.Name)
	}
	return b.String()
}
