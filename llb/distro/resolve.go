package distro

import (
	"cmp"
	"encoding/xml"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

var (
	// Inst NAME [OLD VERSION] (VERSION ORIGIN [ARCH]) [...]
	aptStep = regexp.MustCompile(`(?m)^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) (?:(.*) )?\[([^\]]+)\]\)`)
	// 'URI' FILE SIZE HASH
	aptURI    = regexp.MustCompile(`(?m)^'([^']+)' (\S+) (\d+)(?: SHA256:([0-9a-f]{64}))?`)
	aptAbsent = regexp.MustCompile(`(?m)^E: (?:Unable to locate package (\S+)|Version '[^']*' for '([^']+)' was not found|Package '([^']+)' has no installation candidate)$`)
	// NAME | VERSION | URL SUITE ...
	aptVersion = regexp.MustCompile(`(?m)^ *(\S+) \| +(\S+) \| +(\S+)`)
)

func readAPT(files map[string]string, asked []plan.Package) (*Resolution, error) {
	r := &Resolution{}
	type archive struct {
		Package
		listed bool
	}
	var order []string
	archives := map[string]archive{}
	for _, m := range aptURI.FindAllStringSubmatch(files["uris"], -1) {
		// A file is named NAME_VERSION_ARCH.deb, with an escaped colon.
		parts := strings.Split(strings.TrimSuffix(m[2], path.Ext(m[2])), "_")
		if len(parts) != 3 {
			return nil, errors.Errorf("%s is no name of an archive", m[2])
		}
		version, err := url.PathUnescape(parts[1])
		if err != nil {
			return nil, err
		}
		size, err := strconv.ParseInt(m[3], 10, 64)
		if err != nil {
			return nil, err
		}
		repository, _, pool := strings.Cut(m[1], "/pool/")
		if !pool {
			repository = strings.TrimSuffix(m[1][:strings.LastIndex(m[1], "/")], "/.")
		}
		p := Package{Name: parts[0], Version: version, Arch: parts[2], Size: size, Repository: repository}
		if m[4] != "" {
			p.URL, p.SHA256 = m[1], m[4]
		}
		id := p.Name + " " + version
		archives[id] = archive{Package: p}
		order = append(order, id)
	}
	for _, m := range aptStep.FindAllStringSubmatch(files["resolved"], -1) {
		name, _, _ := strings.Cut(m[1], ":") // another architecture than the system's
		id := name + " " + m[2]
		known, ok := archives[id]
		p := Package{Name: name, Version: m[2], Arch: m[4], Size: -1, Repository: m[3]}
		if ok {
			p.Size, p.Repository = known.Size, cmp.Or(m[3], known.Repository)
			p.URL, p.SHA256 = known.URL, known.SHA256
			known.listed = true
			archives[id] = known
		}
		r.Packages = append(r.Packages, p)
	}
	for _, id := range order {
		if !archives[id].listed {
			r.Packages = append(r.Packages, archives[id].Package)
		}
	}
	absent := map[string]bool{}
	for _, m := range aptAbsent.FindAllStringSubmatch(files["said"], -1) {
		absent[cmp.Or(m[1], m[2], m[3])] = true
	}
	versions, beside := map[string][]string{}, map[string][]string{}
	for _, m := range aptVersion.FindAllStringSubmatch(files["versions"], -1) {
		versions[m[1]] = append(versions[m[1]], m[2])
		beside[m[1]] = append(beside[m[1]], m[3])
	}
	r.Missing = missing(asked, func(p plan.Package) bool { return absent[p.Name] || absent[p.String()] }, versions, beside)
	r.Names = strings.Fields(files["names"])
	return r, nil
}

var (
	// (1/3) Installing NAME (VERSION)
	apkStep = regexp.MustCompile(`(?m)^\(\d+/\d+\) (?:Installing|Upgrading|Downgrading|Replacing|Reinstalling) (\S+) \((?:\S+ -> )?(\S+)\)`)
	// NAME (no such package): — and a version that is not there, with the world's constraint.
	apkAbsent = regexp.MustCompile(`(?m)^\s+(\S+) \(no such package\):|breaks: world\[([^\]]+)\]`)
	// NAME-VERSION: — masked in: @REPOSITORY, which is limited, and satisfies: world[NAME]
	apkMasked = regexp.MustCompile(`(?m)^\s+\S+:\n\s+masked in: (\S.*)\n\s+satisfies: world\[([^\]]+)\]`)
	// apkTag is that of a limited repository, before a version.
	apkTag = regexp.MustCompile(`@[^=<>~]+`)
)

func readAPK(files map[string]string, asked []plan.Package) (*Resolution, error) {
	r := &Resolution{}
	known, versions := map[string]Package{}, map[string][]string{}
	var p Package
	for line := range strings.Lines(files["index"] + "\n\n") {
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		switch field {
		case "P":
			p = Package{Name: value, Size: -1}
		case "V":
			p.Version = value
		case "A":
			p.Arch = value
		case "S":
			size, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return nil, err
			}
			p.Size = size
		case "":
			if p.Name != "" {
				known[p.Name+" "+p.Version] = p
				versions[p.Name] = append(versions[p.Name], p.Version)
				r.Names = append(r.Names, p.Name)
				p = Package{}
			}
		}
	}
	repositories := apkPolicy(files["policy"])
	for _, m := range apkStep.FindAllStringSubmatch(files["resolved"], -1) {
		id := m[1] + " " + m[2]
		p, ok := known[id]
		if !ok {
			p = Package{Name: m[1], Version: m[2], Size: -1}
		}
		p.Repository = repositories[id]
		r.Packages = append(r.Packages, p)
	}
	if err := r.locate(files["archives"], apkAddress(r.Packages)); err != nil {
		return nil, err
	}
	absent := map[string]bool{}
	for _, m := range apkAbsent.FindAllStringSubmatch(files["said"], -1) {
		absent[apkTag.ReplaceAllString(cmp.Or(m[1], m[2]), "")] = true
	}
	beside := map[string][]string{}
	for _, m := range apkMasked.FindAllStringSubmatch(files["said"], -1) {
		absent[m[2]] = true
		for _, tag := range strings.Fields(m[1]) {
			beside[m[2]] = append(beside[m[2]], strings.TrimPrefix(tag, "@"))
		}
	}
	r.Missing = missing(asked, func(p plan.Package) bool { return absent[p.Name] || absent[p.String()] }, versions, beside)
	return r, nil
}

