package starter

import (
	"context"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
)

// setting is a key of AuroraBoot's configuration.
type setting struct {
	key string
	// take translates a value; nil when nothing needs to be done.
	take func(a *auroraboot, line int, value string)
	// why says why a key has no counterpart. For a switch, it counts only when that is on.
	why string
}

// settings are those of AuroraBoot v0.2 to v0.26 (pkg/schema).
func settings() []setting {
	part := func(set func(*upstreamName, string)) func(*auroraboot, int, string) {
		return func(a *auroraboot, line int, value string) {
			set(&a.release, value)
			a.line = line
		}
	}
	target := func(a *auroraboot, name string) {
		if t, err := frontend.TargetByName(name[strings.LastIndex(name, ".")+1:]); err == nil {
			a.Target = t
			return
		}
		a.choose(configured(key.DiskCloudConfig))
	}
	disk := func(name, firmware string) setting {
		return setting{key: name, take: func(a *auroraboot, line int, value string) {
			if !on(value) {
				return
			}
			target(a, name)
			if firmware != "" {
				a.keep(line, name, func(s *specs.Spec) { s.Artifacts.Disk.Firmware = firmware })
			}
		}}
	}
	return []setting{
		{key: "flavor", take: part(func(u *upstreamName, v string) { u.flavor = v })},
		{key: "flavor_release", take: part(func(u *upstreamName, v string) { u.release = v })},
		{key: "variant", take: part(func(u *upstreamName, v string) { u.variant = v })},
		{key: "model", take: part(func(u *upstreamName, v string) { u.model = v })},
		{key: "platform", take: part(func(u *upstreamName, v string) { u.arch = v })},
		{key: "arch", take: part(func(u *upstreamName, v string) { u.arch = v })},
		{key: "artifact_version", take: func(a *auroraboot, line int, value string) { a.starter.readVersion(&a.release, value); a.line = line }},
		{key: "release_version", take: func(a *auroraboot, _ int, value string) { a.releaseVersion = value }},
		{key: "repository", why: "the spec makes the system from the distribution; no published file is downloaded"},
		{key: "container_image", take: func(a *auroraboot, line int, value string) { a.image, a.imageLine = value, line }},
		{key: "cloud_config", take: func(a *auroraboot, line int, value string) { a.config, a.configLine = value, line }},
		{key: "no_default_cloud_config"},
		{key: "disable_netboot"},
		{key: "disable_http_server"},
		{key: "disable_iso"},
		{key: "state_dir", why: "flavorkit build -o DIRECTORY"},
		{key: "listen_addr", why: "flavorkit serves nothing: put the files on a web server"},
		{key: "netboot_http_port", why: "flavorkit serves nothing: build the target netboot, and put the files on a web server"},
		{key: "netboot_listen_addr", why: "flavorkit serves nothing: build the target netboot, and put the files on a web server"},
		{key: "allow-insecure-registries", why: "registries are configured in BuildKit: " + pages + "mirrors.md"},
		{key: "insecure", why: "registries are configured in BuildKit: " + pages + "mirrors.md"},
		{key: "iso.name", take: func(a *auroraboot, line int, value string) {
			a.keep(line, "iso.name", func(s *specs.Spec) { s.Name = strings.ToLower(value) })
		}},
		{key: "iso.override_name", why: "the file is named after the system; the key name is the first part"},
		{key: "iso.include_date", why: "the name of the file has no date, so that the same build has the same name"},
		{key: "iso.label", take: func(a *auroraboot, line int, value string) {
			a.keep(line, "iso.label", func(s *specs.Spec) { s.Artifacts.ISO.Label = value })
		}},
		{key: "iso.data", why: "nothing is added to the medium but artifacts.iso.cloudConfig; add files to the system with files"},
		{key: "iso.overlay_iso", why: "nothing is added to the medium but artifacts.iso.cloudConfig; add files to the system with files"},
		{key: "iso.overlay_uefi", why: "the EFI partition of the medium is fixed"},
		{key: "iso.overlay_rootfs", take: func(a *auroraboot, line int, value string) {
			const overlay = "overlay"
			if a.keep(line, "iso.overlay_rootfs", func(s *specs.Spec) {
				s.Layers = append(slices.Clip(s.Layers), specs.Layer{Name: overlay, Context: overlay})
			}) {
				a.note(line, "iso.overlay_rootfs: pass the directory with --build-context %s=%s", overlay, short(value))
			}
		}},
		{key: "iso.extend-live-cmdline", why: "cmdline is for the live and the installed system"},
		{key: "iso.live_console", why: "the consoles are those of the architecture and the model; add others with cmdline"},
		{key: "netboot.cmdline", why: "cmdline is for every way to boot"},
		disk("disk.efi", ""),
		disk("disk.raw", ""),
		disk("disk.bios", "bios"),
		disk("disk.mbr", "bios"),
		disk("disk.gce", ""),
		disk("disk.vhd", ""),
		{key: "disk.maas", why: "no target makes an image for MAAS"},
		{key: "disk.partitions", why: "no target makes a file for each partition"},
		{key: "disk.size", take: func(a *auroraboot, line int, value string) {
			a.keep(line, "disk.size", func(s *specs.Spec) { s.Artifacts.Disk.Size = value + "MiB" })
		}},
		{key: "disk.state_size", why: "partitions have the size that the system needs"},
		{key: "disk.recovery_image_size", why: "partitions have the size that the system needs"},
		{key: "system.memory", why: "flavorkit boot has options for the VM"},
		{key: "system.cores", why: "flavorkit boot has options for the VM"},
		{key: "system.qemu_bin", why: "flavorkit boot has options for the VM"},
		{key: "system.kvm", why: "flavorkit boot has options for the VM"},
	}
}

