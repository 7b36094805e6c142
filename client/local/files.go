package local

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
)

// readFile reads a file, as an editor has it.
func (o Options) readFile(name string) ([]byte, error) {
	if text, ok := o.text(name); ok {
		return text, nil
	}
	return os.ReadFile(name)
}

// text is what an editor holds of a file; ok is false when no editor has it.
func (o Options) text(name string) (text []byte, ok bool) {
	if len(o.Texts) == 0 {
		return nil, false
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, false
	}
	text, ok = o.Texts[abs]
	return text, ok
}

// Path returns where a source of a plan is. Its name in messages is relative to the directory of the
// spec, to the build context, or begins with the name of a named context. No source at all stands
// for the spec; ok is false when there is no such file, as for a built-in flavor.
func (o Options) Path(src *specs.Source) (file string, ok bool) {
	if src == nil {
		return o.File, true
	}
	if src.Builtin {
		return "", false
	}
	name := filepath.FromSlash(src.Name)
	candidates := []string{filepath.Join(filepath.Dir(o.File), name), filepath.Join(o.Context, name)}
	if context, rest, ok := strings.Cut(src.Name, "/"); ok && o.Contexts[context] != "" {
		candidates = append([]string{filepath.Join(o.Contexts[context], filepath.FromSlash(rest))}, candidates...)
	}
	if filepath.IsAbs(name) {
		candidates = []string{name}
	}
	for _, file := range candidates {
		if o.exists(file) {
			return file, true
		}
	}
	return "", false
}

func (o Options) exists(name string) bool {
	if _, ok := o.text(name); ok {
		return true
	}
	_, err := os.Stat(name)
	return err == nil
}
