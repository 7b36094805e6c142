package solve

import (
	"fmt"
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

// Output is where a build goes. Files appear under their names only when they
// are whole: until Commit they are in a hidden folder beside their place.
type Output struct {
	Entry client.ExportEntry

	partial string            // hidden folder
	moves   map[string]string // name in the hidden folder → final path
	folder  string            // final folder, when the whole hidden folder moves
}

// OutputFolder exports the files of a result into a folder.
func OutputFolder(folder string) (*Output, error) {
	o := &Output{folder: folder}
	if err := o.open(folder); err != nil {
		return nil, err
	}
	o.Entry = client.ExportEntry{Type: client.ExporterLocal, OutputDir: o.partial}
	return o, nil
}

// OutputImage exports an image as an OCI archive.
func OutputImage(file string) (*Output, error) {
	return outputFile(client.ExporterOCI, file, rewriteTimes(map[string]string{}))
}

// ParseOutput reads an output as docker buildx build spells it: a folder, or
// type=…,dest=….
func ParseOutput(s string) (*Output, error) {
	if !strings.Contains(s, "=") {
		return OutputFolder(s)
	}
	fields, err := csvvalue.Fields(s, nil)
	if err != nil {
		return nil, errors.Wrapf(err, "read the output %q", s)
	}
	attrs := map[string]string{}
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return nil, errors.Errorf("output %q: %q is not key=value", s, field)
		}
		attrs[strings.ToLower(key)] = value
	}
	kind, dest := attrs["type"], attrs["dest"]
	if kind != client.ExporterLocal && kind != client.ExporterTar {
		rewriteTimes(attrs)
	}
	delete(attrs, "type")
	delete(attrs, "dest")
	needsDest := errors.Errorf("output %q: add dest=…", s)
	switch kind {
	case client.ExporterLocal:
		if dest == "" {
			return nil, needsDest
		}
		o, err := OutputFolder(dest)
		if err == nil {
			o.Entry.Attrs = attrs
		}
		return o, err
	case client.ExporterTar, client.ExporterOCI, client.ExporterDocker:
		if dest == "" {
			return nil, needsDest
		}
		if tar, err := strconv.ParseBool(attrs["tar"]); err == nil && !tar {
			o, err := OutputFolder(dest)
			if err == nil {
				o.Entry.Type, o.Entry.Attrs = kind, attrs
			}
			return o, err
		}
		return outputFile(kind, dest, attrs)
	case client.ExporterImage, "registry":
		if kind == "registry" {
			attrs["push"] = "true"
		}
		return &Output{Entry: client.ExportEntry{Type: client.ExporterImage, Attrs: attrs}}, nil
	default:
		return nil, errors.Errorf("output %q: the type is none of local, tar, oci, docker, image, registry", s)
	}
}

// rewriteTimes has an image exporter set the times of all files to the epoch at
// the most, so that equal builds give equal bytes, unless the user decides.
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
		return nil, errors.Errorf("%s is a folder; name a file in it", file)
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

// open makes the hidden folder. Those of builds that were killed are removed:
// their names hold the process that made them.
func (o *Output) open(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return errors.Wrap(err, "make the output folder")
	}
	stale, err := filepath.Glob(filepath.Join(folder, partialPrefix+"*"))
	if err != nil {
		return errors.Wrap(err, "look into the output folder")
	}
	for _, path := range stale {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(path), partialPrefix+"%d-", &pid); err == nil && !alive(pid) {
			_ = os.RemoveAll(path)
		}
	}
	o.partial, err = os.MkdirTemp(folder, fmt.Sprintf("%s%d-", partialPrefix, os.Getpid()))
	return errors.Wrap(err, "write to the output folder")
}

// Commit moves what was built to its place and returns the files.
func (o *Output) Commit() ([]string, error) {
	if o.partial == "" {
		return nil, nil
	}
	if o.folder != "" {
		entries, err := os.ReadDir(o.partial)
		if err != nil {
			return nil, errors.Wrap(err, "read what was built")
		}
		o.moves = map[string]string{}
		for _, e := range entries {
			o.moves[e.Name()] = filepath.Join(o.folder, e.Name())
		}
	}
	var files []string
	for _, name := range slices.Sorted(maps.Keys(o.moves)) {
		if err := move(filepath.Join(o.partial, name), o.moves[name]); err != nil {
			return nil, errors.Wrap(err, "move what was built to its place")
		}
		files = append(files, o.moves[name])
	}
	return files, o.Discard()
}

// move puts a file or folder in its place. A file replaces a former one, a
// folder is laid over a former one; what else is there stays.
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
		return errors.Errorf("%s is a folder", to)
	case source.IsDir():
		return errors.Errorf("%s is not a folder", to)
	}
	return os.Rename(from, to)
}

// Full tells whether the output has no space left. BuildKit's client does not
// say it: a folder that cannot be written ends the transfer with EOF.
func (o *Output) Full() bool {
	const least = 1 << 20
	bytes, ok := free(o.partial)
	return o.partial != "" && ok && bytes < least
}

// Discard removes what is not whole. It may be called after Commit.
func (o *Output) Discard() error {
	if o.partial == "" {
		return nil
	}
	return errors.Wrap(os.RemoveAll(o.partial), "remove a partial result")
}
