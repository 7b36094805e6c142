package frontend

import (
	"strings"
	"testing"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

// TestExplain reads the exit code of the step that has an explanation, when it
// has come by gRPC, wherever the step is in the graph, and of no other step.
func TestExplain(t *testing.T) {
	in, err := New(Options{}).inputs(newGateway(map[string]string{}, nil))
	require.NoError(t, err)
	r := in.request(nil, &specs.Source{Name: "kairos.spec", Data: []byte("extends: debian-12\nversion: v1.0.0\ntest: {assertions: [{service: ssh}]}\n")}, newSourceMaps(nil))
	doc, err := r.load(t.Context())
	require.NoError(t, err)
	target, err := TargetByName("test")
	require.NoError(t, err)
	s, err := r.generate(t.Context(), doc, r.requested()[0], target)
	require.NoError(t, err)
	named := func(part string) digest.Digest {
		for d, m := range s.definition.Metadata {
			if strings.Contains(m.Description[customName], part) {
				return d
			}
		}
		t.Fatalf("there is no step %q", part)
		return ""
	}
	failed := func(step digest.Digest, code uint32) error {
		exit := &gwpb.ExitError{ExitCode: code, Err: errors.Errorf("exit code: %d", code)}
		return grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), errdefs.WrapVertex(errors.Wrap(exit, "process"), step)))
	}
	last := named("and try the assertions")
	const failure = "kairos.spec:3:21: test.assertions[0]: service ssh: not active after 300s"
	explained := s.explain(failed(last, 200))
	assert.ErrorContains(t, explained, failure)
	assert.ErrorContains(t, s.explain(failed(last, 199)), "kairos.spec:3:7: test: the machine did not try all assertions within 1800s")

	for name, same := range map[string]error{
		"a step without an explanation": failed(named("userland]"), 200),
		"a code of no assertion":        failed(last, 201),
		"a step of another graph":       failed(digest.FromString("apt"), 200),
		"no step":                       errors.New("canceled"),
	} {
		assert.Equal(t, same, s.explain(same), name)
	}
	// Several entries may have the file with the assertion in common.
	located := newSourceMaps(nil).locate(&entryError{"a, b", explained})
	assert.ErrorContains(t, located, "a, b: "+failure)
	require.Len(t, errdefs.Sources(located), 1)
	assert.EqualValues(t, 3, errdefs.Sources(located)[0].Ranges[0].Start.Line)
}
