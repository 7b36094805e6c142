package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/pkg/errors"
	"github.com/spf13/pflag"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// targetNames lists the targets for help texts.
func targetNames() string {
	names := frontend.TargetNames(nil)
	names[0] += " (default)"
	return strings.Join(names, ", ")
}

// targetList describes the targets, a line each.
func targetList() string {
	var list strings.Builder
	for _, t := range frontend.Targets() {
		fmt.Fprintf(&list, "  %-10s %s\n", t.Name, t.Description)
	}
	return strings.TrimSuffix(list.String(), "\n")
}

// findTarget finds a target, in a flag.
func findTarget(name string) (frontend.Target, error) {
	t, err := frontend.TargetByName(name)
	if err != nil {
		return t, &usageError{err}
	}
	return t, nil
}

// findArch finds an architecture, in a flag.
func findArch(cat *catalog.Catalog, name string) (catalog.Arch, error) {
	if known, ok := cat.Archs[name]; ok {
		return *known, nil
	}
	return catalog.Arch{}, usagef("unknown architecture %q; %s", name, cat.ArchHint(name))
}

// checkPlatforms checks the platforms to build for. The frontend checks them again when the catalog
// is not a local directory.
func checkPlatforms(ctx context.Context, names []string, contexts map[string]string) error {
	cat, err := local.Catalog(ctx, local.Options{Contexts: contexts})
	if errors.Is(err, local.ErrNotLocal) {
		return nil
	}
	if err != nil {
		return frontend.Locate(err)
	}
	for _, name := range names {
		p, err := platforms.Parse(name)
		if err != nil || p.OS != "linux" || cat.Archs[p.Architecture] == nil {
			return usagef("unknown platform %q; valid: linux/%s", name, strings.Join(catalog.Names(cat.Archs), ", linux/"))
		}
	}
	return nil
}

// checkImage checks the name of an image, in a flag.
func checkImage(flag, name string) error {
	if _, err := reference.ParseNormalizedNamed(name); err != nil {
		return usagef("--%s %q is not the name of an image: %v", flag, name, err)
	}
	return nil
}

// checkRegistry checks the prefix of image names.
func checkRegistry(name string) error {
	if _, err := reference.ParseNormalizedNamed(name + "/image"); err != nil {
		return usagef("--registry %q is not one: %v; write it such as ghcr.io/acme", name, err)
	}
	return nil
}

// checkVersion checks a version by the rules for the version of a spec.
func checkVersion(ctx context.Context, version string) error {
	if version == "" {
		return nil
	}
	doc, err := specs.Load(ctx, &specs.Source{Name: "--version", Data: []byte("version: " + strconv.Quote(version))}, nil)
	if err == nil {
		err = doc.Err()
	}
	var mistakes specs.Diagnostics
	if errors.As(err, &mistakes) {
		return usagef("--version: %s; %s", mistakes[0].Message, mistakes[0].Hint)
	}
	return err
}

// pairsFlag is a flag that is repeated for each name=value. Values may contain commas, as paths do.
type pairsFlag struct{ pairs *map[string]string }

func (f pairsFlag) Set(s string) error {
	name, value, _ := strings.Cut(s, "=")
	if name == "" || value == "" {
		return errors.New("expected name=value")
	}
	if *f.pairs == nil {
		*f.pairs = map[string]string{}
	}
	(*f.pairs)[name] = value
	return nil
}

func (f pairsFlag) String() string { return "" }
func (f pairsFlag) Type() string   { return "name=value" }

// contextUsage is the help text of named contexts.
const contextUsage = "named context: name=directory, name=oci-layout://path:tag, name=docker-image://ref, or the URL of a git repository, a file or an archive"

// addContexts adds the flags for named contexts: --build-context, and --catalog as a short form for
// the context catalog.
func addContexts(flags *pflag.FlagSet, contexts *map[string]string, usage string) {
	flags.Var(pairsFlag{contexts}, "build-context", usage)
	flags.Var(catalogFlag{contexts}, "catalog", "directory of a catalog to lay over the built-in one, as --build-context "+catalog.ContextName+"=DIR")
}

// catalogFlag is a flag for one named context.
type catalogFlag struct{ contexts *map[string]string }

func (f catalogFlag) Set(s string) error {
	return pairsFlag{f.contexts}.Set(catalog.ContextName + "=" + s)
}
func (f catalogFlag) String() string { return "" }
func (f catalogFlag) Type() string   { return "directory" }

// pairs splits each key=value at the first =. alone returns the value of a key without one, or
// leaves it out.
func pairs(flag string, list []string, alone func(key string) (string, bool)) (map[string]string, error) {
	all := map[string]string{}
	for _, s := range list {
		key, value, ok := strings.Cut(s, "=")
		if key == "" {
			return nil, usagef("--%s %q has no name", flag, s)
		}
		if !ok {
			value, ok = alone(key)
		}
		if ok {
			all[key] = value
		}
	}
	return all, nil
}

// argFlags are the build arguments of a command line.
type argFlags struct {
	list []string
	// values by name, after read.
	values map[string]string
}

func (f *argFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.list, "build-arg", nil, "build argument, such as CHANNEL=edge; a name alone takes the value from the environment")
}

func (f *argFlags) read() (err error) {
	f.values, err = pairs("build-arg", f.list, os.LookupEnv)
	return err
}

// findSpec returns the build context and the path of the spec. arg is the argument of a command line: a
// directory with a spec in it, a spec, or nothing for the working directory. file is the spec that a
// flag names.
func findSpec(arg, file string) (dir, spec string, err error) {
	if file == "-" {
		return "", "", usagef("-f -: cannot read a spec from standard input; name a file")
	}
	dir = cmp.Or(arg, ".")
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() || err != nil && filepath.Ext(dir) == filepath.Ext(specs.DefaultName) {
		if file != "" {
			return "", "", usagef("%s is a file and not a build context, and there is a spec already", dir)
		}
		dir, file = filepath.Dir(dir), dir
	}
	if file == "" {
		file = filepath.Join(dir, specs.DefaultName)
	}
	switch info, err := os.Stat(file); {
	case err != nil:
		return "", "", errors.Errorf("no spec %s; create one with 'flavorkit init', or name yours with -f", file)
	case info.IsDir():
		return "", "", errors.Errorf("%s is a directory; name the spec in it", file)
	}
	return dir, file, nil
}

// first is the argument of a command that takes one or none.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// quote writes a word for a shell command line.
func quote(word string) string {
	if regexp.MustCompile(`^[\w@%+=:,./-]+$`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
