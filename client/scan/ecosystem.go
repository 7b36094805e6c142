package scan

import (
	"strings"

	apk "github.com/knqyf263/go-apk-version"
	deb "github.com/knqyf263/go-deb-version"
	rpm "github.com/knqyf263/go-rpm-version"
	"github.com/package-url/packageurl-go"
	"github.com/pkg/errors"
	"golang.org/x/mod/semver"

	"github.com/flavorkit/flavorkit/plan/sbom"
)

// ecosystem is how records of OSV name the packages of a release (ossf.github.io/osv-schema,
// "Defined ecosystems").
type ecosystem struct {
	// names of the ecosystem, the usual one first.
	names   []string
	compare comparison
}

// comparison compares versions: -1 if a is older, 1 if it is newer.
type comparison func(a, b string) (int, error)

// distribution is a distribution whose packages OSV has.
type distribution struct {
	// id is ID of os-release(5).
	id string
	// names are the ecosystems of a release, by VERSION_ID.
	names   func(version string) []string
	compare comparison
}

func distributions() []distribution {
	return []distribution{
		{"debian", func(v string) []string { return []string{"Debian:" + v} }, compareDeb},
		{"ubuntu", func(v string) []string { return []string{"Ubuntu:" + v + ":LTS", "Ubuntu:" + v} }, compareDeb},
		{"alpine", func(v string) []string { return []string{"Alpine:v" + minor(v)} }, compareApk},
		{"opensuse-leap", func(v string) []string { return []string{"openSUSE:Leap " + v} }, compareRPM},
		{"opensuse-leap-micro", func(v string) []string { return []string{"openSUSE:Leap Micro " + v} }, compareRPM},
		{"opensuse-tumbleweed", func(string) []string { return []string{"openSUSE:Tumbleweed"} }, compareRPM},
		{"sles", func(v string) []string {
			release := strings.Replace(v, ".", " SP", 1)
			if strings.HasPrefix(v, "16.") {
				release = v // which has no service packs
			}
			return []string{"SUSE:Linux Enterprise Server " + release, "SUSE:Linux Enterprise Module for Basesystem " + release}
		}, compareRPM},
	}
}

// minor is a version without what comes after the second number.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// ecosystemOf returns the ecosystem that a part of a system belongs to.
func ecosystemOf(p sbom.Part) (ecosystem, bool) {
	if p.Type == packageurl.TypeGolang {
		return ecosystem{[]string{ecosystemGo}, compareGo}, true
	}
	at := strings.LastIndexByte(p.Distro, '-')
	if at < 0 {
		return ecosystem{}, false
	}
	for _, d := range distributions() {
		if d.id == p.Distro[:at] {
			return ecosystem{d.names(p.Distro[at+1:]), d.compare}, true
		}
	}
	return ecosystem{}, false
}

// identity is the name and the version that records have for a part: those of the source package.
func (e ecosystem) identity(p sbom.Part) (name, version string) {
	// Signed kernels are built from a package of their own. Its versions are others, and records have
	// those of the kernel, which the signed kernel has, too.
	if rest, ok := strings.CutPrefix(p.Source, "linux-signed"); ok && p.Type == packageurl.TypeDebian {
		switch rest {
		case "-amd64", "-arm64", "-i386":
			rest = ""
		}
		return "linux" + rest, p.Version
	}
	return p.Source, p.SourceVersion
}

const ecosystemGo = "Go"

// compareGo compares versions of Go modules, with and without a leading v.
func compareGo(a, b string) (int, error) {
	va, vb := "v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")
	for _, v := range []string{va, vb} {
		if !semver.IsValid(v) {
			return 0, errors.Errorf("%q is no semantic version", v[1:])
		}
	}
	return semver.Compare(va, vb), nil
}

// compareDeb compares versions as dpkg does (deb-version(7)).
func compareDeb(a, b string) (int, error) {
	va, err := deb.NewVersion(a)
	if err != nil {
		return 0, errors.Wrapf(err, "compare the version %q", a)
	}
	vb, err := deb.NewVersion(b)
	if err != nil {
		return 0, errors.Wrapf(err, "compare the version %q", b)
	}
	return va.Compare(vb), nil
}

// compareApk compares versions as apk-tools 2 does (its src/version.c).
func compareApk(a, b string) (int, error) {
	va, err := apk.NewVersion(a)
	if err != nil {
		return 0, errors.Wrapf(err, "compare the version %q", a)
	}
	vb, err := apk.NewVersion(b)
	if err != nil {
		return 0, errors.Wrapf(err, "compare the version %q", b)
	}
	return va.Compare(vb), nil
}

// compareRPM compares versions as rpm does (rpm-version(7)).
func compareRPM(a, b string) (int, error) { return rpm.NewVersion(a).Compare(rpm.NewVersion(b)), nil }
