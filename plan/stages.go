package plan

import (
	"reflect"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Stage is a part of a build that takes packages of a distribution.
type Stage struct {
	// Name of the stage, such as userland.
	Name string
	// Install are the packages.
	Install Install
	// At is what a failure of the stage is about.
	At key.Key
	// Native tells that the stage runs on any builder; otherwise it needs the architecture of the
	// system.
	Native bool
	// Extract tells that files are taken out of the packages, which are for the architecture of the
	// system and are not installed.
	Extract bool
}

// extensionStage is the stage of an extension; those in a list have their names in the names of their
// stages, too. Their packages are looked up as if the system had none of them.
const extensionStage = "extension"

// stage is the name of the stage of an extension.
func (e Extension) stage() string {
	if e.Key() == key.Extension {
		return extensionStage
	}
	return extensionStage + "-" + e.Name
}

// Asked is the key of the spec that asks for a package of the stage; ok is false if none does, or if
// it is not a list of packages.
func (s Stage) Asked(spec specs.Spec, pkg string) (k key.Key, ok bool) {
	list, k := []string(nil), key.Key{}
	switch {
	case s.Name == "userland":
		list, k = spec.Packages.Add, key.PackagesAdd
	case strings.HasPrefix(s.Name, extensionStage):
		for _, p := range s.Install.Packages {
			list = append(list, p.String())
		}
		k = s.At.Packages()
	}
	at := slices.Index(list, pkg)
	return k.Item(at), at >= 0
}

// Stages are those of all artifacts, in the order of the layers. A stage that takes the same as one
// before it is left out.
func (p *Plan) Stages() []Stage {
	all := []Stage{
		{Name: "userland", Install: p.Userland.Install, At: key.Packages},
		// The initramfs is made in the stage of its kernel.
		{Name: "kernel", Install: p.Kernel.Install, At: key.Kernel},
	}
	if from := p.Userland.Loader.From; from != nil {
		all = append(all, Stage{Name: "loader", Install: *from, At: key.Distro})
	}
	if f := p.Disk.Firmware; f != nil {
		all = append(all, Stage{Name: "firmware", Install: f.Install, At: key.Model, Native: true, Extract: true})
	}
	for _, e := range p.Extensions {
		all = append(all, Stage{Name: e.stage(), Install: e.Install, At: e.Key()})
	}
	tools := func(name string, t Tools) {
		all = append(all, Stage{Name: name, Install: t.Install, At: key.Artifacts, Native: t.Native})
	}
	if p.Source != nil {
		tools("tools-source", p.Source.Tools)
	}
	tools("tools", p.ISO.Tools)
	tools("tools-disk", p.Disk.Tools)
	tools("tools-convert", p.Disk.Convert)
	if p.Test != nil {
		tools("tools-test", p.Test.Tools)
	}
	for _, e := range p.Extensions {
		tools("tools-extension", e.Tools)
	}
	var stages []Stage
	for _, s := range all {
		same := func(other Stage) bool {
			other.Name, other.At = s.Name, s.At
			return reflect.DeepEqual(s, other)
		}
		if len(s.Install.Packages) > 0 && !slices.ContainsFunc(stages, same) {
			stages = append(stages, s)
		}
	}
	return stages
}

// Image is a container image that a build starts from.
type Image struct {
	Name string
	// At is what a failure is about.
	At key.Key
	// Native tells that it is one for the builder; otherwise it is one for the system.
	Native bool
}

// BaseKey is the key of the image that the system is based on.
func (p *Plan) BaseKey() key.Key {
	if p.Source != nil {
		return key.Source
	}
	return key.Distro
}

// Images are those of all artifacts, each once.
func (p *Plan) Images() []Image {
	var all []Image
	add := func(name string, at key.Key, native bool) {
		same := func(img Image) bool { return img.Name == name && img.Native == native }
		if name != "" && !slices.ContainsFunc(all, same) {
			all = append(all, Image{name, at, native})
		}
	}
	add(p.Userland.Base, p.BaseKey(), false)
	for _, s := range p.Stages() {
		add(s.Install.Base, s.At, s.Native)
	}
	if own := p.Kernel.Own; own != nil {
		add(own.Image, key.KernelImage, false)
	}
	for _, c := range p.AllComponents() {
		add(c.Image, c.Key(), false)
	}
	for i, l := range p.Layers {
		add(l.Image, key.Layers.Item(i).Entry("image"), false)
	}
	for i, c := range p.Preloaded {
		add(c.Image, key.Images.Item(i), false)
	}
	add(p.ScriptImage, key.Distro, true)
	return all
}
