// Package lsp is a language server for specs: it tells an editor about mistakes and warnings while
// somebody types, describes keys and where values come from, completes keys and names, and finds
// what a spec extends. It finds the same as flavorkit check, because it loads and resolves a spec in
// the same way.
package lsp

import (
	"context"
	"io"
	"log"
	"time"

	"github.com/pkg/errors"
	"github.com/sourcegraph/jsonrpc2"

	"github.com/flavorkit/flavorkit/client/local"
)

// Options of Serve.
type Options struct {
	// Local is how to resolve each spec, with its catalog. File and Texts are not used. The context
	// is the directory of the spec if it is empty.
	Local local.Options
	// Now is the time that warnings depend on.
	Now func() (time.Time, error)
	// Delay is how long nobody may type before a spec is checked.
	Delay time.Duration
	// Version of flavorkit.
	Version string
	// Log is for what the protocol cannot tell; never the output of the protocol.
	Log io.Writer
}

// ErrNoShutdown means that the editor left without a request to shut down. The protocol asks for
// the exit code 1 then.
var ErrNoShutdown = errors.New("the editor closed the connection without a shutdown request")

// Serve speaks the Language Server Protocol until the editor ends it or ctx does.
func Serve(ctx context.Context, in io.Reader, out io.Writer, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := newServer(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	stream := jsonrpc2.NewBufferedStream(stdio{in, out}, jsonrpc2.VSCodeObjectCodec{})
	conn := jsonrpc2.NewConn(ctx, stream, s, jsonrpc2.SetLogger(log.New(o.Log, "flavorkit: ", 0)))
	defer conn.Close()
	select {
	case <-s.exited:
	case <-conn.DisconnectNotify():
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.result()
}

// stdio is the connection to the editor. Whoever opened the files closes them.
type stdio struct {
	io.Reader
	io.Writer
}

func (stdio) Close() error { return nil }
