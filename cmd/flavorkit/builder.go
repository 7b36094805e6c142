package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client"
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer" // docker-container:// addresses
	_ "github.com/moby/buildkit/client/connhelper/kubepod"         // kube-pod:// addresses
	_ "github.com/moby/buildkit/client/connhelper/ssh"             // ssh:// addresses
	"github.com/pkg/errors"
	"github.com/sirupsen/logrus"
	"github.com/spf13/pflag"

	"github.com/flavorkit/flavorkit/client/engine"
)

// builderFlags say which BuildKit runs steps: another one, or that inside flavorkit.
type builderFlags struct {
	builder, stateDir string
	mirrors           map[string]string
	debug             bool
}

func (f *builderFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.builder, "builder", os.Getenv("BUILDKIT_HOST"), "address of a BuildKit, such as unix:///run/buildkit/buildkitd.sock")
	flags.StringVar(&f.stateDir, "state-dir", "/var/lib/flavorkit", "cache of the BuildKit inside flavorkit")
	flags.Var(pairsFlag{&f.mirrors}, "registry-mirror", "registry that the BuildKit inside flavorkit asks first, such as docker.io=mirror.example.com")
	flags.BoolVar(&f.debug, "debug", false, "show what the BuildKit inside flavorkit logs")
}

func (f *builderFlags) check() error {
	if f.stateDir == "" {
		return usagef("--state-dir is empty; name a directory")
	}
	return nil
}

// connect opens the BuildKit.
func (f *builderFlags) connect(ctx context.Context) (*client.Client, func() error, error) {
	if !f.debug {
		// The client's OCI store logs warnings about file systems.
		logrus.SetOutput(io.Discard)
	}
	if f.builder != "" {
		c, err := client.New(ctx, f.builder)
		if err != nil {
			return nil, nil, errors.Wrapf(err, "connect to the builder %s", f.builder)
		}
		if _, err := c.Info(ctx); err != nil {
			_ = c.Close()
			return nil, nil, errors.Wrapf(err, "talk to the builder %s", f.builder)
		}
		return c, c.Close, nil
	}
	root, err := filepath.Abs(f.stateDir)
	if err != nil {
		return nil, nil, err
	}
	o := engine.Options{Root: root, Mirrors: map[string][]string{}}
	for host, mirror := range f.mirrors {
		o.Mirrors[host] = []string{mirror}
	}
	if f.debug {
		o.Log = os.Stderr
	}
	e, err := engine.New(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	return e.Client(), e.Close, nil
}
