package frontend

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// duplicatePackage warns about what the spec need not add. A package with a version is another
// entry.
func duplicatePackage(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	for _, k := range s.plan.Origin.Listed {
		found = append(found, s.plan.Origin.Diagnose(rules.DuplicatePackage, k, "remove it", "is in the list of %s already", s.plan.Userland.Distro))
	}
	return found
}

// unusedArgument warns about build arguments that change nothing.
func unusedArgument(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	for _, k := range s.plan.Origin.Unused {
		name := strings.TrimPrefix(k.String(), key.Args.String()+".")
		found = append(found, s.plan.Origin.Diagnose(rules.UnusedArgument, k, "remove it, or write ${"+name+"} where its value belongs", "no value has it, so it changes nothing"))
	}
	return found
}

// neededPackage warns about packages that the spec leaves out, with commands that the system needs
// and that neither another package of the list nor anything that the spec adds may have instead.
func neededPackage(s subject) specs.Diagnostics {
	commands := map[key.Key][]string{}
	for _, names := range catalog.Names(s.plan.Needs[catalog.NeedCommands]) {
		alternatives := strings.Split(names, " or ")
		if slices.ContainsFunc(alternatives, s.mayHave) {
			continue
		}
		for _, k := range s.plan.Origin.Asks(catalog.NeedCommands, names) {
			if around, _ := k.Around(); around == key.PackagesRemove || around == key.PackagesGroups {
				commands[k] = append(commands[k], alternatives[0])
				break
			}
		}
	}
	var found specs.Diagnostics
	for k, names := range commands {
		found = append(found, s.plan.Origin.Diagnose(rules.NeededPackage, k, "keep it",
			"leaves out %s, which the system needs; the build fails unless another package brings it", strings.Join(names, ", ")))
	}
	return found.Sorted()
}

// mayHave reports whether the system has a command, or may have it from what the spec adds: a package,
// a file or a layer.
func (s subject) mayHave(command string) bool {
	return slices.Contains(s.plan.Checks.Commands, command) ||
		slices.ContainsFunc(s.plan.Userland.Packages, func(p plan.Package) bool { return s.mayBring(p.Name, command) }) ||
		slices.ContainsFunc(s.plan.Files, func(f plan.File) bool {
			return holds(f.Path, commandDirs()) || path.Base(f.Path) == command && slices.Contains(commandDirs(), path.Dir(f.Path))
		}) ||
		slices.ContainsFunc(s.plan.Layers, func(l plan.Layer) bool { return holds(l.To, commandDirs()) })
}

// mayBring reports whether a package may have a command. The catalog says so for the packages that it
// lists for the distribution, and the name for others: that of the command, or of a package that has
// it on another distribution.
func (s subject) mayBring(pkg, command string) bool {
	if listed, ok := listedBy(s.catalog.Distros[s.plan.Userland.Distro], pkg); ok {
		return slices.Contains(listed.Commands, command)
	}
	for _, d := range s.catalog.Distros {
		if listed, _ := listedBy(d, pkg); slices.Contains(listed.Commands, command) {
			return true
		}
	}
	return strings.Contains(pkg, command)
}

// listedBy finds a package in the list of a distribution; ok is false when it is not there.
func listedBy(d *catalog.Distro, pkg string) (listed catalog.Package, ok bool) {
	if d == nil {
		return listed, false
	}
	for _, g := range d.Groups {
		if listed, ok = g.Packages[pkg]; ok {
			return listed, ok
		}
	}
	return listed, false
}

// outdatedComponent warns about a component that misses fixes: the catalog has a newer patch of the
// same release.
func outdatedComponent(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	for _, c := range s.plan.AllComponents() {
		known := s.catalog.Components[c.Name]
		if known == nil || known.Follows != "" || semver.MajorMinor(c.Version) != semver.MajorMinor(known.Version) || catalog.CompareVersions(c.Version, known.Version) >= 0 {
			continue
		}
		at := c.Keys()[0]
		for _, k := range c.Keys() {
			if _, set := s.plan.Origin.Places[k.Version()]; set {
				at = k.Version()
			}
		}
		found = append(found, s.plan.Origin.Diagnose(rules.OutdatedComponent, at, "take "+known.Version+", or leave the version out",
			"%s %s misses the fixes of %s", c.Name, c.Version, known.Version))
	}
	return found
}

