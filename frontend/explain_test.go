package frontend

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestExplain reads the exit code of the last step, when it has come by gRPC, and
// of no other step and no other target.
func TestExplain(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\ntest: {assertions: [{service: ssh}]}\n", nil, "amd64")
	def, err := llb.Image("a").Run(llb.Args([]string{"apt"})).Run(llb.Args([]string{"test"})).Marshal(t.Context())
	require.NoError(t, err)
	last, err := def.Head()
	require.NoError(t, err)
	failed := func(step digest.Digest, code uint32) error {
		exit := &gwpb.ExitError{ExitCode: code, Err: errors.Errorf("exit code: %d", code)}
		return grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), errdefs.WrapVertex(errors.Wrap(exit, "process"), step)))
	}
	system := func(target string) *system {
		chosen, err := TargetByName(target)
		require.NoError(t, err)
		return &system{target: chosen, plan: p, definition: def}
	}
	const failure = "kairos.spec:3:21: test.assertions[0]: service ssh: not active after 300s"
	s := system("test")
	explained := s.explain(failed(last, 100))
	assert.ErrorContains(t, explained, failure)
	assert.ErrorContains(t, s.explain(failed(last, 99)), "kairos.spec:3:7: test: the machine did not try all assertions within 1800s")

	for name, same := range map[string]error{
		"a step like apt, which has that code too": failed(digest.FromString("apt"), 100),
		"a code of no assertion":                   failed(last, 101),
		"no step":                                  errors.New("canceled"),
	} {
		assert.Equal(t, same, s.explain(same), name)
	}
	other := failed(last, 100)
	assert.Equal(t, other, system("iso").explain(other))

	// Several cells may have the file with the assertion in common.
	located := newSourceMaps(nil).locate(&cellError{"a, b", explained})
	assert.ErrorContains(t, located, "a, b: "+failure)
	require.Len(t, errdefs.Sources(located), 1)
	assert.EqualValues(t, 3, errdefs.Sources(located)[0].Ranges[0].Start.Line)
}
