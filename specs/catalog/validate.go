package catalog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

// validate refuses entries that are not whole, so that a mistake in a catalog
// is found when it is read and not in the middle of a build.
func (c *Catalog) validate() error {
	for name, d := range c.Distros {
		if err := d.validate(name, c); err != nil {
			return errors.Wrapf(err, "catalog: distros/%s.yaml", name)
		}
	}
	for name, m := range c.Models {
		if err := m.validate(name, c); err != nil {
			return errors.Wrapf(err, "catalog: models/%s.yaml", name)
		}
	}
	for name, comp := range c.Components {
		if err := comp.validate(name); err != nil {
			return errors.Wrapf(err, "catalog: components/%s.yaml", name)
		}
	}
	if err := c.validateKinds(); err != nil {
		return errors.Wrap(err, "catalog")
	}
	for name, r := range c.Requirements {
		if err := r.validate(name); err != nil {
			return errors.Wrapf(err, "catalog: requirements/%s.yaml", name)
		}
	}
	for name, t := range c.Tools {
		if _, ok := c.Distros[t.Distro]; t.Name != name || !ok {
			return errors.Errorf("catalog: tools/%s.yaml: needs name: %s and a known distro, not %q", name, name, t.Distro)
		}
	}
	for name, e := range c.Emulators {
		if e.Name != name || e.Program == "" || e.CDROM == "" || len(e.Firmware) == 0 {
			return errors.Errorf("catalog: emulators/%s.yaml: needs name: %s, program, cdrom and firmware", name, name)
		}
	}
	return nil
}

func (d *Distro) validate(name string, c *Catalog) error {
	switch {
	case d.Name != name:
		return errors.Errorf("the name is %q, the file says %q", d.Name, name)
	case d.Base == "" || d.Family == "" || d.Flavor == "" || d.Release == "":
		return errors.New("base, family, flavor and release are all needed")
	case !slices.Contains([]string{"apt", "zypper", "apk", "dnf"}, d.Manager):
		return errors.Errorf("manager %q is none of apt, zypper, apk, dnf", d.Manager)
	case len(d.Architectures) == 0 || len(d.Inits) == 0:
		return errors.New("architectures and inits are both needed")
	}
	for _, g := range slices.Concat(d.Groups, d.Kernel.Initramfs.Groups) {
		if err := g.validate(); err != nil {
			return err
		}
	}
	for arch, l := range d.Loaders {
		lender, borrowed := c.Distros[l.From]
		if l.From != "" && (!borrowed || len(lender.Loaders[arch].Packages) == 0) {
			return errors.Errorf("loaders.%s: %s lends none", arch, l.From)
		}
	}
	for _, init := range d.Inits {
		if init.Name == "openrc" && len(init.Mask) > 0 {
			return errors.New("inits: OpenRC cannot mask a service")
		}
	}
	for _, component := range d.Kernel.Initramfs.Components {
		if _, ok := c.Components[component]; !ok {
			return errors.Errorf("kernel.initramfs names the unknown component %q", component)
		}
	}
	return nil
}

// validateKinds refuses a variant with two defaults of one kind.
func (c *Catalog) validateKinds() error {
	first := map[string]string{}
	for _, name := range Names(c.Components) {
		comp := c.Components[name]
		for _, variant := range comp.Variants {
			if other, ok := first[comp.Kind+variant]; ok && comp.Kind != "" {
				return errors.Errorf("components %s and %s are both the %s of the variant %s", other, name, comp.Kind, variant)
			}
			first[comp.Kind+variant] = name
		}
	}
	return nil
}

func (c *Component) validate(name string) error {
	switch {
	case c.Name != name || c.Install == "":
		return errors.Errorf("needs name: %s and install", name)
	case c.Kind != "" && !slices.Contains(specs.KindNames(), c.Kind):
		return errors.Errorf("kind %q is none of %s", c.Kind, strings.Join(specs.KindNames(), ", "))
	}
	pattern, err := regexp.Compile(c.VersionPattern)
	if err != nil {
		return errors.Wrap(err, "versionPattern")
	}
	if !pattern.MatchString(c.Version) {
		return errors.Errorf("version %s does not match versionPattern", c.Version)
	}
	return nil
}

func (m *Model) validate(name string, c *Catalog) error {
	if m.Name != name || m.Title == "" {
		return errors.Errorf("needs name: %s and a title", name)
	}
	for distro, needs := range m.Distros {
		if _, ok := c.Distros[distro]; !ok {
			return errors.Errorf("distros names the unknown distro %q", distro)
		}
		for pkg, reason := range needs.Packages {
			if reason.Why == "" {
				return errors.Errorf("package %s for %s has no reason", pkg, distro)
			}
		}
	}
	return errors.Wrap(m.Firmware.validate(c), "firmware")
}

func (f *Firmware) validate(c *Catalog) error {
	switch {
	case f == nil:
		return nil
	case c.Distros[f.From] == nil || c.Distros[f.From].Manager != "apt":
		return errors.Errorf("from is %q, which has no packages of apt", f.From)
	case len(f.Packages) == 0 || len(f.Files) == 0:
		return errors.New("packages and files are both needed")
	}
	if _, err := strconv.ParseUint(f.MBR, 16, 8); f.MBR != "" && err != nil {
		return errors.Errorf("mbr %q is not a byte in hexadecimal", f.MBR)
	}
	return nil
}

func (g Group) validate() error {
	if g.Name == "" || g.Why == "" {
		return errors.Errorf("group %q needs a name and a reason", g.Name)
	}
	for name, p := range g.Packages {
		if p.Why == "" {
			return errors.Errorf("package %s in group %s has no reason", name, g.Name)
		}
	}
	return nil
}
