package catalog

import (
	"cmp"
	"path"
	"slices"

	"github.com/flavorkit/flavorkit/specs"
)

// Asked is a package that the catalog asks a distribution for, on one architecture.
type Asked struct {
	Name string
	// What asks for it, such as "group base" or "model rpi4".
	What string
	// Areas of the archive that it may be in, beside those that the base image asks for.
	Areas []string
	// Package has the files that it must bring.
	Package
	// Key and Range are where it is written.
	Key   string
	Range specs.Range
}

// Asked returns every package that any plan can ask a distribution for, on an architecture, in the
// order of the catalog. A package that several ask for is there for each of them.
func (c *Catalog) Asked(distro, arch string) []Asked {
	d, ok := c.Distros[distro]
	if !ok {
		return nil
	}
	a := asking{catalog: c, arch: arch}
	own := path.Join("distros", distro)
	for i, g := range d.Groups {
		a.group(own, g, "groups", i)
	}
	a.list(own, "kernel", nil, d.Kernel.Packages[arch], "kernel", "packages", arch)
	for i, g := range d.Kernel.Firmware {
		a.group(own, g, "kernel", "firmware", i)
	}
	for i, g := range d.Kernel.Initramfs.Groups {
		a.group(own, g, "kernel", "initramfs", "groups", i)
	}
	a.list(own, "loader", nil, d.Loaders[arch].Packages, "loaders", arch, "packages")
	for _, name := range Names(c.Models) {
		m, file := c.Models[name], path.Join("models", name)
		if len(m.Architectures) > 0 && !slices.Contains(m.Architectures, arch) {
			continue
		}
		needs := m.Distros[distro]
		a.list(file, "model "+name, needs.Areas, needs.Kernel, "distros", distro, "kernel")
		a.packages(file, "model "+name, needs.Packages, "distros", distro, "packages")
		if m.Firmware != nil && m.Firmware.From == distro {
			a.list(file, "firmware of "+name, m.Firmware.Areas, m.Firmware.Packages, "firmware", "packages")
		}
	}
	for _, name := range Names(c.Tools) {
		if box := c.Tools[name]; box.Distro == distro {
			for i, g := range box.Groups {
				a.group(path.Join("tools", name), g, "groups", i)
			}
		}
	}
	for _, name := range Names(c.Archs) {
		emulator := c.Archs[name].Emulator
		if emulator.From != "" && emulator.From != distro {
			continue
		}
		packages := emulator.Packages[d.Family]
		for _, part := range []struct{ key, name string }{{"qemu", packages.QEMU}, {"firmware", packages.Firmware}} {
			if part.name != "" {
				a.add(path.Join("archs", name), "emulator of "+name, part.name, nil, Package{}, "emulator", "packages", d.Family, part.key)
			}
		}
	}
	return a.all
}

// asking gathers what is asked for.
type asking struct {
	catalog *Catalog
	arch    string
	all     []Asked
}

func (a *asking) group(file string, g Group, at ...any) {
	if len(g.Arch) > 0 && !slices.Contains(g.Arch, a.arch) {
		return
	}
	a.packages(file, "group "+g.Name, g.Packages, append(slices.Clone(at), "packages")...)
}

func (a *asking) packages(file, what string, packages map[string]Package, at ...any) {
	for _, name := range Names(packages) {
		a.add(file, what, name, nil, packages[name], append(slices.Clone(at), name)...)
	}
}

func (a *asking) list(file, what string, areas, names []string, at ...any) {
	for i, name := range names {
		a.add(file, what, name, areas, Package{}, append(slices.Clone(at), i)...)
	}
}

func (a *asking) add(file, what, name string, areas []string, p Package, at ...any) {
	k := keys(at)
	a.all = append(a.all, Asked{Name: name, What: what, Areas: areas, Package: p, Key: k.String(), Range: a.catalog.at(file, k)})
}

// At returns the key of a value of a record, such as distros/debian-12 with "groups", 0, "packages",
// "curl", and where it is written.
func (c *Catalog) At(file string, path ...any) (key string, place specs.Range) {
	return keys(path).String(), c.at(file, path)
}

// at is where a value of a record is written.
func (c *Catalog) at(file string, k keys) specs.Range {
	node := c.merged[file]
	if node == nil {
		return specs.Range{}
	}
	return c.ranges[k.find(node)]
}

// AskedPath is a path that the catalog names in a distribution.
type AskedPath struct {
	// Path, with wildcards of the shell.
	Path string
	What string
	Key  string
	// One tells that a path with wildcards stands for one file.
	One bool
	// Apart tells that a system need not have it: it is the firmware of a board, or a service that is
	// only masked.
	Apart bool
	Range specs.Range
}

// unitDirectories are where init systems look for services of packages.
func unitDirectories(init string) []string {
	return map[string][]string{"systemd": {"/usr/lib/systemd/system"}, "openrc": {"/etc/init.d"}}[init]
}

// AskedPaths returns the paths of loaders, services and boards that the catalog names in a
// distribution, on an architecture. Commands and firmware belong to packages: see Asked.
func (c *Catalog) AskedPaths(distro, arch string) []AskedPath {
	d, ok := c.Distros[distro]
	if !ok {
		return nil
	}
	var all []AskedPath
	add := func(file, what, p string, at ...any) *AskedPath {
		k := keys(at)
		all = append(all, AskedPath{Path: p, What: what, Key: k.String(), Range: c.at(file, k)})
		return &all[len(all)-1]
	}
	own := path.Join("distros", distro)
	l := d.Loaders[arch]
	for _, program := range []struct{ what, path, key string }{
		{"shim", l.Shim, "shim"}, {"GRUB", l.Grub, "grub"}, {"GRUB of disks", l.DiskGrub, "diskGrub"},
	} {
		switch from := l.Copies[program.path]; {
		case from != "": // packages bring it there
			add(own, program.what, from, "loaders", arch, "copies", program.path).One = true
		case program.path != "":
			add(own, program.what, program.path, "loaders", arch, program.key).One = true
		}
	}
	for i, init := range d.Inits {
		for _, dir := range unitDirectories(init.Name) {
			for _, service := range Names(init.Enable) {
				add(own, "service", path.Join(dir, service), "inits", i, "enable", service)
			}
			for n, service := range init.Mask {
				add(own, "masked service", path.Join(dir, service), "inits", i, "mask", n).Apart = true
			}
		}
	}
	for _, name := range Names(c.Models) {
		m := c.Models[name]
		if m.Firmware == nil || m.Firmware.From != distro || len(m.Architectures) > 0 && !slices.Contains(m.Architectures, arch) {
			continue
		}
		for i, p := range m.Firmware.Files {
			add(path.Join("models", name), cmp.Or(m.Title, name), p, "firmware", "files", i).Apart = true
		}
	}
	return all
}
