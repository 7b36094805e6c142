// Command ocilayout converts a tarball of a root filesystem to an image in an OCI layout.
//
//	go run ./hack/ocilayout --tar rootfs.tar --platform linux/amd64 --out DIR --ref docker.io/library/debian:12-slim
//
// Equal input gives equal bytes. The layout appears under its name only when it is complete.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/pkg/errors"
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func main() {
	var opt options
	flag.StringVar(&opt.tar, "tar", "", "uncompressed tarball of the root filesystem")
	flag.StringVar(&opt.platform, "platform", "", "platform of the image, such as linux/amd64")
	flag.StringVar(&opt.out, "out", "", "directory of the layout; replaced if it exists")
	flag.StringVar(&opt.ref, "ref", "", "name of the image, such as docker.io/library/debian:12-slim")
	flag.StringVar(&opt.cmd, "cmd", "bash", "default command of the image, split at spaces")
	flag.StringVar(&opt.entrypoint, "entrypoint", "", "program to run instead of a shell; the image then has no command and no PATH")
	flag.Var(&opt.labels, "label", "label of the image, key=value; may be given more than once")
	flag.StringVar(&opt.comment, "comment", "", "text for the image's history: how the tarball was made")
	flag.Parse()

	if err := run(opt); err != nil {
		fmt.Fprintf(os.Stderr, "ocilayout: %v\n", err)
		os.Exit(1)
	}
}

type options struct {
	tar, platform, out, ref, cmd, entrypoint, comment string
	labels                                            labels
}

// labels collects --label flags.
type labels map[string]string

func (l *labels) String() string { return "" }

func (l *labels) Set(s string) error {
	key, value, ok := strings.Cut(s, "=")
	if !ok {
		return errors.New("write key=value")
	}
	if *l == nil {
		*l = labels{}
	}
	(*l)[key] = value
	return nil
}

func run(opt options) error {
	if flag.NArg() > 0 {
		return errors.Errorf("unexpected argument %q", flag.Arg(0))
	}
	for flagName, value := range map[string]string{"tar": opt.tar, "platform": opt.platform, "out": opt.out, "ref": opt.ref} {
		if value == "" {
			return errors.Errorf("--%s is missing", flagName)
		}
	}
	created, err := sourceDate()
	if err != nil {
		return err
	}
	image, err := build(opt, created)
	if err != nil {
		return err
	}
	return write(image, opt)
}

// sourceDate returns the time in SOURCE_DATE_EPOCH, or else 1970, but never the current time.
func sourceDate() (v1.Time, error) {
	value, ok := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !ok {
		return v1.Time{Time: time.Unix(0, 0).UTC()}, nil
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return v1.Time{}, errors.Errorf("SOURCE_DATE_EPOCH=%q is not a number of seconds", value)
	}
	return v1.Time{Time: time.Unix(seconds, 0).UTC()}, nil
}

func build(opt options, created v1.Time) (v1.Image, error) {
	platform, err := v1.ParsePlatform(opt.platform)
	if err != nil {
		return nil, errors.Wrapf(err, "--platform %q", opt.platform)
	}
	if platform.Architecture == "arm64" && platform.Variant == "" {
		platform.Variant = "v8"
	}
	layer, err := tarball.LayerFromFile(opt.tar,
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, errors.Wrapf(err, "reading %s", opt.tar)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{
		Layer:   layer,
		History: v1.History{Created: created, CreatedBy: "hack/ocilayout", Comment: opt.comment},
	})
	if err != nil {
		return nil, errors.Wrap(err, "adding the layer")
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, errors.Wrap(err, "reading the image config")
	}
	config = config.DeepCopy()
	config.Created = created
	config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
	config.Config.Labels = opt.labels
	if opt.entrypoint != "" {
		config.Config.Entrypoint = []string{opt.entrypoint}
	} else {
		config.Config.Env = []string{"PATH=" + defaultPath}
		config.Config.Cmd = strings.Fields(opt.cmd)
	}
	image, err = mutate.ConfigFile(image, config)
	return image, errors.Wrap(err, "setting the image config")
}

func write(image v1.Image, opt options) (err error) {
	ref, err := reference.ParseNormalizedNamed(opt.ref)
	if err != nil {
		return errors.Wrapf(err, "--ref %q", opt.ref)
	}
	out, err := filepath.Abs(opt.out)
	if err != nil {
		return errors.Wrap(err, "finding the working directory")
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return errors.Wrap(err, "creating the parent directory")
	}
	// Next to the target, so that the final rename stays on one filesystem.
	scratch, err := os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+".*")
	if err != nil {
		return errors.Wrap(err, "creating a scratch directory")
	}
	defer os.RemoveAll(scratch)
	removeOnSignal(scratch)

	fresh := filepath.Join(scratch, "new")
	path, err := layout.Write(fresh, empty.Index)
	if err != nil {
		return errors.Wrap(err, "writing the layout")
	}
	err = path.AppendImage(image, layout.WithPlatform(platformOf(image)), layout.WithAnnotations(map[string]string{
		"io.containerd.image.name": reference.TagNameOnly(ref).String(),
		// The tag buildx looks for when an oci-layout:// context names none.
		"org.opencontainers.image.ref.name": "latest",
	}))
	if err != nil {
		return errors.Wrap(err, "writing the image")
	}
	if err := readable(fresh); err != nil {
		return errors.Wrap(err, "setting modes")
	}
	if err := os.Rename(out, filepath.Join(scratch, "old")); err != nil && !os.IsNotExist(err) {
		return errors.Wrapf(err, "replacing %s", out)
	}
	return errors.Wrapf(os.Rename(fresh, out), "writing %s", out)
}

func platformOf(image v1.Image) v1.Platform {
	config, err := image.ConfigFile()
	if err != nil || config.Platform() == nil {
		return v1.Platform{}
	}
	return *config.Platform()
}

// readable lets other users read the layout: the library makes large blobs private.
func readable(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o644)
	})
}

func removeOnSignal(dir string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		os.RemoveAll(dir)
		fmt.Fprintln(os.Stderr, "ocilayout: interrupted")
		os.Exit(130)
	}()
}
