package solve

import (
	"bytes"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLateWarning has a warning shown about a step that ended long ago.
func TestLateWarning(t *testing.T) {
	var out bytes.Buffer
	show, err := NewProgress(&out, "plain")
	require.NoError(t, err)
	status := make(chan *client.SolveStatus)
	go func() {
		defer close(status)
		began, ended := time.Now(), time.Now()
		step := func(name string) *client.Vertex {
			return &client.Vertex{Digest: digest.FromString(name), Name: name, Started: &began, Completed: &ended}
		}
		status <- &client.SolveStatus{Vertexes: []*client.Vertex{step("load")}}
		status <- &client.SolveStatus{Vertexes: []*client.Vertex{step("build")}}
		time.Sleep(time.Second) // the display has shown both
		status <- &client.SolveStatus{Warnings: []*client.VertexWarning{{Vertex: digest.FromString("load"), Short: []byte("nobody can log in")}}}
	}()
	require.NoError(t, show(status))
	assert.Contains(t, out.String(), "warning: nobody can log in")
}
