// Command standins prints the contents of the substitute for a distribution: the facts of
// standins.yaml, and every package in the catalog, one per line.
//
//	go run ./hack/standins opensuse-leap-15.6
package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// arch is the architecture of substitutes: names of boot loaders differ.
const arch = "amd64"

//go:embed standins.yaml
var data []byte

type standIn struct {
	Like     string              `yaml:"like"`
	From     string              `yaml:"from"`
	Layout   string              `yaml:"layout"`
	Base     string              `yaml:"base"`
	OS       map[string]string   `yaml:"os"`
	User     string              `yaml:"user"`
	Absent   string              `yaml:"absent"`
	Shim     string              `yaml:"shim"`
	Grub     string              `yaml:"grub"`
	Modules  string              `yaml:"modules"`
	Packages map[string]string   `yaml:"packages"`
	Parts    map[string][]string `yaml:"parts"`
	Firmware map[string][]string `yaml:"firmware"`
}

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "standins: %v\n", err)
		os.Exit(1)
	}
}

func run(out io.Writer, args []string) error {
	var all map[string]standIn
	if err := yaml.Load(data, &all, yaml.WithKnownFields()); err != nil {
		return errors.Wrap(err, "read standins.yaml")
	}
	if len(args) == 0 {
		fmt.Fprintln(out, strings.Join(catalog.Names(all), "\n"))
		return nil
	}
	s, ok := all[args[0]]
	if len(args) > 1 || !ok {
		return errors.Errorf("no stand-in is called %q: there are %s", strings.Join(args, " "), strings.Join(catalog.Names(all), ", "))
	}
	cat, err := catalog.Builtin()
	if err != nil {
		return err
	}
	distro, ok := cat.Distros[args[0]]
	if !ok {
		return errors.Errorf("the catalog has no %s", args[0])
	}
	asked := asked(cat, distro)
	own := s
	if s, err = resolve(all, args[0]); err != nil {
		return err
	}
	for _, name := range slices.Concat(catalog.Names(own.Packages), catalog.Names(own.Parts), catalog.Names(own.Firmware)) {
		if !slices.Contains(asked, name) {
			return errors.Errorf("standins.yaml: nothing in the catalog asks for the package %s of %s", name, distro.Name)
		}
	}
	fmt.Fprintf(out, "title %s\nref %s\nmanager %s\nfrom %s\nlayout %s\nbase %s\n", distro.Title, distro.Base, distro.Manager, s.From, s.Layout, s.Base)
	fmt.Fprintf(out, "user %s\nabsent %s\nmodules %s\n", s.User, strings.TrimSuffix(s.Absent, "-"), s.Modules)
	if s.Shim != "" {
		fmt.Fprintf(out, "shim %s\ngrub %s\n", s.Shim, s.Grub)
	}
	for _, field := range catalog.Names(s.OS) {
		fmt.Fprintf(out, "os %s=%q\n", field, s.OS[field])
	}
	for _, kind := range []struct {
		name  string
		files map[string][]string
	}{{"part", s.Parts}, {"firmware", s.Firmware}} {
		for _, name := range catalog.Names(kind.files) {
			if !slices.Contains(asked, name) {
				continue // of the one that it is like
			}
			for _, file := range kind.files[name] {
				fmt.Fprintf(out, "%s %s %s\n", kind.name, name, file)
			}
		}
	}
	for _, name := range asked {
		behind, ok := s.Packages[name]
		if !ok {
			behind = name
		}
		fmt.Fprintf(out, "package %s %s\n", name, behind)
	}
	return nil
}

// resolve lays a stand-in over the one that it is like.
func resolve(all map[string]standIn, name string) (standIn, error) {
	s, ok := all[name]
	if !ok {
		return s, errors.Errorf("standins.yaml: there is no %s to be like", name)
	}
	if s.Like == "" {
		return s, nil
	}
	// One that is like itself would never end.
	rest := maps.Clone(all)
	delete(rest, name)
	base, err := resolve(rest, s.Like)
	return standIn{
		From:     cmp.Or(s.From, base.From),
		Layout:   cmp.Or(s.Layout, base.Layout),
		Base:     cmp.Or(s.Base, base.Base),
		OS:       laid(base.OS, s.OS),
		User:     cmp.Or(s.User, base.User),
		Absent:   cmp.Or(s.Absent, base.Absent),
		Shim:     cmp.Or(s.Shim, base.Shim),
		Grub:     cmp.Or(s.Grub, base.Grub),
		Modules:  cmp.Or(s.Modules, base.Modules),
		Packages: laid(base.Packages, s.Packages),
		Parts:    laid(base.Parts, s.Parts),
		Firmware: laid(base.Firmware, s.Firmware),
	}, err
}

// laid is a mapping with another over it.
func laid[V any](base, over map[string]V) map[string]V {
	merged := map[string]V{}
	maps.Copy(merged, base)
	maps.Copy(merged, over)
	return merged
}

// asked returns the packages that any plan of the distribution can install.
func asked(cat *catalog.Catalog, d *catalog.Distro) []string {
	var names []string
	for _, group := range slices.Concat(d.Groups, d.Kernel.Firmware, d.Kernel.Initramfs.Groups) {
		if len(group.Arch) == 0 || slices.Contains(group.Arch, arch) {
			names = append(names, catalog.Names(group.Packages)...)
		}
	}
	names = append(names, d.Kernel.Packages[arch]...)
	names = append(names, d.Loaders[arch].Packages...)
	for _, model := range cat.Models {
		if len(model.Architectures) == 0 || slices.Contains(model.Architectures, arch) {
			names = append(names, model.Distros[d.Name].Kernel...)
			names = append(names, catalog.Names(model.Distros[d.Name].Packages)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
