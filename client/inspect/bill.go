package inspect

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan/sbom"
)

// Bill reads what a built system is made of: the packages of its userland, and the Go programs in the
// directories for programs. The system need not be Kairos. The name is as for Read. An empty
// architecture means that of the only image.
func Bill(ctx context.Context, name string, opt Options) (sbom.System, error) {
	opt.programs = true
	r, err := read(ctx, name, opt)
	if err != nil {
		return sbom.System{}, err
	}
	if r.System.notFound != nil {
		return sbom.System{}, errors.Wrapf(r.System.notFound, "list the packages of %s (%s)", name, r.Format)
	}
	bill := sbom.System{
		Name: systemName(name), Version: r.System.Release["KAIROS_VERSION"], Created: r.System.released,
		Stages:   []sbom.Stage{{Name: "userland", Found: r.System.found}},
		Programs: slices.SortedFunc(slices.Values(r.System.programs), func(a, b sbom.Program) int { return cmp.Compare(a.Path, b.Path) }),
	}
	if r.Image == nil {
		return bill, nil
	}
	platform, err := v1.ParsePlatform(r.Image.Platform)
	if err != nil {
		return sbom.System{}, errors.Wrapf(err, "read the platform of %s", name)
	}
	if arch := opt.Arch; arch != "" && platform.Architecture != arch {
		return sbom.System{}, errors.Errorf("%s has no image for %s; it has one for %s", name, arch, platform.Architecture)
	}
	bill.Version = cmp.Or(r.Image.Labels[ocispecs.AnnotationVersion], bill.Version)
	bill.Created = r.Image.Created
	return bill, nil
}

// systemName is the name of a system: that of its file without the format, or that of its image.
func systemName(name string) string {
	base := path.Base(name)
	for _, suffix := range []string{".zst", ".xz", ".tar", ".oci", ".iso", ".img", ".raw", ".squashfs"} {
		base = strings.TrimSuffix(base, suffix)
	}
	return base
}

// forPrograms reports whether a directory is one for programs (Filesystem Hierarchy Standard).
func forPrograms(dir string) bool {
	return slices.Contains([]string{"bin", "sbin", "libexec"}, path.Base(dir))
}

// readProgram reads the Go modules of a program, if it tells them.
func (c *collector) readProgram(name string, content io.Reader) error {
	const elf = "\x7fELF"
	head := make([]byte, len(elf))
	switch n, err := io.ReadFull(content, head); {
	case n < len(head) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return nil
	case err != nil:
		return err
	case string(head) != elf:
		return nil
	}
	// The linker's notes are at any place of a program, which may be large.
	f, err := os.CreateTemp("", "flavorkit-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(f, io.MultiReader(bytes.NewReader(head), content)); err != nil {
		return err
	}
	if main, modules, ok := sbom.ReadModules(f); ok {
		c.programs = append(c.programs, sbom.Program{Name: path.Base(name), Version: main.Version, Path: "/" + name, Go: main, Modules: modules})
	}
	return nil
}
