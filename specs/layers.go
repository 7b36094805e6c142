package specs

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// moduleDirs are the directories of kernel modules. They come with the kernel alone, else they
// would be of another one.
func moduleDirs() []string { return []string{"/lib/modules", "/usr/lib/modules"} }

// layers checks trees of images and named contexts. What is in them is checked when they are built.
func (v *validator) layers(all []Layer) {
	first := map[string]string{}
	for i, l := range all {
		at := fmt.Sprintf("layers[%d]", i)
		v.layer(at, l)
		if before, ok := first[l.Name]; ok && l.Name != "" {
			v.report(rules.DuplicateEntry, at+".name", "keep one of them", "duplicate entry %q, first in line %d", l.Name, v.doc.At(before).Start.Line)
		}
		first[l.Name] = at + ".name"
	}
}

func (v *validator) layer(at string, l Layer) {
	if l.Name == "" {
		v.missing(rules.MissingValue, at, "give it one, such as name: tools", "has no name")
	}
	v.match(at+".name", l.Name, namePattern, "use lower case letters and digits, with . _ or - between them")
	v.image(at+".image", l.Image, "write an image reference, such as ghcr.io/acme/tools:v1")
	v.image(at+".context", l.Context, "write the name of a named context, in the form of an image name")
	switch {
	case l.Image != "" && l.Context != "":
		v.report(rules.ConflictingValues, at, "keep one of them", "has both image and context")
	case l.Image == "" && l.Context == "":
		v.missing(rules.MissingValue, at, "give an image, or the name of a named context; for what is in the build context, use files", "has neither image nor context")
	}
	if l.Path != "" && (!isLocal(strings.TrimPrefix(l.Path, "/")) || strings.ContainsFunc(l.Path, unicode.IsControl)) {
		v.report(rules.InvalidPath, at+".path", "name a directory or file inside it", "%s is outside its source", quote(l.Path))
	}
	v.target(at+".to", l.To)
	v.match(at+".owner", l.Owner, ownerPattern, "write uid:gid in numbers, such as 0:0")
}

// target checks the path that a tree gets.
func (v *validator) target(key, to string) {
	if to == "" {
		return
	}
	if !path.IsAbs(to) || path.Clean(to) != to || strings.ContainsFunc(to, unicode.IsControl) {
		v.report(rules.InvalidPath, key, "write an absolute path without . and .. in it, such as /opt/acme", "%s is not a path in the root filesystem", quote(to))
		return
	}
	if dir, ok := below(to, volatile()); ok {
		v.report(rules.InvalidPath, key, "put the layer elsewhere", "%s is mounted over or emptied at boot", dir)
	}
	if dir, ok := below(to, moduleDirs()); ok {
		v.report(rules.InvalidPath, key, "choose a kernel and its modules with kernel.image or kernel.context", "%s has the modules of the kernel alone", dir)
	}
}
