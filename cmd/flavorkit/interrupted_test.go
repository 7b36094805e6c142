package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	control "github.com/moby/buildkit/api/services/control"
	types "github.com/moby/buildkit/api/types"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// hanging is a BuildKit that never ends a build.
type hanging struct {
	control.UnimplementedControlServer
	// ended is closed when the client has given up.
	ended chan struct{}
}

func (hanging) Info(context.Context, *control.InfoRequest) (*control.InfoResponse, error) {
	return &control.InfoResponse{BuildkitVersion: &types.BuildkitVersion{}}, nil
}

func (hanging) ListWorkers(context.Context, *control.ListWorkersRequest) (*control.ListWorkersResponse, error) {
	return &control.ListWorkersResponse{}, nil
}

func (h hanging) Session(grpc.BidiStreamingServer[control.BytesMessage, control.BytesMessage]) error {
	<-h.ended
	return nil
}

func (h hanging) Status(*control.StatusRequest, grpc.ServerStreamingServer[control.StatusResponse]) error {
	<-h.ended
	return nil
}

func (h hanging) Solve(ctx context.Context, _ *control.SolveRequest) (*control.SolveResponse, error) {
	defer close(h.ended)
	<-ctx.Done()
	return nil, ctx.Err()
}

// bridge is what a build talks to. It says when one has begun.
type bridge struct {
	gateway.UnimplementedLLBBridgeServer
	began func()
}

// Ping is what is asked first.
func (b bridge) Ping(ctx context.Context, _ *gateway.PingRequest) (*gateway.PongResponse, error) {
	b.began()
	<-ctx.Done()
	return nil, ctx.Err()
}

// hangingBuilder starts a BuildKit that never ends a build, and returns its address.
func hangingBuilder(t *testing.T, began func()) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "buildkit.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	s := grpc.NewServer()
	control.RegisterControlServer(s, hanging{ended: make(chan struct{})})
	gateway.RegisterLLBBridgeServer(s, bridge{began: began})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return "unix://" + socket
}

// TestInterruptedWriting interrupts commands that write files while the builder works: what was there
// stays, and nothing else is there.
func TestInterruptedWriting(t *testing.T) {
	for name, args := range map[string][]string{
		"lock":             {"lock", "kairos.spec"},
		"lock anew":        {"lock", "kairos.spec", "--update"},
		"lock a matrix":    {"matrix", "lock", "--file", "edge.yaml"},
		"bundle":           {"bundle", "kairos.spec", "-o", "edge.tar"},
		"bundle directory": {"bundle", "kairos.spec", "-o", "edge"},
		"bundle a matrix":  {"matrix", "bundle", "--file", "edge.yaml", "-o", "edge.tar"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			files := map[string]string{
				"kairos.spec": good, "kairos.lock": "version: 1\n",
				"edge.yaml": "entries: [{extends: [debian-12], architectures: [amd64]}]\n", "edge.lock": "version: 1\n",
			}
			for name, text := range files {
				write(t, name, text)
			}
			ctx, interrupt := context.WithCancel(t.Context())
			code, stdout, stderr := flavorkit(ctx, append(args, "--builder", hangingBuilder(t, interrupt), "--progress", "quiet")...)
			assert.Equal(t, exitInterrupted, code)
			assert.Empty(t, stdout)
			assert.Equal(t, "flavorkit: interrupted\n", stderr)
			entries, err := os.ReadDir(".")
			require.NoError(t, err)
			assert.Len(t, entries, len(files))
			for name, text := range files {
				data, err := os.ReadFile(name)
				require.NoError(t, err)
				assert.Equal(t, text, string(data))
			}
		})
	}
}
