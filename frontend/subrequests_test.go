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
	g := newGateway(opts, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": smallSpec}}})
	g.result = files{texts: answers("")}
	g.result.texts["checksums.txt"] = checksums
	return g
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
			if s.Name == BundleRequest { // TestBundleContents has what it needs
				require.ErrorContains(t, err, "there is no kairos.lock")
				return
			}
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
	require.Len(t, o.Args, 6)
	assert.Equal(t, "SOURCE_DATE_EPOCH", o.Args[0].Name)
	assert.Equal(t, "7", o.Args[0].Value)
	assert.Equal(t, "FLAVORKIT_CONFIG", o.Args[1].Name)
	assert.Equal(t, "FLAVORKIT_LOCKED", o.Args[2].Name)
	assert.Equal(t, "FLAVORKIT_ATTEST_LOCK", o.Args[3].Name)
	assert.Equal(t, "FLAVORKIT_DEBUG", o.Args[4].Name)
	assert.Equal(t, "FLAVORKIT_WITHOUT", o.Args[5].Name)
	assert.Empty(t, o.Secrets)

	declares := asking(outline.RequestSubrequestsOutline, map[string]string{"build-arg:CHANNEL": "edge"})
	declares.dirs["dockerfile"].texts["kairos.spec"] += "args:\n  CHANNEL: {description: for whom, default: stable, values: [stable, edge]}\n  TOKEN: {description: must be given}\n"
	res, err = New(Options{}).Build(t.Context(), declares)
	require.NoError(t, err)
	var own outline.Outline
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &own))
	require.Len(t, own.Args, 8)
	channel, token := own.Args[6], own.Args[7]
	assert.Equal(t, "CHANNEL", channel.Name)
	assert.Equal(t, "edge", channel.Value)
	assert.Equal(t, "for whom (default: stable; valid: stable, edge)", channel.Description)
	require.NotNil(t, channel.Location)
	assert.Equal(t, int32(4), channel.Location.Ranges[0].Start.Line)
	assert.Equal(t, "TOKEN", token.Name)
	assert.Empty(t, token.Value)

	with := asking(outline.RequestSubrequestsOutline, map[string]string{"build-arg:FLAVORKIT_CONFIG": "ca: {secret: ca}"})
	const repository = ", url: 'https://a.example', path: ./, key: a.asc, "
	with.dirs["dockerfile"].texts["kairos.spec"] += "repositories: [{name: a" + repository + "secret: login}, {name: b" + repository + "secret: login, certificate: mine}]\n"
	res, err = New(Options{}).Build(t.Context(), with)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &o))
	assert.Equal(t, []outline.Secret{{Name: "ca", Required: true}, {Name: "login", Required: true}, {Name: "mine", Required: true}}, o.Secrets)

	description := o.Description
	with.dirs["dockerfile"].texts["kairos.spec"] += "kernel: {context: mine}\ncomponents: {immucore: {context: tools}}\nlayers: [{name: a, context: tools}, {name: b, context: extras}, {name: c, image: acme/c}]\n"
	res, err = New(Options{}).Build(t.Context(), with)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &o))
	assert.Equal(t, description+"; takes the named contexts extras, mine, tools", o.Description)

	_, err = New(Options{}).Build(t.Context(), asking(outline.RequestSubrequestsOutline, map[string]string{"target": "isso"}))
	assert.ErrorContains(t, err, `unknown target "isso"`)
}
