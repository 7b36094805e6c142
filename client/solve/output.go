package solve

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"
	"github.com/tonistiigi/go-csvvalue"
)

// Output receives the result of a build. Files appear when they are complete: until Commit, they
// are in a hidden directory next to their destination.
type Output struct {
	Entry client.ExportEntry

	partial string            // hidden directory
	letGo   io.Closer         // unlocks the hidden directory
	moves   map[string]string // name in the hidden directory → final path
	dir     string            // final directory, if the whole hidden directory moves
}

// OutputDir exports the files of a result into a directory.
func OutputDir(dir string) (*Output, error) {
	o := &Output{dir: dir}
	if err := o.open(dir); err != nil {
		return nil, err
	}
	o.Entry = client.ExportEntry{Type: client.ExporterLocal, OutputDir: o.partial}
	return o, nil
}

// OutputMade is for a file or directory that the client makes of a result. It is made at Partial, and the
// result is exported to a directory beside it.
func OutputMade(path string) (*Output, error) {
	o := &Output{moves: map[string]string{filepath.Base(path): path}}
	if err := o.open(filepath.Dir(path)); err != nil {
		return nil, err
	}
	o.Entry = client.ExportEntry{Type: client.ExporterLocal, OutputDir: filepath.Join(o.partial, ".result")}
	return o, nil
}

// Partial is where a file or directory is made.
func (o *Output) Partial() string {
	for name := range o.moves {
		return filepath.Join(o.partial, name)
	}
	return o.partial
}

// OutputImage exports an image as an OCI archive.
func OutputImage(file string) (*Output, error) {
	return outputFile(client.ExporterOCI, file, rewriteTimes(map[string]string{}))
}

// OutputRegistry pushes an image to the registry in its name.
func OutputRegistry(image string) *Output {
	attrs := rewriteTimes(map[string]string{"name": image, "push": "true"})
	return &Output{Entry: client.ExportEntry{Type: client.ExporterImage, Attrs: attrs}}
}

// Destination is a requested output that is not open yet.
type Destination struct {
	// Type is BuildKit's name of the exporter.
	Type string
	// Path of the directory or file; empty for an output without files.
	Path  string
	Attrs map[string]string
	// Plain is true if only a directory was given, so the target decides what is written to it.
	Plain bool
}

// ParseOutput parses an output as for docker buildx build: a directory, or type=…,dest=….
func ParseOutput(s string) (Destination, error) {
	switch {
	case s == "":
		return Destination{}, errors.New("an output is empty; name a directory")
	case !strings.Contains(s, "="):
		return Destination{Type: client.ExporterLocal, Path: s, Plain: true}, nil
	}
	fields, err := csvvalue.Fields(s, nil)
	if err != nil {
		return Destination{}, errors.Wrapf(err, "parse the output %q", s)
	}
	attrs := map[string]string{}
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return Destination{}, errors.Errorf("output %q: %q is not key=value", s, field)
		}
		attrs[strings.ToLower(key)] = value
	}
	d := Destination{Type: attrs["type"], Path: attrs["dest"], Attrs: attrs}
	delete(attrs, "type")
	delete(attrs, "dest")
	switch d.Type {
	case client.ExporterLocal, client.ExporterTar, client.ExporterOCI, client.ExporterDocker:
		if d.Path == "" {
			return Destination{}, errors.Errorf("output %q: add dest=…", s)
		}
	case "registry":
		attrs["push"] = "true"
		d.Type, d.Path = client.ExporterImage, ""
	case client.ExporterImage:
		d.Path = ""
	default:
		return Destination{}, errors.Errorf("output %q: the type is none of local, tar, oci, docker, image, registry", s)
	}
	if d.TakesName() {
		rewriteTimes(attrs)
	}
	return d, nil
}

// TakesName reports whether the output is an image, which has a name.
func (d Destination) TakesName() bool {
	return d.Type != client.ExporterLocal && d.Type != client.ExporterTar
}

// Open opens the output.
func (d Destination) Open() (*Output, error) {
	if d.Path == "" {
		return &Output{Entry: client.ExportEntry{Type: d.Type, Attrs: d.Attrs}}, nil
	}
	if !d.isDir() {
		return outputFile(d.Type, d.Path, d.Attrs)
	}
	o, err := OutputDir(d.Path)
	if err != nil {
		return nil, err
	}
	o.Entry.Type, o.Entry.Attrs = d.Type, d.Attrs
	return o, nil
}

