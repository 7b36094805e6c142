//go:build !linux

package engine

import (
	"context"
	"runtime"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"
)

// Engine does not exist on this operating system; the type lets its users compile.
type Engine struct{}

// Main does nothing.
func Main() {}

// New always fails: runc, overlayfs and cgroups need Linux.
func New(context.Context, Options) (*Engine, error) {
	return nil, errors.Errorf("the built-in engine runs only on linux, not on %s: "+
		"point --builder or BUILDKIT_HOST at a running BuildKit, for example Docker Desktop's", runtime.GOOS)
}

// Client returns nil, because there is no engine.
func (e *Engine) Client() *client.Client { return nil }

// Close does nothing.
func (e *Engine) Close() error { return nil }
