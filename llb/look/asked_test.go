package look

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestAskedAll gives every key a code of its own while there are codes.
func TestAskedAll(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nkernel: {context: mine}\n", nil, "amd64")
	var a Asked
	for i := range exitLast - exitAsked + 1 {
		want := strconv.Itoa(exitAsked + i)
		assert.Equal(t, want, a.Code(key.PackagesRemove.Item(i)))
		assert.Equal(t, want, a.Code(key.PackagesRemove.Item(i)), "the same again")
	}
	assert.Equal(t, "1", a.Code(key.Kernel), "there are no more")
	assert.Equal(t, strconv.Itoa(exitLast), a.Code(key.PackagesRemove.Item(exitLast-exitAsked)))

	for _, code := range []uint32{0, 1, exitAsked - 1, exitLast + 1, 137} {
		require.NoError(t, a.Explain(p, code), "code %d is of no check", code)
	}
	a = Asked{}
	a.Code(key.Kernel)
	require.EqualError(t, a.Explain(p, exitAsked), `kairos.spec:3:9: kernel: the system does not pass a check that this asks for; the lines "check failed" of the step say what is wrong`)
	require.NoError(t, a.Explain(p, exitAsked+1))
}
