package sbom

import (
	"strings"

	"github.com/package-url/packageurl-go"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
)

// Qualifiers of package URLs.
const (
	qualifierArch     = "arch"
	qualifierDistro   = "distro"
	qualifierEpoch    = "epoch"
	qualifierUpstream = "upstream"
)

// packageURL names a package everywhere (github.com/package-url/purl-spec). The qualifier upstream,
// which scanners for vulnerabilities know, is the source package.
func packageURL(in pkgdb.System, p pkgdb.Package) string {
	vendor, _, _ := strings.Cut(in.ID, "-") // such as opensuse-leap
	qualifiers := map[string]string{}
	set := func(key, value string) {
		if value != "" {
			qualifiers[key] = value
		}
	}
	version := p.Version
	if epoch, rest, ok := strings.Cut(version, ":"); ok && in.Type == packageurl.TypeRPM {
		version = rest
		set(qualifierEpoch, epoch)
	}
	set(qualifierArch, p.Arch)
	if in.ID != "" {
		set(qualifierDistro, strings.TrimSuffix(in.ID+"-"+in.Version, "-"))
	}
	switch {
	case in.Type == packageurl.TypeRPM && p.Source != "":
		set(qualifierUpstream, p.Source+"-"+p.SourceVersion+".src.rpm")
	case p.Source != p.Name && p.SourceVersion != p.Version:
		set(qualifierUpstream, p.Source+"@"+p.SourceVersion)
	case p.Source != p.Name:
		set(qualifierUpstream, p.Source)
	}
	return packageurl.NewPackageURL(in.Type, vendor, p.Name, version, packageurl.QualifiersFromMap(qualifiers), "").ToString()
}

func moduleURL(m Module) string {
	namespace, name := "", m.Path
	if at := strings.LastIndexByte(m.Path, '/'); at >= 0 {
		namespace, name = m.Path[:at], m.Path[at+1:]
	}
	return packageurl.NewPackageURL(packageurl.TypeGolang, namespace, name, m.Version, nil, "").ToString()
}

// parsePart reads what a package URL tells.
func parsePart(url string) (Part, error) {
	u, err := packageurl.FromString(url)
	if err != nil {
		return Part{}, errors.Wrapf(err, "read the package URL %q", url)
	}
	qualifiers := u.Qualifiers.Map()
	p := Part{URL: url, Type: u.Type, Name: u.Name, Version: u.Version, Arch: qualifiers[qualifierArch], Distro: qualifiers[qualifierDistro]}
	if u.Type == packageurl.TypeGolang && u.Namespace != "" {
		p.Name = u.Namespace + "/" + u.Name
	}
	epoch := ""
	if e := qualifiers[qualifierEpoch]; e != "" && e != "0" {
		epoch = e + ":"
	}
	p.Version = epoch + p.Version
	p.Source, p.SourceVersion = p.Name, p.Version
	switch upstream := qualifiers[qualifierUpstream]; {
	case upstream == "":
	case u.Type == packageurl.TypeRPM:
		name, version := pkgdb.SplitSource(upstream)
		p.Source = name
		if version != "" {
			p.SourceVersion = epoch + version
		}
	default:
		name, version, differs := strings.Cut(upstream, "@")
		p.Source = name
		if differs {
			p.SourceVersion = version
		}
	}
	return p, nil
}
