package frontend

import (
	"encoding/json"
	"testing"

	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

const smallSpec = "extends: debian-12\nversion: v1.0.0\n"

// asking is a gateway that asks something about a spec.
func asking(request string, more map[string]string) *gateway {
	opts := map[string]string{"filename": "kairos.spec", "requestid": request}
	for key, value := range more {
		opts[key] = value
	}
	return newGateway(opts, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": smallSpec}}})
}

// TestSubrequests asks all that describe lists.
func TestSubrequests(t *testing.T) {
	res, err := New(Options{}).Build(t.Context(), asking(subrequests.RequestSubrequestsDescribe, nil))
	require.NoError(t, err)
	var listed []subrequests.Request
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &listed))
	require.Len(t, listed, len(allSubrequests()))
	for _, s := range listed {
		t.Run(s.Name, func(t *testing.T) {
			assert.NotEmpty(t, s.Description)
			res, err := New(Options{}).Build(t.Context(), asking(s.Name, nil))
			require.NoError(t, err)
			assert.NotEmpty(t, res.Metadata["result.json"])
		})
	}
}

// TestUnknownSubrequest tells clients that the frontend cannot answer.
func TestUnknownSubrequest(t *testing.T) {
	entries := Entries{{Name: "a", Spec: &specs.Source{Name: "a.spec", Data: []byte(smallSpec)}, Arch: "amd64"}}
	var unsupported *errdefs.UnsupportedSubrequestError
	_, err := New(Options{}).Build(t.Context(), asking("frontend.none", nil))
	assert.True(t, errors.As(err, &unsupported), "%v", err)
	for _, name := range []string{"frontend.none", SchemaRequest} {
		_, err := New(Options{}).Entries(entries)(t.Context(), asking(name, nil))
		assert.True(t, errors.As(err, &unsupported), "%v", err)
	}
	_, err = New(Options{}).Entries(entries)(t.Context(), asking(PlanRequest, nil))
	assert.NoError(t, err)
}

func TestOutline(t *testing.T) {
	res, err := New(Options{}).Build(t.Context(), asking(outline.RequestSubrequestsOutline, map[string]string{"target": "iso", "build-arg:SOURCE_DATE_EPOCH": "7"}))
	require.NoError(t, err)
	var o outline.Outline
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &o))
	assert.Equal(t, "iso", o.Name)
	require.Len(t, o.Args, 2)
	assert.Equal(t, "SOURCE_DATE_EPOCH", o.Args[0].Name)
	assert.Equal(t, "7", o.Args[0].Value)
	assert.Equal(t, "FLAVORKIT_WITHOUT", o.Args[1].Name)

	_, err = New(Options{}).Build(t.Context(), asking(outline.RequestSubrequestsOutline, map[string]string{"target": "isso"}))
	assert.ErrorContains(t, err, `unknown target "isso"`)
}
