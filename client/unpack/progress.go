package unpack

import (
	"archive/tar"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// progress reports steps as BuildKit does, so that its displays show them.
type progress struct{ status chan<- *client.SolveStatus }

func (p *progress) send(s *client.SolveStatus) {
	if p.status != nil {
		p.status <- s
	}
}

func (p *progress) close() {
	if p.status != nil {
		close(p.status)
	}
}

// layer shows a layer as a step while it is unpacked.
func (p *progress) layer(id v1.Hash, unpack func(*step) error) error {
	start := time.Now()
	v := client.Vertex{Digest: digest.Digest(id.String()), Name: "unpack the layer " + id.String(), Started: &start}
	p.send(&client.SolveStatus{Vertexes: []*client.Vertex{&v}})
	err := unpack(&step{p, v.Digest})
	done, end := v, time.Now()
	done.Completed = &end
	if err != nil {
		done.Error = err.Error()
	}
	p.send(&client.SolveStatus{Vertexes: []*client.Vertex{&done}})
	return err
}

// step is a layer that is being unpacked.
type step struct {
	progress *progress
	layer    digest.Digest
}

// file returns the content of a file, and shows how much of it was read if it is large.
func (s *step) file(h *tar.Header, content io.Reader) io.Reader {
	const large = 4 << 20
	if h.Size < large {
		return content
	}
	return &fileProgress{step: s, content: content, status: client.VertexStatus{ID: h.Name, Vertex: s.layer, Name: h.Name, Total: h.Size}}
}

// fileProgress shows how much of a file was read.
type fileProgress struct {
	step    *step
	content io.Reader
	status  client.VertexStatus
}

func (f *fileProgress) Read(b []byte) (int, error) {
	const interval = 200 * time.Millisecond
	n, err := f.content.Read(b)
	f.status.Current += int64(n)
	now := time.Now()
	if f.status.Started == nil {
		f.status.Started = &now
	}
	done := f.status.Current == f.status.Total
	if done && f.status.Completed == nil || now.Sub(f.status.Timestamp) > interval {
		f.status.Timestamp = now
		if done {
			f.status.Completed = &now
		}
		shown := f.status
		f.step.progress.send(&client.SolveStatus{Statuses: []*client.VertexStatus{&shown}})
	}
	return n, err
}