// olderKernel warns about a kernel that was made for an older userland.
func olderKernel(s subject) specs.Diagnostics {
	if s.plan.Kernel.Own != nil || s.plan.Source != nil {
		return nil
	}
	userland, donor := s.catalog.Distros[s.plan.Userland.Distro], s.catalog.Distros[s.plan.Kernel.Distro]
	if !donor.OlderThan(userland) {
		return nil
	}
	return specs.Diagnostics{s.plan.Origin.Diagnose(rules.OlderKernel, key.KernelFrom, "take the kernel of the userland, or of a newer release",
		"the kernel of %s is older than %s expects", donor.Title, userland.Title)}
}

// insecureChecksums warns about downloads that anybody on the way can change: both the file and its
// checksum. Repositories have keys, and a checksum in the spec makes any URL safe.
func insecureChecksums(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	for _, c := range s.plan.AllComponents() {
		if d := c.Download; d != nil && d.SHA256 == "" && strings.HasPrefix(strings.ToLower(s.plan.MirroredDownload(d.Checksums)), "http:") {
			found = append(found, s.plan.Origin.Diagnose(rules.InsecureChecksums, key.Components.Entry(c.Name).Entry("checksums"), "use https, or write the checksums into sha256",
				"anybody between the builder and the server can replace %s", c.Name))
		}
	}
	return found
}

// missingSyntax warns about a spec that buildx takes for a Dockerfile. A spec that others extend
// needs no such line.
func missingSyntax(s subject) specs.Diagnostics {
	for _, src := range s.plan.Origin.Sources {
		if src.Depth > 0 || hasSyntax(src.Data) {
			continue
		}
		top := specs.Position{Line: 1, Column: 1}
		return specs.Diagnostics{{
			Rule: rules.MissingSyntax, Range: specs.Range{Source: src, Start: top, End: top},
			Message: "docker buildx build takes this file for a Dockerfile",
			Hint:    fmt.Sprintf("write # syntax=ghcr.io/flavorkit/frontend:%d into the first line", specs.LanguageVersion),
		}}
	}
	return nil
}

// hasSyntax reports whether BuildKit finds a frontend in a YAML file. Only directives, and a line for
// the kernel (#!), may stand before the syntax line (parser.DetectSyntax of BuildKit, which is not a
// stable API).
func hasSyntax(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(data, []byte("#!")) {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	for line := range bytes.Lines(data) {
		match := directive.FindSubmatch(bytes.TrimRight(line, "\r\n"))
		if match == nil {
			return false
		}
		if strings.EqualFold(string(match[1]), "syntax") {
			return true
		}
	}
	return false
}

var directive = regexp.MustCompile(`(?i)^#\s*(syntax|escape|check)\s*=\s*\S`)

// unpinnedImage warns about images of the spec. Those of the catalog change with its releases.
func unpinnedImage(s subject) specs.Diagnostics {
	images := map[key.Key]string{}
	if _, set := s.plan.Origin.Places[key.DistroBase]; set {
		images[key.DistroBase] = s.plan.Userland.Base
	}
	if source := s.plan.Source; source != nil {
		images[key.SourceImage] = source.Image
	}
	if own := s.plan.Kernel.Own; own != nil {
		images[key.KernelImage] = own.Image
	}
	for _, c := range s.plan.AllComponents() {
		images[key.Components.Entry(c.Name).Entry("image")] = c.Image
	}
	for i, l := range s.plan.Layers {
		images[key.Layers.Item(i).Entry("image")] = l.Image
	}
	for i, image := range s.plan.Preloaded {
		images[key.Images.Item(i)] = image.Image
	}
	var found specs.Diagnostics
	for k, ref := range images {
		if ref != "" && !strings.Contains(ref, "@") {
			found = append(found, s.plan.Origin.Diagnose(rules.UnpinnedImage, k, "add its digest, such as "+ref+"@sha256:…",
				"the registry can change the image %s, and with it the system", ref))
		}
	}
	return found.Sorted()
}