func (d Destination) isDir() bool {
	tar, err := strconv.ParseBool(d.Attrs["tar"])
	return d.Type == client.ExporterLocal || err == nil && !tar
}

// Pushed are the names of the images that the output pushes to registries.
func (o *Output) Pushed() []string {
	if push, err := strconv.ParseBool(o.Entry.Attrs["push"]); err != nil || !push || o.Entry.Attrs["name"] == "" {
		return nil
	}
	return strings.Split(o.Entry.Attrs["name"], ",")
}

// rewriteTimes makes an image exporter limit the times of all files to the epoch, so that equal
// builds give equal bytes, unless the user has set the option.
func rewriteTimes(attrs map[string]string) map[string]string {
	const key = "rewrite-timestamp"
	// The two exclude each other (exporter/containerimage).
	if _, set := attrs[key]; !set && attrs["unpack"] != "true" {
		attrs[key] = "true"
	}
	return attrs
}

func outputFile(kind, file string, attrs map[string]string) (*Output, error) {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return nil, errors.Errorf("%s is a directory; name a file in it", file)
	}
	o := &Output{moves: map[string]string{filepath.Base(file): file}}
	if err := o.open(filepath.Dir(file)); err != nil {
		return nil, err
	}
	o.Entry = client.ExportEntry{Type: kind, Attrs: attrs, Output: func(map[string]string) (io.WriteCloser, error) {
		return os.Create(filepath.Join(o.partial, filepath.Base(file)))
	}}
	return o, nil
}

const partialPrefix = ".flavorkit-"

// open makes the hidden directory and locks it. It removes those of killed builds. Machines and
// containers may share the parent directory, so process ids are not reliable.
func (o *Output) open(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return errors.Wrap(err, "make the output directory")
	}
	hidden, err := filepath.Glob(filepath.Join(dir, partialPrefix+"partial-*"))
	if err != nil {
		return errors.Wrap(err, "read the output directory")
	}
	for _, path := range hidden {
		if abandoned(path) {
			_ = os.RemoveAll(path)
		}
	}
	for {
		partial, err := os.MkdirTemp(dir, partialPrefix+"partial-")
		if err != nil {
			return errors.Wrap(err, "write to the output directory")
		}
		// Another build may have removed it before it was locked.
		if letGo, ok := hold(partial); ok {
			o.partial, o.letGo = partial, letGo
			return nil
		}
	}
}

// Commit moves the result to its destination and returns the files.
func (o *Output) Commit() ([]string, error) {
	if o.partial == "" {
		return nil, nil
	}
	if o.dir != "" {
		entries, err := os.ReadDir(o.partial)
		if err != nil {
			return nil, errors.Wrap(err, "read the result")
		}
		o.moves = map[string]string{}
		for _, e := range entries {
			o.moves[e.Name()] = filepath.Join(o.dir, e.Name())
		}
	}
	var files []string
	for _, name := range slices.Sorted(maps.Keys(o.moves)) {
		if err := move(filepath.Join(o.partial, name), o.moves[name]); err != nil {
			return nil, errors.Wrap(err, "move the result to its destination")
		}
		files = append(files, o.moves[name])
	}
	return files, o.Discard()
}

// move moves a file or directory to its destination. A file replaces an existing file. A directory
// is merged into an existing directory, and other files there stay.
func move(from, to string) error {
	source, err := os.Lstat(from)
	if err != nil {
		return err
	}
	switch target, err := os.Lstat(to); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case target.IsDir() && source.IsDir():
		entries, err := os.ReadDir(from)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := move(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
				return err
			}
		}
		return nil
	case target.IsDir():
		return errors.Errorf("%s is a directory", to)
	case source.IsDir():
		return errors.Errorf("%s is not a directory", to)
	}
	return os.Rename(from, to)
}

// Full reports whether the output has no space left. BuildKit's client does not tell: if a
// directory cannot be written, the transfer ends with EOF.
func (o *Output) Full() bool {
	const least = 1 << 20
	bytes, ok := free(o.partial)
	return o.partial != "" && ok && bytes < least
}

// Discard removes incomplete files. It may be called after Commit.
func (o *Output) Discard() error {
	if o.partial == "" {
		return nil
	}
	err := os.RemoveAll(o.partial)
	_ = o.letGo.Close() // last, or another build would remove the directory too
	return errors.Wrap(err, "remove a partial result")
}
