package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRun has a spec of which everything can be reached, or nothing.
func TestRun(t *testing.T) {
	args := []string{"../../testdata/demo"}
	var out bytes.Buffer
	code, err := run(t.Context(), args, func(context.Context, string) error { return nil }, &out)
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Equal(t, "can reach github.com, registry-1.docker.io\n", out.String())
	out.Reset()
	code, err = run(t.Context(), args, func(context.Context, string) error { return errors.New("no such host") }, &out)
	require.NoError(t, err)
	assert.Equal(t, unreachable, code)
	assert.Equal(t, "cannot reach github.com: no such host\n", out.String())
	code, err = run(t.Context(), nil, nil, &out)
	assert.Equal(t, 2, code)
	assert.EqualError(t, err, "expected the directory of a spec")
}
