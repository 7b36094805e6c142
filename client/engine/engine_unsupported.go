//go:build !linux

package engine

import (
	"context"
	"runtime"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"
)

// Engine cannot exist on this operating system; the type is here so that its users compile.
type Engine struct{}

// Main does nothing.
func Main() {}

// New always fails: runc, overlayfs and cgroups are Linux.
func New(context.Context, Options) (*Engine, error) {
	return nil, errors.Errorf("the built-in engine runs on linux only, not on %s: "+
		"point --builder or BUILDKIT_HOST at a running BuildKit, for example Docker Desktop's", runtime.GOOS)
}

// Client returns nil, as there is no engine to talk to.
func (e *Engine) Client() *client.Client { return nil }

// Close does nothing.
func (e *Engine) Close() error { return nil }
