package inspect

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

// source is a built system that has been found.
type source struct {
	// path of a file or a directory, or the name of an image.
	path   string
	format string
	read   reader
	// open is nil for what is not an image.
	open imageOpener
}

// reader reads a source.
type reader func(ctx context.Context, path string, opt Options) (*Report, error)

// imageOpener opens an image. The closer ends what the image is read from.
type imageOpener func(ctx context.Context, path string, opt Options) (*Published, io.Closer, error)

// Prefixes of names, as for docker buildx build --build-context.
const (
	layoutPrefix   = "oci-layout://"
	registryPrefix = "docker-image://"
)

// registryFormat is the format of what is found by name only.
const registryFormat = "image in a registry"

// IsBuilt reports whether a name leads to a built system, or looks like one that is missing. Anything
// else is a spec or a directory with one.
func IsBuilt(name string) bool {
	info, err := os.Stat(name)
	switch {
	case strings.HasPrefix(name, layoutPrefix), strings.HasPrefix(name, registryPrefix):
		return true
	case err != nil:
		return artifactName(name) || imageName(name)
	case info.IsDir():
		_, spec := os.Stat(filepath.Join(name, specs.DefaultName))
		_, ok := directoryFormat(name)
		return ok && spec != nil
	}
	// A spec is text.
	head, err := readHead(name)
	return err == nil && slices.Contains(head, 0)
}

// find finds out what a name leads to.
func find(name string) (source, error) {
	if path, ok := strings.CutPrefix(name, layoutPrefix); ok {
		return source{path, "OCI layout", readLayout, openLayout}, nil
	}
	if image, ok := strings.CutPrefix(name, registryPrefix); ok {
		return source{image, registryFormat, readRegistry, openRegistry}, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && imageName(name):
		return source{name, registryFormat, readRegistry, openRegistry}, nil
	case err != nil:
		return source{}, err
	case info.IsDir():
		if f, ok := directoryFormat(name); ok {
			return f.of(name), nil
		}
		return source{}, errors.Errorf("%s is a directory with neither an OCI layout nor a root filesystem; %s", name, list(name))
	}
	head, err := readHead(name)
	if err != nil {
		return source{}, err
	}
	f, ok := formatOf(head)
	switch {
	case ok && f.read == nil:
		return source{}, errors.Errorf("%s is %s; %s", name, f.name, f.hint)
	case ok:
		return f.of(name), nil
	}
	return source{}, errors.Errorf("%s is in no format that flavorkit can read: it is no OCI or Docker archive, ISO, disk or filesystem", name)
}

// format is a format of files or directories.
type format struct {
	name string
	// at and magic are bytes that every file of the format has.
	at    int
	magic string
	// read is nil for a format that must be converted first, as hint says.
	read reader
	hint string
	// open is nil for what is not an image.
	open imageOpener
	// packed is true for a compressed file.
	packed bool
}

// of is a source of the format.
func (f format) of(path string) source { return source{path, f.name, f.read, f.open} }

// formatOf finds the format of a file by its first bytes.
func formatOf(head []byte) (format, bool) {
	all := fileFormats()
	at := slices.IndexFunc(all, func(f format) bool { return f.matches(head) })
	if at < 0 {
		return format{}, false
	}
	return all[at], true
}

func (f format) matches(head []byte) bool {
	return len(head) >= f.at+len(f.magic) && string(head[f.at:f.at+len(f.magic)]) == f.magic
}

// fileFormats are the known formats, the most specific first: a hybrid ISO is also a disk.
func fileFormats() []format {
	const convert = "convert it first: qemu-img convert -O raw"
	return []format{
		{name: "ISO 9660", at: 32769, magic: "CD001", read: readISO},
		{name: "disk with a GPT", at: 512, magic: "EFI PART", read: readDisk},
		{name: "squashfs", magic: "hsqs", read: readFilesystem},
		{name: "ext filesystem", at: 1080, magic: "\x53\xef", read: readFilesystem},
		{name: "tar archive", at: 257, magic: "ustar", read: readArchive, open: openArchive},
		{name: "file compressed with zstd", magic: "\x28\xb5\x2f\xfd", read: readPacked(unzstd), packed: true},
		{name: "compressed with gzip", magic: "\x1f\x8b", hint: "unpack it first: gunzip -k"},
		{name: "file compressed with xz", magic: "\xfd7zXZ\x00", read: readPacked(unxz), packed: true},
		{name: "a disk in the format qcow2", magic: "QFI\xfb", hint: convert},
		{name: "a disk in the format VMDK", magic: "KDMV", hint: convert},
		{name: "disk with an MBR", at: 510, magic: "\x55\xaa", read: readDisk},
	}
}

// directoryFormat is the format of a directory.
func directoryFormat(dir string) (format, bool) {
	for _, f := range []struct {
		format
		has string
	}{
		{format{name: "OCI layout", read: readLayout, open: openLayout}, layoutIndex},
		{format{name: "directory", read: readDirectory}, "etc"},
	} {
		if _, err := os.Stat(filepath.Join(dir, f.has)); err == nil {
			return f.format, true
		}
	}
	return format{}, false
}

// readHead reads the first bytes of a file, with the marks of all formats.
func readHead(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 33<<10))
}

// artifactName reports whether a name is that of an output file of a build.
func artifactName(name string) bool {
	return slices.Contains([]string{".iso", ".img", ".raw", ".tar", ".squashfs", ".zst", ".xz", ".qcow2"}, filepath.Ext(name))
}

// imageName reports whether a name is that of an image: with a tag or a digest, or with the name of a
// registry; with both if it ends like an output file. Other names are more likely those of missing
// files.
func imageName(name string) bool {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return false
	}
	host, _, _ := strings.Cut(name, "/")
	registry, version := host == reference.Domain(named), !reference.IsNameOnly(named)
	if artifactName(name) {
		return registry && version
	}
	return registry || version
}

// list lists some of what is in a directory.
func list(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return "it is empty"
	}
	const most = 5
	names := []string{}
	for _, e := range entries[:min(most, len(entries))] {
		names = append(names, e.Name())
	}
	text := "it has " + strings.Join(names, ", ")
	if len(entries) > most {
		text += ", …"
	}
	return text
}