func on(value string) bool { return strings.EqualFold(value, "true") }

// auroraboot is a translation of a configuration of AuroraBoot.
type auroraboot struct {
	translation
	release        upstreamName
	releaseVersion string
	// line is that of a part of the release.
	line       int
	image      string
	imageLine  int
	config     string
	configLine int
}

// FromAuroraBoot translates a configuration file of AuroraBoot. name is its name in messages.
func (s Starter) FromAuroraBoot(ctx context.Context, name string, data []byte) (*Draft, error) {
	root, err := mapping(data)
	if err != nil {
		return nil, errors.Wrapf(err, "read %s", name)
	}
	a := &auroraboot{translation: translation{Draft: s.draft(), ctx: ctx}}
	a.From = name
	a.choose(configured(key.ISOCloudConfig))
	values := flatten("", root)
	// The system comes first: the others change it.
	system := func(v value) bool { return !strings.Contains(v.key, ".") }
	for _, v := range values {
		if system(v) {
			a.set(v)
		}
	}
	if err := a.system(); err != nil {
		return nil, errors.Wrapf(err, "translate %s", name)
	}
	for _, v := range values {
		if !system(v) {
			a.set(v)
		}
	}
	a.cloudConfig()
	return a.Draft, a.finish()
}

// mapping reads a YAML file with one mapping.
func mapping(data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		return nil, err
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode && len(doc.Content) > 0 {
		root = doc.Content[0]
	}
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("it is not a mapping")
	}
	return root, nil
}

// value is a value of the configuration with its key, such as disk.size.
type value struct {
	key, text string
	line      int
}

func flatten(prefix string, n *yaml.Node) []value {
	var all []value
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i], n.Content[i+1]
		if v.Kind == yaml.MappingNode && prefix == "" {
			all = append(all, flatten(name.Value+".", v)...)
			continue
		}
		all = append(all, value{prefix + name.Value, v.Value, name.Line})
	}
	return all
}

// set translates one value.
func (a *auroraboot) set(v value) {
	at := slices.IndexFunc(settings(), func(s setting) bool { return s.key == v.key })
	if at < 0 {
		a.note(v.line, "%s is not a key of AuroraBoot", short(v.key))
		return
	}
	s := settings()[at]
	switch {
	case v.text == "" || strings.EqualFold(v.text, "false"):
	case s.why != "":
		a.note(v.line, "%s: %s", s.key, s.why)
	case s.take != nil:
		s.take(a, v.line, v.text)
	}
}

// system sets what the image or the release says.
func (a *auroraboot) system() error {
	if a.image != "" {
		image := imageOf(a.image)
		u, ok := a.starter.readImage(image)
		if !ok {
			u = a.release
		}
		if a.setPublished(a.imageLine, "container_image "+short(a.image), image, u) {
			return nil
		}
		a.release = u
	}
	if a.release.version == "" {
		a.release.version = a.releaseVersion
	}
	if !a.setUpstream(max(a.line, a.imageLine, 1), a.release) {
		var known []string
		for _, d := range a.starter.Catalog.Distros {
			known = append(known, d.Flavor)
		}
		slices.Sort(known)
		return errors.Errorf("line %d: no distribution of the catalog is called %q; %s", max(a.line, a.imageLine, 1), a.release.flavor, specs.Suggest(a.release.flavor, slices.Compact(known)))
	}
	return nil
}

// imageOf is the reference in a container_image, which may have a kind in front: docker: or oci:, also
// with //. Those of files and directories stay as they are.
func imageOf(text string) string {
	for _, kind := range []string{"docker:", "oci:"} {
		if ref, ok := strings.CutPrefix(text, kind); ok {
			return strings.TrimPrefix(ref, "//")
		}
	}
	return text
}

// cloudConfig adds the cloud-config for the target, if a machine would read it.
func (a *auroraboot) cloudConfig() {
	text := a.config
	if strings.TrimSpace(text) == "" {
		return
	}
	if strings.Contains(text, "[[[") {
		a.note(a.configLine, "cloud_config has a template, which is left as it is; fill it in")
	}
	src := &specs.Source{Name: ConfigName, Data: []byte(text)}
	read, err := specs.ReadCloudConfig(src)
	if err != nil {
		a.note(a.configLine, "cloud_config is left out: %s", mistake(err))
		return
	}
	if !read.Header {
		text = "#cloud-config\n" + text
	}
	a.setConfig(text)
}
