// Command mirrors prints where to read the archives of a distribution in this network: at the mirrors
// of the configuration file (docs/mirrors.md), or else at the distribution's own servers.
//
//	mirrors DISTRO
//
// It prints one line for each archive: its name, its public URL, and the URL to read it at.
package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

func main() {
	lines, err := mirrors(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "mirrors:", err)
		os.Exit(1)
	}
	fmt.Print(lines)
}

func mirrors(args []string) (string, error) {
	if len(args) != 1 {
		return "", errors.New("usage: mirrors DISTRO")
	}
	cat, err := catalog.Builtin()
	if err != nil {
		return "", err
	}
	d, ok := cat.Distros[args[0]]
	if !ok {
		return "", errors.Errorf("unknown distribution %q", args[0])
	}
	_, site, err := local.ReadSite(local.SiteFile())
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	for _, name := range catalog.Names(d.Archives) {
		public := "http://" + d.Archives[name][0]
		fmt.Fprintln(&lines, name, public, strings.TrimRight(cmp.Or(site.Mirrors.Archives[name], public), "/"))
	}
	return lines.String(), nil
}
