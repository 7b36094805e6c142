package built

import (
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/sbom"
)

// SBOM reads what the system in an image is made of: its packages, and the Go programs in the
// directories for programs. arch is the architecture as Go names it; empty means the only one.
func SBOM(file, arch string) (sbom.System, error) {
	dir, err := os.MkdirTemp("", "flavorkit-")
	if err != nil {
		return sbom.System{}, err
	}
	defer os.RemoveAll(dir)
	config, err := unpack(file, arch, dir, func(name string, head []byte) bool {
		return pkgdb.Wants(name) || string(head) == "\x7fELF" && forPrograms(path.Dir(name))
	})
	if err != nil {
		return sbom.System{}, err
	}
	found, err := pkgdb.Read(os.DirFS(dir), nil)
	if err != nil {
		return sbom.System{}, errors.Wrapf(err, "list the packages of the image %s", file)
	}
	programs, err := goPrograms(os.DirFS(dir))
	if err != nil {
		return sbom.System{}, errors.Wrapf(err, "look for programs in the image %s", file)
	}
	return sbom.System{
		Name:     strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".tar"), ".oci"),
		Version:  config.Config.Labels[ocispecs.AnnotationVersion],
		Created:  config.Created.Time,
		Stages:   []sbom.Stage{{Name: "userland", Found: found}},
		Programs: programs,
	}, nil
}

// forPrograms reports whether a directory is one for programs (Filesystem Hierarchy Standard).
func forPrograms(dir string) bool {
	return slices.Contains([]string{"bin", "sbin", "libexec"}, path.Base(dir))
}

// goPrograms are the programs that tell their Go modules.
func goPrograms(fsys fs.FS) (all []sbom.Program, err error) {
	err = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !forPrograms(path.Dir(name)) {
			return err
		}
		f, err := fsys.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		r, ok := f.(io.ReaderAt)
		if !ok {
			return nil
		}
		if main, modules, ok := sbom.ReadModules(r); ok {
			all = append(all, sbom.Program{Name: path.Base(name), Version: main.Version, Path: "/" + name, Go: main, Modules: modules})
		}
		return nil
	})
	return all, err
}
