package frontend

import (
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

// language of a spec, for syntax highlighting in clients.
const language = "YAML"

// sourceMaps pass the files of a spec to BuildKit, so that clients print the lines of an error or a
// failed step.
type sourceMaps struct {
	mu   sync.Mutex
	main *llb.SourceMap
	made map[*specs.Source]*llb.SourceMap
}

func newSourceMaps(main *llb.SourceMap) *sourceMaps {
	return &sourceMaps{main: main, made: map[*specs.Source]*llb.SourceMap{}}
}

// of returns the source map of a file of the spec.
func (m *sourceMaps) of(src *specs.Source) *llb.SourceMap {
	if m.main != nil && src.Name == m.main.Filename && src.Context == "" && !src.Builtin {
		return m.main
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	sm, ok := m.made[src]
	if !ok {
		sm = llb.NewSourceMap(nil, src.Name, language, src.Data)
		m.made[src] = sm
	}
	return sm
}

// location attaches a part of the spec to a vertex.
func (m *sourceMaps) location(r specs.Range) llb.ConstraintsOpt {
	if r.Start.Line == 0 { // no file contains it
		return (*llb.SourceMap)(nil).Location(nil)
	}
	return m.of(r.Source).Location(ranges(r))
}

// ranges are the whole lines of a part of the spec.
func ranges(r specs.Range) []*pb.Range {
	return []*pb.Range{{
		Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Column)},
		End:   &pb.Position{Line: int32(r.End.Line), Character: int32(r.End.Column)},
	}}
}

// Locate adds source excerpts to the diagnostics of a spec that was read from the file system.
func Locate(err error) error { return newSourceMaps(nil).locate(err) }

// locate adds source excerpts to the diagnostics of a spec. This is the only place where that
// happens.
func (m *sourceMaps) locate(err error) error {
	var diagnostics specs.Diagnostics
	if !errors.As(err, &diagnostics) {
		return err
	}
	var located error = errors.New(err.Error()) // with the names of entries
	type line struct {
		file   string // which may have been read more than once
		number int
	}
	shown := map[line]bool{}
	for _, d := range diagnostics {
		if d.Range.Source == nil || d.Range.Start.Line == 0 {
			continue
		}
		at := line{d.Range.Source.Name, d.Range.Start.Line}
		if shown[at] {
			continue
		}
		shown[at] = true
		located = errdefs.WithSource(located, &errdefs.Source{Info: m.info(d.Range), Ranges: ranges(d.Range)})
	}
	return located
}

// info returns a file of the spec with long lines cut around a part of it. Positions refer to the
// original file.
func (m *sourceMaps) info(r specs.Range) *pb.SourceInfo {
	info := &pb.SourceInfo{Filename: r.Source.Name, Language: language, Data: excerpt(r.Source.Data, r.Start)}
	if sm := m.of(r.Source); sm.Definition != nil {
		info.Definition = sm.Definition.ToPB()
	}
	return info
}

// explain returns the explanation that a failed step has for its exit code, or the error unchanged.
func (s *system) explain(err error) error {
	var step *errdefs.VertexError
	var exit *gwpb.ExitError
	if !errors.As(err, &step) || !errors.As(err, &exit) {
		return err
	}
	vertex, ok := s.definition.Metadata[digest.Digest(step.Digest)]
	if !ok {
		return err
	}
	if failure := s.graph.Explain(vertex, exit.ExitCode); failure != nil {
		return failure
	}
	return err
}

// mostShown limits the characters of a line in an excerpt.
const mostShown = 200

// excerpt cuts long lines, because clients print whole lines: the line of a position is cut around
// it, the others at the end.
func excerpt(data []byte, at specs.Position) []byte {
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		runes := []rune(line)
		if len(runes) <= mostShown {
			continue
		}
		from := 0
		if i+1 == at.Line {
			from = min(max(at.Column-1-mostShown/2, 0), len(runes)-mostShown)
		}
		lines[i] = string(runes[from : from+mostShown])
		if from > 0 {
			lines[i] = "…" + lines[i]
		}
		if from+mostShown < len(runes) {
			lines[i] += "…"
		}
	}
	return []byte(strings.Join(lines, "\n"))
}
