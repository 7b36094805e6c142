package distro

import (
	"encoding/xml"
	"net/url"
	"path"
	"strings"

	"github.com/pkg/errors"
)

// downloaded is an archive that a package manager has downloaded and verified for a lock.
type downloaded struct {
	Package
	// file is the path that the package manager has it by.
	file string
}

// locate adds addresses and checksums to packages, from a list with a downloaded archive a line:
// checksum, name, version, architecture and path, with tabs between. There may be archives of other
// versions among them. address completes what the list tells.
func (r *Resolution) locate(list string, address func(d *downloaded)) error {
	all := map[string][]downloaded{}
	for line := range strings.Lines(list) {
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(field) != 5 {
			return errors.Errorf("%q is no archive", line)
		}
		d := downloaded{Package{SHA256: field[0], Name: field[1], Version: strings.TrimPrefix(field[2], "0:"), Arch: field[3]}, field[4]}
		if address(&d); d.URL != "" {
			all[d.id()] = append(all[d.id()], d)
		}
	}
	for i, p := range r.Packages {
		for _, d := range all[p.id()] {
			// Two repositories may have archives of the same name and version.
			if r.Packages[i].URL == "" || d.Repository == p.Repository {
				r.Packages[i].URL, r.Packages[i].SHA256 = d.URL, d.SHA256
			}
		}
	}
	return nil
}

func (p Package) id() string { return p.Name + " " + p.Version + " " + p.Arch }

// apkAddress has the archive of a package in the repository, by name and version (apk-package(5)).
func apkAddress(packages []Package) func(d *downloaded) {
	return func(d *downloaded) {
		for _, p := range packages {
			if p.Name == d.Name && p.Version == d.Version && strings.Contains(p.Repository, "://") {
				d.Repository, d.Arch = p.Repository, p.Arch
				d.URL = strings.TrimSuffix(p.Repository, "/") + "/" + p.Arch + "/" + apkFile(p.Name, p.Version)
			}
		}
	}
}

// apkFile is the name of an archive in a repository.
func apkFile(name, version string) string { return name + "-" + version + ".apk" }

// dnfAddress reads a list of repositories with addresses of archives. dnf has an archive in
// REPOSITORY-HASH/packages, by the last part of its address.
func dnfAddress(list string) func(d *downloaded) {
	urls := map[string]string{}
	for line := range strings.Lines(list) {
		repository, address, _ := strings.Cut(strings.TrimSpace(line), "\t")
		urls[repository+" "+path.Base(address)] = address
	}
	return func(d *downloaded) {
		dir, _, _ := strings.Cut(d.file, "/")
		d.Repository = dir[:max(0, strings.LastIndex(dir, "-"))]
		d.URL = urls[d.Repository+" "+path.Base(d.file)]
	}
}

// zypperAddress reads the list of repositories. zypper has an archive in ALIAS, by its path in the
// repository.
func zypperAddress(text string) (func(d *downloaded), error) {
	var list struct {
		Repositories []struct {
			Alias string `xml:"alias,attr"`
			URL   string `xml:"url"`
		} `xml:"repo-list>repo"`
	}
	if text != "" {
		if err := xml.Unmarshal([]byte(text), &list); err != nil {
			return nil, errors.Wrap(err, "read the list of repositories")
		}
	}
	bases := map[string]*url.URL{}
	for _, r := range list.Repositories {
		base, err := url.Parse(strings.TrimSpace(r.URL))
		if err != nil {
			return nil, errors.Wrapf(err, "read the address of the repository %s", r.Alias)
		}
		base.RawQuery = "" // options of zypper
		bases[r.Alias] = base
	}
	return func(d *downloaded) {
		repository, file, _ := strings.Cut(d.file, "/")
		if base := bases[repository]; base != nil && base.Host != "" {
			d.Repository, d.URL = repository, base.JoinPath(file).String()
		}
	}, nil
}