// apkPolicy reads which repository has a name and a version: the first that is listed below them.
func apkPolicy(text string) map[string]string {
	repositories := map[string]string{}
	var name, version string
	for line := range strings.Lines(text) {
		word := strings.TrimSpace(line)
		switch indent := len(line) - len(strings.TrimLeft(line, " ")); {
		case indent == 0:
			name = strings.TrimSuffix(word, " policy:")
		case indent == 2:
			version = strings.TrimSuffix(word, ":")
		case word != "lib/apk/db/installed" && repositories[name+" "+version] == "":
			// @TAG URL for a limited repository
			repositories[name+" "+version] = word[strings.LastIndex(word, " ")+1:]
		}
	}
	return repositories
}

// dnfAbsent is what both dnf 4 and 5 say about each package that there is not, and what each says about
// one that only a limited repository has.
var dnfAbsent = regexp.MustCompile(`(?m)(?:No match for argument: |filtered out by exclude filtering for argument: |^Argument ')(\S+?)(?:' matches only excluded packages\.)?\s*$`)

func readDNF(files map[string]string, asked []plan.Package) (*Resolution, error) {
	r := &Resolution{}
	known, versions := map[string]Package{}, map[string][]string{}
	for line := range strings.Lines(files["available"]) {
		field := strings.Split(strings.TrimSpace(line), "\t")
		if len(field) != 5 {
			continue // dnf 4 ends each line twice
		}
		size, err := strconv.ParseInt(field[3], 10, 64)
		if err != nil {
			return nil, err
		}
		p := Package{Name: field[0], Version: strings.TrimPrefix(field[1], "0:"), Arch: field[2], Size: size, Repository: field[4]}
		known[p.Name+" "+p.Version+" "+p.Arch] = p
		versions[p.Name] = append(versions[p.Name], p.Version)
		r.Names = append(r.Names, p.Name)
	}
	r.Packages = dnfTable(files["resolved"], known)
	if err := r.locate(files["archives"], dnfAddress(files["urls"])); err != nil {
		return nil, err
	}
	absent := map[string]bool{}
	for _, m := range dnfAbsent.FindAllStringSubmatch(files["resolved"], -1) {
		absent[m[1]] = true
	}
	beside := map[string][]string{}
	for line := range strings.Lines(files["beside"]) {
		if name, repository, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			beside[name] = append(beside[name], repository)
		}
	}
	manager, _ := catalog.ManagerByName("dnf")
	r.Missing = missing(asked, func(p plan.Package) bool { return absent[manager.Package(p.Name, p.Version)] }, versions, beside)
	return r, nil
}

