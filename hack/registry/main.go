// Command registry is a container registry for development, on the loopback interface.
//
//	go run ./hack/registry serve --addr 127.0.0.1:5000 --dir .cache/registry
//	go run ./hack/registry push --addr 127.0.0.1:5000 .cache/base/debian-12-amd64 docker.io/library/debian:12-slim
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/test/testkit/registry"
)

const usage = `usage:
  registry serve [--addr HOST:PORT] [--dir DIR]     serve until interrupted; manifests are kept in memory only
  registry push [--addr HOST:PORT] LAYOUT REF       push an OCI layout; the host in REF is replaced by HOST:PORT
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "registry: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("which command?\n" + usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	addr := flags.String("addr", "127.0.0.1:5000", "")
	switch args[0] {
	case "serve":
		dir := flags.String("dir", ".cache/registry", "")
		_ = flags.Parse(args[1:])
		return serve(ctx, *addr, *dir)
	case "push":
		_ = flags.Parse(args[1:])
		if flags.NArg() != 2 {
			return errors.New("push needs LAYOUT and REF\n" + usage)
		}
		pushed, err := registry.PushLayout(ctx, *addr, flags.Arg(0), flags.Arg(1))
		if err != nil {
			return err
		}
		fmt.Println(pushed)
		return nil
	case "-h", "--help", "help":
		fmt.Print(usage)
		return nil
	default:
		return errors.Errorf("unknown command %q\n%s", args[0], usage)
	}
}

func serve(ctx context.Context, addr, dir string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.Wrapf(err, "--addr %q", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.Errorf("--addr %q: no access control here, so only a loopback address such as 127.0.0.1:5000", addr)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return errors.Wrap(err, "creating the directory for blobs")
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return errors.Wrap(err, "listening")
	}
	server := &http.Server{Handler: registry.Handler(dir), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Fprintf(os.Stderr, "registry: serving %s at %s\n", dir, listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return errors.Wrap(err, "serving")
	}
	return nil
}
