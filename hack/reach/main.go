// Command reach says whether all registries and releases that a spec needs can be reached.
//
//	reach DIR
//
// It exits with 3 if one of them cannot be reached, and with 1 or 2 if it could not look.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/hack/reach/hosts"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// unreachable is the exit code if a host does not answer.
const unreachable = 3

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:], hosts.NewProber().Reach, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reach:", err)
	}
	os.Exit(code)
}

// run says which registry or publisher of a spec cannot be reached, if there is one.
func run(ctx context.Context, args []string, reach func(context.Context, string) error, stdout io.Writer) (code int, err error) {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		return 2, errors.New("expected the directory of a spec")
	}
	cat, err := catalog.Builtin()
	if err != nil {
		return 1, err
	}
	p, err := local.Plan(ctx, local.Options{File: filepath.Join(args[0], specs.DefaultName), Context: args[0], Arch: runtime.GOARCH, Catalog: cat})
	if err != nil {
		return 1, err
	}
	needed, err := hosts.OfPlan(p, nil)
	if err != nil {
		return 1, err
	}
	for _, host := range needed {
		if err := reach(ctx, host); err != nil {
			fmt.Fprintf(stdout, "cannot reach %s: %v\n", host, err)
			return unreachable, ctx.Err()
		}
	}
	fmt.Fprintf(stdout, "can reach %s\n", strings.Join(needed, ", "))
	return 0, nil
}
