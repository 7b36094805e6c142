package frontend

import (
	"context"
	"testing"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestEntriesConcerned names the entries that a failed step belongs to.
func TestEntriesConcerned(t *testing.T) {
	vertex := func(name string) digest.Digest { return digest.FromString(name) }
	of := func(names ...string) *system {
		metadata := map[digest.Digest]llb.OpMetadata{}
		for _, name := range names {
			metadata[vertex(name)] = llb.OpMetadata{}
		}
		return &system{definition: &llb.Definition{Metadata: metadata}}
	}
	cs := Entries{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}, {Name: "e"}}
	systems := []*system{of("x", "all"), of("y", "all"), of("x", "all"), of("all"), of("all")}
	for _, c := range []struct {
		first int
		err   error
		want  string
	}{
		{1, errors.New("no step"), "b"},
		{1, errdefs.WrapVertex(errors.New("failed"), vertex("y")), "b"},
		{2, errdefs.WrapVertex(errors.New("failed"), vertex("x")), "a, c"},
		{4, errdefs.WrapVertex(errors.New("failed"), vertex("all")), "a, b, c, 2 more"},
		{3, errdefs.WrapVertex(errors.New("failed"), vertex("unknown")), "d"},
	} {
		assert.Equal(t, c.want, cs.concerned(c.first, systems, c.err))
	}
}

// TestEntryErrorThroughGRPC sends an error from the daemon back over gRPC.
func TestEntryErrorThroughGRPC(t *testing.T) {
	for _, cause := range []error{
		errors.New("exit code: 1"),
		grpcerrors.FromGRPC(status.Error(codes.NotFound, "exit code: 1")),
		errors.Wrap(grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), errdefs.WrapVertex(errors.New("exit code: 1"), "x"))), "step"),
	} {
		sent := &entryError{"a, b", cause}
		got := grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), errors.WithStack(sent)))
		assert.Equal(t, grpcerrors.Code(cause), grpcerrors.Code(got))
		assert.Contains(t, got.Error(), sent.Error())
	}
}

// TestEach gathers the mistakes of all entries, and stops at any other error.
func TestEach(t *testing.T) {
	cs := Entries{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	src := &specs.Source{Name: "matrix.yaml"}
	mistake := func(line int) error {
		return specs.Diagnostics{{Range: specs.Range{Source: src, Start: specs.Position{Line: line, Column: 1}}, Message: "is wrong"}}
	}
	names, err := eachEntry(t.Context(), cs, func(_ context.Context, c Entry) (string, error) { return c.Name + c.Name, nil })
	require.NoError(t, err)
	assert.Equal(t, []string{"aa", "bb", "cc"}, names)

	lines := map[string]int{"a": 3, "b": 2, "c": 3}
	_, err = eachEntry(t.Context(), cs, func(_ context.Context, c Entry) (string, error) { return "", mistake(lines[c.Name]) })
	assert.EqualError(t, err, "matrix.yaml:2:1: is wrong\nmatrix.yaml:3:1: is wrong")

	_, err = eachEntry(t.Context(), cs, func(_ context.Context, c Entry) (string, error) {
		if c.Name == "b" {
			return "", errors.New("no network")
		}
		return "", mistake(1)
	})
	assert.EqualError(t, err, "b: no network")
}
