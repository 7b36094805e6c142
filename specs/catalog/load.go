package catalog

import (
	"embed"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs"
)

//go:embed archs distros models components modules requirements tools flavors overlay
var builtin embed.FS

// ContextName is the named context with a catalog to lay over the built-in one.
const ContextName = "catalog"

const (
	overlayDir = "overlay"
	flavorDir  = "flavors"

	recordExt = ".yaml"
	flavorExt = ".spec"
)

// Directories returns the directories of a catalog. Nothing else of a layer is read.
func Directories() []string {
	return []string{"archs", "distros", "models", "components", "modules", "requirements", "tools", flavorDir, overlayDir}
}

// Layer is a directory with a catalog. Its records, flavors and overlay files replace those of
// lower layers with the same names.
type Layer struct {
	// Name is the prefix of file names in messages.
	Name string
	FS   fs.FS
	// Context is the named context that the layer is, if any, and then its name, too. Flavors take
	// their files from there, and those that they extend.
	Context string
	// Builtin is true for the layer that is part of flavorkit.
	Builtin bool
}

// Builtin returns the catalog that is part of flavorkit.
func Builtin() (*Catalog, error) {
	return Load(Layer{Name: "specs/catalog", FS: builtin, Builtin: true})
}

// Load reads a catalog from layers, the last on top. It returns mistakes as specs.Diagnostics; any
// other error means that a file could not be read.
func Load(layers ...Layer) (*Catalog, error) {
	l := &loader{
		layers:  layers,
		records: map[string][]*yaml.Node{},
		ranges:  map[*yaml.Node]specs.Range{},
		merged:  map[string]*yaml.Node{},
	}
	c, err := l.load()
	if err != nil {
		return nil, errors.Wrap(err, "read the catalog")
	}
	if len(l.found) == 0 {
		c.validate(l)
		for _, comp := range c.Components {
			if other, ok := c.Components[comp.Follows]; ok {
				comp.Version = other.Version
			}
		}
	}
	if err := l.found.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// With returns the catalog with another layer on top.
func (c *Catalog) With(layer Layer) (*Catalog, error) {
	return Load(append(slices.Clone(c.layers), layer)...)
}

type loader struct {
	layers []Layer
	// records are the nodes of each record, by file and from the lowest layer to the highest.
	records map[string][]*yaml.Node
	ranges  map[*yaml.Node]specs.Range
	// merged are the nodes of each record with those that it is like.
	merged map[string]*yaml.Node
	found  specs.Diagnostics
}

func (l *loader) load() (*Catalog, error) {
	c := &Catalog{layers: l.layers, flavors: map[string]specs.Source{}, overlays: Overlays{}}
	for _, layer := range l.layers {
		if err := l.checkLayer(layer); err != nil {
			return nil, err
		}
		if err := l.readFlavors(layer, c.flavors); err != nil {
			return nil, err
		}
		if err := l.readOverlays(layer, c.overlays); err != nil {
			return nil, err
		}
	}
	c.merged, c.ranges = l.merged, l.ranges
	for _, read := range []func() error{
		func() (err error) { c.Archs, err = readRecords[Arch](l, "archs"); return err },
		func() (err error) { c.Distros, err = readRecords[Distro](l, "distros"); return err },
		func() (err error) { c.Models, err = readRecords[Model](l, "models"); return err },
		func() (err error) { c.Components, err = readRecords[Component](l, "components"); return err },
		func() (err error) { c.Modules, err = readRecords[ModuleClass](l, "modules"); return err },
		func() (err error) { c.Requirements, err = readRecords[Requirements](l, "requirements"); return err },
		func() (err error) { c.Tools, err = readRecords[Toolbox](l, "tools"); return err },
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// checkLayer refuses a layer without any directory of a catalog.
func (l *loader) checkLayer(layer Layer) error {
	entries, err := fs.ReadDir(layer.FS, ".")
	if err != nil {
		return errors.Wrap(err, layer.Name)
	}
	for _, e := range entries {
		if e.IsDir() && slices.Contains(Directories(), e.Name()) {
			return nil
		}
	}
	return errors.Errorf("%s holds none of the directories %s", layer.Name, strings.Join(Directories(), ", "))
}

// readRecords reads the records of a directory from all layers.
func readRecords[T any](l *loader, dir string) (map[string]*T, error) {
	names := map[string]bool{}
	for _, layer := range l.layers {
		err := l.readFiles(layer, dir, recordExt, func(name string, src *specs.Source) {
			record, found := specs.ReadRecord(src, reflect.TypeFor[T](), likeKey)
			l.found = append(l.found, found...)
			if record.Root != nil {
				file := dir + "/" + name
				l.records[file] = append(l.records[file], record.Root)
				maps.Copy(l.ranges, record.Ranges)
				names[name] = true
			}
		})
		if err != nil {
			return nil, err
		}
	}
	records := map[string]*T{}
	for _, name := range Names(names) {
		node, ok := l.resolve(dir, name)
		if !ok {
			continue
		}
		l.merged[dir+"/"+name] = node
		records[name] = new(T)
		if err := specs.Decode(node, records[name]); err != nil {
			return nil, errors.Wrapf(err, "decode %s/%s%s", dir, name, recordExt)
		}
	}
	return records, nil
}

// readFlavors reads flavors. They are checked when a spec extends them.
func (l *loader) readFlavors(layer Layer, flavors map[string]specs.Source) error {
	return l.readFiles(layer, flavorDir, flavorExt, func(name string, src *specs.Source) {
		src.Flavor = name
		if src.Builtin {
			src.Name = "flavor " + name
		}
		flavors[name] = *src
	})
}

// readFiles calls do with every file of a directory, by name without extension.
func (l *loader) readFiles(layer Layer, dir, ext string, do func(name string, src *specs.Source)) error {
	return l.walk(layer, dir, func(file string, data []byte) {
		src := &specs.Source{Name: path.Join(layer.Name, file), Data: data, Context: layer.Context, Builtin: layer.Builtin}
		switch name := path.Base(file); {
		case path.Dir(file) != dir:
			l.refuse(src, "keep it in "+dir+" itself", "is in a directory of its own")
		case path.Ext(name) != ext:
			l.refuse(src, "call it "+strings.TrimSuffix(name, path.Ext(name))+ext, "does not end in %s", ext)
		default:
			do(strings.TrimSuffix(name, ext), src)
		}
	})
}

// maxFile is the maximum size of a catalog file in bytes.
const maxFile = 1 << 20

// walk calls do with every file below a path of a layer, if it exists.
func (l *loader) walk(layer Layer, dir string, do func(file string, data []byte)) error {
	entries, err := fs.ReadDir(layer.FS, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errors.Wrap(err, layer.Name)
	}
	for _, e := range entries {
		file := path.Join(dir, e.Name())
		src := &specs.Source{Name: path.Join(layer.Name, file)}
		info, err := e.Info()
		if err != nil {
			return errors.Wrap(err, layer.Name)
		}
		switch {
		case e.IsDir():
			if err := l.walk(layer, file, do); err != nil {
				return err
			}
		case !info.Mode().IsRegular():
			l.refuse(src, "put the file itself there", "is a link or another special file")
		case info.Size() > maxFile:
			l.refuse(src, "", "is larger than %d KiB", maxFile>>10)
		default:
			data, err := fs.ReadFile(layer.FS, file)
			if err != nil {
				return errors.Wrap(err, layer.Name)
			}
			do(file, data)
		}
	}
	return nil
}

// refuse reports a mistake in a whole file.
func (l *loader) refuse(src *specs.Source, hint, format string, args ...any) {
	l.found = append(l.found, diagnostic(specs.Range{Source: src}, "", hint, format, args...))
}
