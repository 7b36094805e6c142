package specs

import (
	"reflect"
	"slices"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// withSource are the keys that apply to a system that is a published image. All others say what a
// system is made of, which the image says.
func withSource() []string {
	return []string{
		"extends", "args", "name", "version", "source", "mirrors", "ca", "files", "layers", "cloudConfig", "cmdline", "artifacts", "test",
	}
}

// source checks a published image, and that no other key says what the system is made of.
func (v *validator) source(s SourceImage) {
	const at = "source"
	if !v.doc.Has(at) {
		return
	}
	if s.Image == "" {
		v.missing(rules.MissingValue, at, "give it one, such as image: quay.io/kairos/ubuntu:24.04-core-amd64-generic-v3.6.0", "has no image")
	}
	v.image(at+".image", s.Image, "write an image reference, such as quay.io/kairos/ubuntu:24.04-core-amd64-generic-v3.6.0")
	if v.doc.Has("distro") {
		v.report(rules.ConflictingValues, at, "keep one of them; a spec with a source extends no flavor", "there is a distribution, too")
		return // the flavor may set the others
	}
	if v.doc.Has("ca.image") {
		v.report(rules.InapplicableKey, "ca.image", "add the certificates to the image where it is built", "nothing is installed into a published image yet")
	}
	for field := range keyedFields(reflect.TypeFor[Spec]()) {
		name := yamlName(field)
		switch {
		case !v.doc.Has(name) || slices.Contains(withSource(), name):
		case name == "packages" || name == "repositories" || name == "extension" || name == "extensions":
			v.report(rules.InapplicableKey, name, "remove it, and use files or layers; or build the system from a distribution", "packages are not installed into a published image yet")
		default:
			v.report(rules.InapplicableKey, name, "remove it; with source, these apply: name, version, files, layers, cloudConfig, cmdline, artifacts, test", "the image of source says it")
		}
	}
	v.sourceFiles()
}

// linked are directories that are links on most distributions. The plan does not know those of an
// image, and a directory of a layer would replace the link.
func linked() []string { return []string{"/bin", "/lib", "/lib32", "/lib64", "/sbin"} }

// sourceFiles checks the paths of files on top of an image.
func (v *validator) sourceFiles() {
	for i, f := range v.doc.Spec.Files {
		if dir, ok := below(f.Path, linked()); ok {
			v.report(rules.InvalidPath, fileKey(i)+".path", "write /usr"+dir+" instead", "%s may be a link in the image", dir)
		}
	}
}
