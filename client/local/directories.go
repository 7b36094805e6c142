package local

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// ignoreFile lists the files of a directory that are not sent. For the build context, an ignore
// file next to the spec and named after it takes precedence.
const ignoreFile = dockerui.DefaultDockerignoreName

// specReader finds the specs that a spec extends.
type specReader struct {
	*catalog.Catalog
	dirs
}

// dirs reads a spec, the specs that it extends and its files from local directories.
type dirs struct{ options Options }

// File implements specs.Reader.
func (f dirs) File(_ context.Context, path string) ([]byte, error) {
	return f.options.readFile(filepath.Join(filepath.Dir(f.options.File), filepath.FromSlash(path)))
}

// ContextFile implements specs.Reader.
func (f dirs) ContextFile(ctx context.Context, name, path string) ([]byte, bool, error) {
	if name == "" {
		return nil, false, nil // Open has the build context for it
	}
	root, ok, err := f.Open(ctx, name)
	if err != nil || !ok {
		return nil, false, err
	}
	data, err := root.ReadFile(ctx, path)
	return data, true, err
}

// Open implements frontend.Contexts.
func (f dirs) Open(ctx context.Context, name string) (frontend.Dir, bool, error) {
	if name == "" {
		root := f.options.Context
		opened, err := f.options.open(root, f.options.File+ignoreFile, filepath.Join(root, ignoreFile))
		return opened, err == nil, err
	}
	root, ok, err := f.options.named(ctx, name)
	if err != nil || !ok {
		return nil, false, err
	}
	opened, err := f.options.open(root, filepath.Join(root, ignoreFile))
	return opened, err == nil, err
}

// ErrNotLocal means that a named context is not a directory.
var ErrNotLocal = errors.New("it is not a directory")

// Fetch gets the files of a named context that is no directory, such as a git repository.
type Fetch func(ctx context.Context, name, source string) (dir string, err error)

// named returns the directory of a named context.
func (o Options) named(ctx context.Context, name string) (root string, ok bool, err error) {
	root, ok = o.Contexts[name]
	switch {
	case !ok:
		return "", false, nil
	case strings.Contains(root, "://"), strings.HasPrefix(root, "git@"):
		if o.Fetch == nil {
			return "", false, errors.Wrapf(ErrNotLocal, "the named context %s is %s", name, root)
		}
		if root, err = o.Fetch(ctx, name, root); err != nil {
			return "", false, errors.Wrapf(err, "get the named context %s", name)
		}
	case !isDir(root):
		return "", false, errors.Errorf("there is no directory %s for the named context %s", root, name)
	}
	return root, true, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// dir is a local context without the ignored files.
type dir struct {
	root    string
	ignored *patternmatcher.PatternMatcher
	options Options
}

// open opens a directory. It uses the first ignore file that exists.
func (o Options) open(root string, ignoreFiles ...string) (dir, error) {
	if !isDir(root) {
		return dir{}, errors.Errorf("there is no directory %s", root)
	}
	var patterns []string
	for _, name := range ignoreFiles {
		data, err := o.readFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			patterns, err = ignorefile.ReadAll(bytes.NewReader(data))
		}
		if err != nil {
			return dir{}, errors.Wrapf(err, "read %s", name)
		}
		break
	}
	ignored, err := patternmatcher.New(patterns)
	return dir{root, ignored, o}, errors.Wrap(err, "read the ignore file")
}

// IsDir implements frontend.Dir.
func (f dir) IsDir(_ context.Context, name string) (bool, error) {
	file, info, err := f.open(name)
	if err != nil {
		return false, err
	}
	return info.IsDir(), file.Close()
}

// ReadFile implements frontend.Dir.
func (f dir) ReadFile(_ context.Context, name string) ([]byte, error) {
	file, _, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if text, ok := f.options.text(filepath.Join(f.root, filepath.FromSlash(name))); ok {
		return text, nil
	}
	return io.ReadAll(file)
}

// open opens a file that is not ignored. Links cannot leave the directory.
func (f dir) open(name string) (*os.File, fs.FileInfo, error) {
	file, err := os.OpenInRoot(f.root, filepath.FromSlash(name))
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	ignored := false
	if err == nil {
		ignored, err = f.ignored.MatchesOrParentMatches(name)
	}
	// An ignored directory may have files that are not ignored.
	if ignored && !(info.IsDir() && f.ignored.Exclusions()) {
		err = errors.Wrap(fs.ErrNotExist, name)
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
}
