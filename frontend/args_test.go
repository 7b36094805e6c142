package frontend

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
)

func TestUndeclaredArgs(t *testing.T) {
	assert.Empty(t, UndeclaredArgs(map[string]string{
		"SOURCE_DATE_EPOCH": "0", "FLAVORKIT_LOCKED": "1", "BUILDKIT_INLINE_CACHE": "1", "HTTP_PROXY": "a", "no_proxy": "b", "CHANNEL": "c",
	}, []string{"CHANNEL"}))
	found := UndeclaredArgs(map[string]string{"CHANEL": "a", "FLAVORKIT_LOKED": "1", "No_Proxy": "b"}, []string{"CHANNEL"})
	assert.EqualError(t, found, `--build-arg: no spec declares the build argument "CHANEL"; did you mean "CHANNEL"?
--build-arg: no spec declares the build argument "FLAVORKIT_LOKED"; did you mean "FLAVORKIT_LOCKED"?
--build-arg: no spec declares the build argument "No_Proxy"; valid: CHANNEL, FLAVORKIT_ATTEST_LOCK, FLAVORKIT_CONFIG, FLAVORKIT_DEBUG, FLAVORKIT_LOCKED, FLAVORKIT_WITHOUT, SOURCE_DATE_EPOCH`)
}

const withChannel = smallSpec + "args: {CHANNEL: stable}\ncmdline: [\"channel=${CHANNEL}\"]\n"

// TestBuildArgs plans a spec with the build arguments of a request.
func TestBuildArgs(t *testing.T) {
	request := func(name string) *gateway {
		g := asking(PlanRequest, map[string]string{"build-arg:" + name: "edge"})
		g.dirs["dockerfile"].texts["kairos.spec"] = withChannel
		return g
	}
	res, err := New(Options{}).Build(t.Context(), request("CHANNEL"))
	require.NoError(t, err)
	var plans []plan.Plan
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &plans))
	stable := "stable"
	assert.Equal(t, []plan.Arg{{Name: "CHANNEL", Value: "edge", Default: &stable}}, plans[0].Args)
	assert.Contains(t, plans[0].CommandLine.Installed, "channel=edge")

	_, err = New(Options{}).Build(t.Context(), request("CHANEL"))
	assert.EqualError(t, err, `--build-arg: no spec declares the build argument "CHANEL"; did you mean "CHANNEL"?`)
}

// TestBuildArgsOfMatrix needs one entry that declares a build argument.
func TestBuildArgsOfMatrix(t *testing.T) {
	entries := Entries{
		{Name: "a", Spec: &specs.Source{Name: "a.spec", Data: []byte(smallSpec)}, Arch: "amd64"},
		{Name: "b", Spec: &specs.Source{Name: "b.spec", Data: []byte(withChannel)}, Arch: "arm64"},
	}
	args := map[string]string{"build-arg:CHANNEL": "edge"}
	res, err := New(Options{}).Entries(entries)(t.Context(), asking(PlanRequest, args))
	require.NoError(t, err)
	var plans []plan.Plan
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &plans))
	assert.Empty(t, plans[0].Args)
	assert.Contains(t, plans[1].CommandLine.Installed, "channel=edge")
	_, err = New(Options{}).Entry(entries[0])(t.Context(), asking(PlanRequest, args))
	require.NoError(t, err, "one entry of them is built alone")
	_, err = New(Options{}).Entries(entries[:1])(t.Context(), asking(PlanRequest, args))
	assert.ErrorContains(t, err, `--build-arg: no spec declares the build argument "CHANNEL"`)
}
