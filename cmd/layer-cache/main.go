// Command layer-cache is a registry on a machine, for its upgrades: it passes requests on to the
// registry that the name of an image begins with, and keeps the layers. A file has its settings, as in
// docs/upgrades.md.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/docker/go-units"
	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"
	"golang.org/x/sys/unix"

	"github.com/flavorkit/flavorkit/internal/layercache"
)

var version = "dev" // set with -X

// settings are the keys of the file.
type settings struct {
	// Listen is an address of the loopback interface.
	Listen string `yaml:"listen"`
	// Dir is the store, which is made if it is missing.
	Dir string `yaml:"dir"`
	// Size is what the store may take, such as 4GiB.
	Size string `yaml:"size"`
	// Insecure are registries without a certificate, as HOST or HOST:PORT.
	Insecure []string `yaml:"insecure"`
}

func defaults() settings {
	return settings{Listen: "127.0.0.1:5000", Dir: "/usr/local/layer-cache", Size: "4GiB"}
}

func main() {
	file := flag.String("config", "/etc/layer-cache.yaml", "the file with the settings, which may be missing")
	asked := flag.Bool("version", false, "print the version")
	flag.Parse()
	if *asked {
		fmt.Println("layer-cache " + version)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	if err := run(ctx, *file); err != nil {
		fmt.Fprintln(os.Stderr, "layer-cache:", err)
		os.Exit(1)
	}
}

// read reads the file with the settings.
func read(file string) (settings, error) {
	s := defaults()
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return s, errors.Wrap(err, file)
	}
	return s, nil
}

// run serves until the context ends.
func run(ctx context.Context, file string) error {
	s, err := read(file)
	if err != nil {
		return err
	}
	size, err := units.RAMInBytes(s.Size)
	if err != nil || size <= 0 {
		return errors.Errorf("%s: size: %q is not a size; write one such as %s", file, s.Size, defaults().Size)
	}
	if err := loopback(s.Listen); err != nil {
		return errors.Wrapf(err, "%s: listen", file)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cache, err := layercache.New(layercache.Options{
		Dir:      s.Dir,
		Size:     size,
		Insecure: s.Insecure,
		Machine:  layercache.Machine{Agent: "/usr/local/.kairos-state", Boot: "/run/cos"},
		Log:      log,
	})
	if err != nil {
		return err
	}
	defer cache.Close()
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return errors.Wrap(err, "listen")
	}
	server := &http.Server{
		Handler:           cache,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // Serve returns
	log.Info("serving", "address", l.Addr().String(), "version", version)
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// loopback refuses an address that other machines reach: whoever asks gets the images that the
// credentials of this machine are for.
func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return errors.Errorf("%s is not on the loopback interface; write an address such as %s", address, defaults().Listen)
	}
	return nil
}
