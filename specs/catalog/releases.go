package catalog

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
)

// Releases is where the publisher of a component or distribution lists its releases.
type Releases struct {
	// Format of the list, one of ReleaseFormats.
	Format string `yaml:"format"`
	// URL of the list.
	URL string `yaml:"url"`
	// Channel is the one to follow, if the list has channels.
	Channel string `yaml:"channel"`
	// Prefix is what the catalog writes before the publisher's names, such as leap-.
	Prefix string `yaml:"prefix"`
}

// Formats of lists of releases.
const (
	// ReleasesGitHub is a page of releases of GitHub's REST API, the newest first.
	ReleasesGitHub = "github"
	// ReleasesChannels is the answer of Rancher's channel server: the newest release of each channel.
	ReleasesChannels = "channels"
	// ReleasesEndOfLife is a product of the API of endoflife.date, version 1.
	ReleasesEndOfLife = "endoflife"
)

// ReleaseFormats returns the formats of lists of releases.
func ReleaseFormats() []string {
	return []string{ReleasesGitHub, ReleasesChannels, ReleasesEndOfLife}
}

func (p *Releases) validate(r record) {
	if p == nil {
		return
	}
	r.oneOf(keys{"releases", "format"}, p.Format, ReleaseFormats())
	if u, err := url.Parse(p.URL); err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
		r.wrong(keys{"releases", "url"}, "", "%q is not the URL of a web server", p.URL)
	}
	switch {
	case p.Format == ReleasesChannels && p.Channel == "":
		r.wrong(keys{"releases"}, "name the channel to follow, such as latest", "has no channel")
	case p.Format != ReleasesChannels && p.Channel != "":
		r.wrong(keys{"releases", "channel"}, "remove it", "a list of the format %s has no channels", p.Format)
	}
}

// Published is a version in the catalog that its publisher may have a newer one of.
type Published struct {
	// Kind is component or distribution.
	Kind string
	// Name of the component, or of the flavor of the distribution, such as debian.
	Name string
	// Versions that the catalog has, the newest first. A component has one.
	Versions []string
	// Releases is where to look; nil when nothing is recorded.
	Releases *Releases
	// Key and Range are where the version is written, or the newest release.
	Key   string
	Range specs.Range
}

// Published returns all versions in the catalog that have publishers: components, and then
// distributions, of which those of one flavor are together.
func (c *Catalog) Published() []Published {
	var all []Published
	add := func(kind, name, version, file, key string, releases *Releases) {
		at := keys{key}
		all = append(all, Published{kind, name, []string{version}, releases, at.String(), c.at(file, at)})
	}
	for _, name := range Names(c.Components) {
		if c.Components[name].Follows != "" {
			continue
		}
		add("component", name, c.Components[name].Version, "components/"+name, "version", c.Components[name].Releases)
	}
	flavors := map[string]int{} // places in all
	distros := Names(c.Distros)
	slices.SortStableFunc(distros, func(a, b string) int { return CompareVersions(c.Distros[b].Release, c.Distros[a].Release) })
	slices.SortStableFunc(distros, func(a, b string) int { return strings.Compare(c.Distros[a].Flavor, c.Distros[b].Flavor) })
	for _, name := range distros {
		d := c.Distros[name]
		if place, ok := flavors[d.Flavor]; ok {
			all[place].Versions = append(all[place].Versions, d.Release)
			continue
		}
		flavors[d.Flavor] = len(all)
		add("distribution", d.Flavor, d.Release, "distros/"+name, "release", c.releases(d))
	}
	return all
}

// releases is the list of a distribution, unless it is only that of a distribution with another
// flavor, which the record is like.
func (c *Catalog) releases(d *Distro) *Releases {
	base := c.Distros[d.Like]
	switch {
	case base == nil, base == d, d.Releases == nil, base.Releases == nil, *base.Releases != *d.Releases:
		return d.Releases
	case base.Flavor != d.Flavor:
		return nil
	default:
		return c.releases(base)
	}
}

var versionParts = regexp.MustCompile(`[0-9]+|[^0-9]+`)

// CompareVersions compares versions as people read them, such as v1.36.10+k3s1 and 26.04: numbers
// as numbers, and the rest as text. It does not know pre-releases.
func CompareVersions(a, b string) int {
	return slices.CompareFunc(versionParts.FindAllString(a, -1), versionParts.FindAllString(b, -1), func(a, b string) int {
		n, aErr := strconv.ParseUint(a, 10, 64)
		m, bErr := strconv.ParseUint(b, 10, 64)
		if aErr == nil && bErr == nil {
			return cmp.Compare(n, m)
		}
		return strings.Compare(a, b)
	})
}

// OlderThan is true for an older release of the same distribution. It compares the numbers in the
// names of releases, such as 22.04 or leap-15.6.
func (d *Distro) OlderThan(other *Distro) bool {
	numbers := func(release string) (all []int) {
		for _, text := range strings.FieldsFunc(release, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.Atoi(text) // digits
			all = append(all, n)
		}
		return all
	}
	return d.Flavor == other.Flavor && slices.Compare(numbers(d.Release), numbers(other.Release)) < 0
}
