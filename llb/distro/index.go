package distro

import (
	"context"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
)

// Wanted is what somebody looks for in the repositories of a distribution.
type Wanted struct {
	// Names of packages.
	Names []string
	// Paths of files, with wildcards of the shell.
	Paths []string
}

// needles are the parts of paths that a line about a wanted file has: its last part, or, with
// wildcards, the longest text between them. Where directories are not merged, /usr is not in it.
func (w Wanted) needles() []string {
	var all []string
	for _, p := range w.Paths {
		needle := "/" + path.Base(p)
		if strings.ContainsAny(p, wildcards) {
			needle = ""
			for _, part := range strings.FieldsFunc(p, func(r rune) bool { return strings.ContainsRune(wildcards, r) }) {
				if merged.MatchString(strings.TrimPrefix(part, "/usr")) {
					part = strings.TrimPrefix(part, "/usr")
				}
				if len(part) > len(needle) {
					needle = part
				}
			}
		}
		all = append(all, needle)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// wildcards of the shell.
const wildcards = "*?[]"

// Look asks the repositories of a distribution what they have, at the mirrors of the plan. The state
// holds what the package manager says, for ReadIndex.
func Look(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, in plan.Install, w Wanted) (llb.State, error) {
	index, err := script(in.Manager + "-index")
	if err != nil {
		return llb.State{}, err
	}
	base, err := s.Image(ctx, in.Base)
	if err != nil {
		return llb.State{}, err
	}
	names := slices.Clone(w.Names)
	slices.Sort(names)
	env := environment(in)
	list(env, "FLAVORKIT_NEEDLE", w.needles())
	access, mounts, err := reach(ctx, g, p, in)
	if err != nil {
		return llb.State{}, err
	}
	maps.Copy(env, access)
	return s.Run(base, graph.Command{
		Title:   "look into the repositories",
		Script:  index,
		Args:    append([]string{"/out"}, slices.Compact(names)...),
		Env:     env,
		Network: true,
		Fresh:   true,
		Mounts:  append([]llb.RunOption{downloads(s, in, s.Platform().Architecture, "index")}, mounts...),
		Explain: func(code uint32) error { return explain(p, in, code) },
	}).AddMount("/out", llb.Scratch()), nil
}

// Installed lists the files of a system that packages were installed into, as far as somebody looks
// for them, in InstalledFiles.
func Installed(s graph.Stage, on llb.State, w Wanted) (llb.State, error) {
	text, err := scripts.ReadFile("installed.sh")
	if err != nil {
		return llb.State{}, err
	}
	env := map[string]string{}
	list(env, "FLAVORKIT_NEEDLE", w.needles())
	return s.Run(on, graph.Command{
		Title:  "list what was installed",
		Script: graph.Script{Name: "installed.sh", Text: text},
		Args:   []string{"/out/" + InstalledFiles},
		Env:    env,
	}).AddMount("/out", llb.Scratch()), nil
}

// InstalledFiles is the file that Installed writes.
const InstalledFiles = "installed"

// Coverage is which files the lists of an index have.
type Coverage string

const (
	// AllFiles of all packages.
	AllFiles Coverage = "all files"
	// Programs are those in directories called bin and sbin.
	Programs Coverage = "programs"
	// NoFiles are listed.
	NoFiles Coverage = "no files"
)

// Index is what the repositories of a distribution have.
type Index struct {
	// Names of packages, sorted.
	Names []string
	// Provides are the packages that stand behind a name which is none of them.
	Provides map[string][]string
	// Files by path, without the links of merged directories, with their packages as far as they
	// are known.
	Files    map[string][]string
	Coverage Coverage
	// Unread is why the lists of files cannot be read; empty when they can.
	Unread string
	// Tried tells that the files of a system with the packages are here, too.
	Tried bool
}

// AddInstalled adds the files of a system, which Installed has listed.
func (x *Index) AddInstalled(text string) {
	x.Tried = true
	for line := range strings.Lines(text) {
		x.file(strings.TrimSuffix(line, "\n"))
	}
}

// Has reports whether a package can be installed by a name.
func (x *Index) Has(name string) bool {
	_, found := slices.BinarySearch(x.Names, name)
	return found
}

// covers reports whether the lists have a file, if there is such a file.
func (x *Index) covers(file string) bool {
	if x.Coverage != Programs {
		return x.Coverage == AllFiles
	}
	dir := path.Base(path.Dir(file))
	return dir == "bin" || dir == "sbin"
}

// Match returns the files that fit a path with wildcards of the shell, sorted. listed is false when
// the lists do not have such files.
func (x *Index) Match(pattern string) (files []string, listed bool) {
	pattern = merge(pattern)
	for file := range x.Files {
		if ok, _ := path.Match(pattern, file); ok || file == pattern {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files, len(files) > 0 || x.covers(pattern)
}

// firmwareDirectory is where kernels look for firmware.
const firmwareDirectory = "/usr/lib/firmware/"

// FirmwarePath is a path that firmware has, for Wanted.
func FirmwarePath(pattern string) string { return firmwareDirectory + pattern }

// Firmware reports whether there is a file of firmware, compressed or not. A wildcard stands for
// directories as well, as in the check of the build (llb/compat).
func (x *Index) Firmware(pattern string) (found, listed bool) {
	expression := regexp.QuoteMeta(firmwareDirectory + pattern)
	expression = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(expression)
	fits := regexp.MustCompile("^" + expression + `(\.xz|\.zst)?$`)
	for file := range x.Files {
		if fits.MatchString(file) {
			return true, true
		}
	}
	return false, x.covers(firmwareDirectory + pattern)
}

// Elsewhere returns files with the last part of a path, in other directories.
func (x *Index) Elsewhere(file string) []string {
	var all []string
	for other := range x.Files {
		if path.Base(other) == path.Base(file) {
			all = append(all, other)
		}
	}
	slices.Sort(all)
	return all
}

// binDirectories are those in which commands are looked for.
func binDirectories() []string {
	return []string{"/usr/bin", "/usr/sbin", "/usr/lib/systemd", "/usr/local/bin", "/usr/local/sbin"}
}

// Command returns where a command is, sorted.
func (x *Index) Command(name string) (files []string, listed bool) {
	for _, dir := range binDirectories() {
		found, covered := x.Match(path.Join(dir, name))
		files, listed = append(files, found...), listed || covered
	}
	return files, listed
}

// merged is a directory that some distributions have below /usr, and others at the top.
var merged = regexp.MustCompile(`^/(bin|sbin|lib|lib64)/`)

// merge returns a path as distributions have it that have merged their directories into /usr.
func merge(file string) string { return merged.ReplaceAllString(path.Clean("/"+file), "/usr/$1/") }

// ReadIndex reads the answer of a package manager. open returns a file that the script has written,
// and nothing for one that it has not.
func ReadIndex(in plan.Install, open func(name string) ([]byte, error)) (*Index, error) {
	m, ok := managers()[in.Manager]
	if !ok {
		return nil, errors.Errorf("nothing reads the index of %q", in.Manager)
	}
	files := map[string]string{}
	for _, name := range m.index.files {
		data, err := open(name)
		if err != nil {
			return nil, errors.Wrapf(err, "read the index of %s", in.Manager)
		}
		files[name] = string(data)
	}
	x := &Index{Provides: map[string][]string{}, Files: map[string][]string{}}
	if err := m.index.read(x, files); err != nil {
		return nil, errors.Wrapf(err, "read the index of %s", in.Manager)
	}
	slices.Sort(x.Names)
	x.Names = slices.Compact(x.Names)
	if len(x.Names) == 0 {
		return nil, errors.Errorf("the index of %s has no packages", in.Manager)
	}
	for _, all := range []map[string][]string{x.Provides, x.Files} {
		for key := range maps.Keys(all) {
			slices.Sort(all[key])
			all[key] = slices.Compact(all[key])
		}
	}
	return x, nil
}

// indexReader reads what the script of a package manager has written to files.
type indexReader struct {
	files []string
	read  func(x *Index, files map[string]string) error
}

func (x *Index) file(file string, packages ...string) {
	file = merge(file)
	if x.Files[file] == nil {
		x.Files[file] = []string{}
	}
	x.Files[file] = append(x.Files[file], packages...)
}

func indexAPK(x *Index, files map[string]string) error {
	x.Coverage = NoFiles
	name := ""
	for line := range strings.Lines(files["index"]) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch field {
		case "P":
			name = value
			x.Names = append(x.Names, name)
		case "p":
			for _, what := range strings.Fields(value) {
				what, _, _ = strings.Cut(what, "=")
				if command, ok := strings.CutPrefix(what, "cmd:"); ok {
					// Where it is, the index does not tell.
					x.file("/usr/bin/"+command, name)
					x.Coverage = Programs
					continue
				}
				x.Provides[what] = append(x.Provides[what], name)
			}
		}
	}
	return nil
}

func indexAPT(x *Index, files map[string]string) error {
	x.Names = strings.Fields(files["names"])
	virtual, behind := "", false
	for line := range strings.Lines(files["provides"]) {
		line = strings.TrimSpace(line)
		name, isName := strings.CutPrefix(line, "Package: ")
		switch {
		case isName:
			virtual, behind = name, false
		case line == "Reverse Provides:":
			behind = true
		case behind && line != "":
			provider, _, _ := strings.Cut(line, " ")
			x.Provides[virtual] = append(x.Provides[virtual], provider)
		}
	}
	if x.Unread = strings.TrimSpace(files["unread"]); x.Unread != "" {
		x.Unread, _, _ = strings.Cut(x.Unread, "\n")
	}
	x.Coverage = AllFiles
	if x.Unread != "" || files["files"] == "" {
		x.Coverage = NoFiles
	}
	for line := range strings.Lines(files["files"]) {
		// PATH SECTION/PACKAGE,…
		line = strings.TrimSpace(line)
		at := strings.LastIndexAny(line, " \t")
		if at < 0 {
			continue
		}
		for location := range strings.SplitSeq(line[at+1:], ",") {
			x.file(strings.TrimSpace(line[:at]), path.Base(location))
		}
	}
	return nil
}

func indexDNF(x *Index, files map[string]string) error {
	x.Names = strings.Fields(files["names"])
	x.Coverage = AllFiles
	for line := range strings.Lines(files["provides"]) {
		if what, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			x.Provides[what] = append(x.Provides[what], name)
		}
	}
	for line := range strings.Lines(files["files"]) {
		x.file(strings.TrimSpace(line))
	}
	return nil
}

func indexZypper(x *Index, files map[string]string) error {
	x.Coverage = Programs
	err := solvables(files["available"], func(_ string, s solvable) { x.Names = append(x.Names, s.Name) }, nil, nil)
	if err != nil {
		return err
	}
	zypperMatches(files["provides"], "provides", func(name, what string) {
		what, _, _ = strings.Cut(what, " ")
		x.Provides[what] = append(x.Provides[what], name)
	})
	zypperMatches(files["files"], "filelist", func(name, file string) { x.file(file, name) })
	return nil
}

// zypperMatches calls do with what the table of a search says beside each package.
func zypperMatches(text, kind string, do func(name, what string)) {
	name := ""
	for line := range strings.Lines(text) {
		if cell := strings.Split(line, "|"); len(cell) >= 6 {
			name = strings.TrimSpace(cell[1])
		} else if what, ok := strings.CutPrefix(strings.TrimSpace(line), kind+":"); ok {
			do(name, strings.TrimSpace(what))
		}
	}
}
