package frontend

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
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
	whole := ranges(r)
	whole[0].Start.Character = 0 // a breakpoint is on a line, before all columns
	return m.of(r.Source).Location(whole)
}

// ranges are the lines and columns of a part of the spec, both counted from 1.
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

// noSecret is what BuildKit says when the client has no secret of an id (session/secrets). Of an
// error that has come by gRPC, the text is all that is left.
var noSecret = regexp.MustCompile(`secret ([^\s:]+): not found`)

// noPath is what BuildKit says when what a copy takes is not there: when it looks for the cache key of
// the step (cache/contenthash), or, with --no-cache, when it copies.
var noPath = regexp.MustCompile(`failed to calculate checksum of ref .*: not found|lstat .*: no such file or directory`)

// badStatus is what BuildKit says when it looks at an address that a server answers with an error
// (source/http).
var badStatus = regexp.MustCompile(`invalid response status \d+`)

// reachable returns why an address cannot be downloaded; nil if it can be, or if the daemon cannot
// tell. A download with a checksum does not say it: BuildKit takes the page with the error for the
// file, and finds that its checksum differs.
func (in *inputs) reachable(ctx context.Context, d graph.Download) error {
	attrs := map[string]string{}
	if d.Secret != "" {
		attrs[pb.AttrHTTPAuthHeaderSecret] = d.Secret
	}
	_, err := in.client.ResolveSourceMetadata(ctx, &pb.SourceOp{Identifier: d.URL, Attrs: attrs}, sourceresolver.Opt{})
	if err == nil {
		return nil
	}
	if status := badStatus.FindString(err.Error()); status != "" {
		return errors.Errorf("%s: %s", d.URL, status)
	}
	return nil
}

// explain returns the explanation that a failed step has for its exit code, or a copy for what its
// source lacks, or the error unchanged.
func (s *system) explain(ctx context.Context, err error) error {
	if m := noSecret.FindStringSubmatch(err.Error()); m != nil {
		for _, secret := range s.doc.Secrets() {
			if secret.ID == m[1] {
				return s.plan.Diagnose(secret.Missing, secret.Key, "pass it with --secret id="+secret.ID+",src=FILE", "the build has no secret %q", secret.ID)
			}
		}
	}
	vertex, ok := s.failed(err)
	if !ok {
		return err
	}
	if fetch, ok := s.graph.Fetch(vertex); ok {
		if away := s.sources.request.reachable(ctx, fetch); away != nil {
			err = away
		}
		return fetch.Explain(err)
	}
	code := graph.NotFound
	var exit *gwpb.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode
	case !noPath.MatchString(err.Error()):
		return err
	}
	failure := s.graph.Explain(vertex, code)
	var installation *distro.NotInstalled
	switch {
	case errors.As(failure, &installation):
		if missing := s.missing(ctx, installation.Install); missing != nil {
			return missing
		}
	case failure != nil:
		return failure
	}
	return err
}

// failed is the vertex that an error is of.
func (s *system) failed(err error) (vertex llb.OpMetadata, ok bool) {
	var step *errdefs.VertexError
	if !errors.As(err, &step) {
		return vertex, false
	}
	vertex, ok = s.definition.Metadata[digest.Digest(step.Digest)]
	return vertex, ok
}

// lookElsewhere has the graph take a file from elsewhere when it is generated again, if a build has failed
// because a server does not have the file. ok is false for any other failure, and for a file that may be
// nowhere else.
func (s *system) lookElsewhere(ctx context.Context, err error) (ok bool) {
	vertex, ok := s.failed(err)
	if !ok {
		return false
	}
	fetch, ok := s.graph.Fetch(vertex)
	if !ok || len(fetch.Elsewhere) == 0 || s.sources.request.reachable(ctx, fetch) == nil {
		return false
	}
	if s.graph.Lost == nil {
		s.graph.Lost = map[digest.Digest]int{}
	}
	s.graph.Lost[fetch.Sum]++
	return true
}

// mostShown limits the characters of a line in an excerpt.
const mostShown = 200

func isHidden(r rune) bool { return unicode.IsControl(r) && r != '\t' }

// picture returns what stands for a control character, which a terminal would obey.
func picture(r rune) rune {
	switch {
	case !isHidden(r):
		return r
	case r < ' ':
		return '\u2400' + r // its picture
	default:
		return unicode.ReplacementChar
	}
}

// excerpt replaces control characters, and cuts long lines, because clients print whole lines: the line
// of a position is cut around it, the others at the end.
func excerpt(data []byte, at specs.Position) []byte {
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		if strings.ContainsFunc(strings.TrimSuffix(line, "\r"), isHidden) {
			line = strings.Map(picture, strings.TrimSuffix(line, "\r"))
			lines[i] = line
		}
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