// dnfTable reads the table of a transaction: below a heading, a package a line, of name,
// architecture, version, repository and size, which dnf 4 breaks after a long name. What has been
// replaced is indented further.
func dnfTable(text string, known map[string]Package) []Package {
	var all []Package
	changes, name := false, ""
	for line := range strings.Lines(text) {
		word := strings.Fields(line)
		switch {
		case len(word) == 0:
			name = ""
		case !strings.HasPrefix(line, " "):
			heading := strings.TrimSpace(line)
			changes = strings.HasSuffix(heading, ":") && slices.ContainsFunc([]string{"Installing", "Upgrading", "Downgrading", "Reinstalling"},
				func(verb string) bool { return strings.HasPrefix(heading, verb) })
		case !changes:
		case len(word) == 1:
			name = word[0]
		case len(word) >= 4 && word[0] != "replacing":
			if name != "" {
				word, name = append([]string{name}, word...), ""
			}
			if len(word) < 5 {
				continue
			}
			version := strings.TrimPrefix(word[2], "0:")
			p, ok := known[word[0]+" "+version+" "+word[1]]
			if !ok {
				p = Package{Name: word[0], Version: version, Arch: word[1], Size: -1}
			}
			p.Repository = word[3]
			all = append(all, p)
		}
	}
	return all
}

// zypperAbsent is what zypper says about a package that there is not.
var zypperAbsent = regexp.MustCompile(`No provider of '([^']+)' found`)

// solvable is a package in the XML of zypper.
type solvable struct {
	Kind       string `xml:"type,attr"`
	Name       string `xml:"name,attr"`
	Edition    string `xml:"edition,attr"`
	Arch       string `xml:"arch,attr"`
	Repository string `xml:"repository,attr"`
}

func readZypper(files map[string]string, asked []plan.Package) (*Resolution, error) {
	r := &Resolution{}
	known, versions := map[string]solvable{}, map[string][]string{}
	if err := solvables(files["available"], func(_ string, s solvable) {
		known[s.Name+" "+s.Edition+" "+s.Arch] = s
		versions[s.Name] = append(versions[s.Name], s.Edition)
		r.Names = append(r.Names, s.Name)
	}, nil, nil); err != nil {
		return nil, err
	}
	absent := map[string]bool{}
	err := solvables(files["resolved"], func(section string, s solvable) {
		if strings.HasPrefix(section, "to-") && section != "to-remove" && s.Kind == "package" {
			r.Packages = append(r.Packages, Package{
				Name: s.Name, Version: s.Edition, Arch: s.Arch, Size: -1,
				Repository: cmp.Or(s.Repository, known[s.Name+" "+s.Edition+" "+s.Arch].Repository),
			})
		}
	}, func(message string) {
		for _, m := range zypperAbsent.FindAllStringSubmatch(message, -1) {
			absent[m[1]] = true
		}
	}, func(bytes int64) { r.Size = bytes })
	if err != nil {
		return nil, err
	}
	address, err := zypperAddress(files["repositories"])
	if err != nil {
		return nil, err
	}
	if err := r.locate(files["archives"], address); err != nil {
		return nil, err
	}
	beside := map[string][]string{}
	if err := solvables(files["beside"], func(_ string, s solvable) { beside[s.Name] = append(beside[s.Name], s.Repository) }, nil, nil); err != nil {
		return nil, err
	}
	r.Missing = missing(asked, func(p plan.Package) bool {
		return absent[p.String()] || p.Version != "" && absent[p.Name+" = "+p.Version]
	}, versions, beside)
	return r, nil
}

// solvables calls do with each package in the XML of zypper and the element around it, say with
// each message, and measure with the size of what would be fetched.
func solvables(text string, do func(section string, s solvable), say func(message string), measure func(bytes int64)) error {
	d := xml.NewDecoder(strings.NewReader(text))
	section := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case start.Name.Local == "solvable":
			var s solvable
			if err := d.DecodeElement(&s, &start); err != nil {
				return err
			}
			do(section, s)
		case start.Name.Local == "message" && say != nil:
			var m string
			if err := d.DecodeElement(&m, &start); err != nil {
				return err
			}
			say(m)
		default:
			section = start.Name.Local
			for _, attr := range start.Attr {
				if section == "install-summary" && attr.Name.Local == "download-size" && measure != nil {
					bytes, err := strconv.ParseInt(attr.Value, 10, 64)
					if err != nil {
						return err
					}
					measure(bytes)
				}
			}
		}
	}
}
