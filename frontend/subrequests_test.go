package frontend

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	subtargets "github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/golden"
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

// TestSubrequests asks all that describe lists. Those that show something only read the files of the
// user: they ask no registry, and run no step.
func TestSubrequests(t *testing.T) {
	ask := func(t *testing.T, name string) (*gateway, *gwclient.Result, error) {
		t.Helper()
		g := asking(name, map[string]string{"context:old": "local:old"})
		g.dirs["old"] = files{texts: map[string]string{"kairos.spec": "extends: debian-12\nversion: v0.9.0\n"}}
		res, err := New(Options{}).Build(t.Context(), g)
		return g, res, err
	}
	resolves := []string{convertllb.RequestConvertLLB, PackagesRequest, LockRequest}
	solves := []string{PackagesRequest, LockRequest}
	_, res, err := ask(t, subrequests.RequestSubrequestsDescribe)
	require.NoError(t, err)
	var listed []subrequests.Request
	require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &listed))
	require.Len(t, listed, len(allSubrequests()))
	for _, s := range listed {
		t.Run(s.Name, func(t *testing.T) {
			assert.NotEmpty(t, s.Description)
			g, res, err := ask(t, s.Name)
			if s.Name == BundleRequest { // TestBundleContents has what it needs
				require.ErrorContains(t, err, "there is no kairos.lock")
				return
			}
			require.NoError(t, err)
			for _, part := range s.Metadata {
				if part.Name != "result.statuscode" { // lint has it for mistakes
					assert.NotEmpty(t, res.Metadata[part.Name], part.Name)
				}
			}
			assert.NotEmpty(t, res.Metadata[ResultJSON])
			assert.Equal(t, slices.Contains(resolves, s.Name), len(g.resolved) > 0, "%v", g.resolved)
			assert.Equal(t, slices.Contains(solves, s.Name), len(g.solved) > 0, "%v", g.solved)
			if s.Name == lint.RequestLint {
				return // it says nothing about a spec without warnings
			}
			assert.NotEmpty(t, res.Metadata[ResultText])
		})
	}
}

// richSpec has all that an outline lists. base.spec is beside it.
const richSpec = `# syntax=ghcr.io/flavorkit/frontend:1
extends: ./base.spec
version: v1.0.0
args:
  CHANNEL: {description: for whom, default: stable, values: [stable, edge]}
  MENU: {description: seconds, type: integer, default: 0}
  TOKEN: {description: must be given}
cmdline: ["channel=${CHANNEL}", "menu=${MENU}", {value: quiet, when: {arch: [arm64, riscv64]}}]
repositories:
  - {name: acme, url: "https://acme.example/debian", path: ./, key: acme.asc, secret: login, certificate: client}
ca: {secret: company-ca}
files:
  - {path: /etc/motd, content: hello}
  - {path: /etc/edge.conf, from: edge.conf, when: {model: rpi4, init: systemd}}
layers: [{name: tools, context: tools}]
components: {immucore: {secret: downloads}}
extension: {name: site, packages: [tree], certificate: site.pem}
`

// TestAnswers has the answers about a short spec and about a rich one: what docker buildx prints, and
// what it reads. Other subrequests need the results of steps, and the answer to SchemaRequest is
// specs/schema.json.
func TestAnswers(t *testing.T) {
	both := []string{subtargets.RequestTargets, outline.RequestSubrequestsOutline, lint.RequestLint, DiffRequest}
	for _, c := range []struct {
		name     string
		texts    map[string]string
		args     map[string]string
		requests []string
	}{
		{"small", map[string]string{"kairos.spec": smallSpec}, nil, append(slices.Clone(both), subrequests.RequestSubrequestsDescribe)},
		{
			"rich", map[string]string{"kairos.spec": richSpec, "base.spec": "extends: debian-13\npackages: {add: [htop]}\n"},
			map[string]string{"build-arg:TOKEN": "abc"}, append(slices.Clone(both), PlanRequest, ExplainRequest),
		},
	} {
		for _, request := range c.requests {
			t.Run(c.name+"/"+request, func(t *testing.T) {
				g := asking(request, map[string]string{"context:old": "local:old", "context:tools": "local:tools"})
				maps.Copy(g.opts, c.args)
				g.dirs["dockerfile"] = files{texts: c.texts}
				g.dirs["context"] = files{texts: map[string]string{"acme.asc": "", "site.pem": "", "edge.conf": ""}}
				g.dirs["old"] = files{texts: map[string]string{"kairos.spec": "extends: debian-12\nversion: v0.9.0\n"}}
				res, err := New(Options{Clock: func() time.Time { return time.Date(2025, 6, 15, 0, 0, 0, 0, time.UTC) }}).Build(t.Context(), g)
				require.NoError(t, err)
				data := res.Metadata[ResultJSON]
				if request == lint.RequestLint {
					data = withoutTransfers(t, data)
				}
				file := "../testdata/subrequests/" + c.name + "/" + request
				golden.Check(t, file+".json", string(data)+"\n")
				golden.Check(t, file+".txt", string(res.Metadata[ResultText]))
			})
		}
	}
}

// withoutTransfers takes out of a result of lint how its files came from the client, which differs from
// build to build.
func withoutTransfers(t *testing.T, data []byte) []byte {
	t.Helper()
	var results lint.LintResults
	require.NoError(t, json.Unmarshal(data, &results))
	for _, source := range results.Sources {
		source.Definition = nil
	}
	data, err := json.MarshalIndent(results, "", "  ")
	require.NoError(t, err)
	return data
}

// TestTargetsOfSpec lists why a spec cannot be built as some targets.
func TestTargetsOfSpec(t *testing.T) {
	listed := func(more, platforms string) map[string]string {
		g := asking(subtargets.RequestTargets, map[string]string{"platform": platforms})
		g.dirs["dockerfile"].texts["kairos.spec"] = "extends: debian-13\nversion: v1.0.0\n" + more
		res, err := New(Options{}).Build(t.Context(), g)
		require.NoError(t, err)
		var list subtargets.List
		require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &list))
		assert.Equal(t, Targets()[0].Name, list.Targets[0].Name)
		assert.True(t, list.Targets[0].Default)
		refused := map[string]string{}
		for _, target := range list.Targets {
			if _, why, ok := strings.Cut(target.Description, cannot); ok {
				refused[target.Name] = why
			}
		}
		return refused
	}
	plain := listed("", "linux/amd64")
	assert.Equal(t, []string{"confext", "sysext", "test"}, slices.Sorted(maps.Keys(plain)))
	assert.Equal(t, `extension: there is no extension to make; say what it has, such as "extension: {name: caddy, packages: [caddy]}"`, plain["sysext"])
	assert.Contains(t, plain["test"], "there are no assertions to test; ")
	assert.Empty(t, listed("extension: {name: site, files: [{path: /etc/site.conf, content: a}, {path: /etc/b, content: b}]}\ntest: {assertions: [{service: ssh}]}\n", "linux/amd64")["confext"])
	assert.NotEmpty(t, listed("extension: {name: site, files: [{path: /etc/site.conf, content: a}]}\n", "linux/amd64")["sysext"], "a file in /etc")
	one := listed("layers: [{name: a, context: tools, when: {arch: arm64}}]\n", "linux/amd64,linux/arm64")
	assert.Contains(t, one["image"], `there is no named context "tools"; `, "for one of the platforms")
	assert.NotContains(t, one, "packages", "which has no layers")

	wrong := asking(subtargets.RequestTargets, nil)
	wrong.dirs["dockerfile"].texts["kairos.spec"] += "model: none\n"
	_, err := New(Options{}).Build(t.Context(), wrong)
	assert.ErrorContains(t, err, `kairos.spec:3:8: model: unknown model "none"`)
}

// TestDiff compares with the spec of another directory, with what it extends there and its lock.
func TestDiff(t *testing.T) {
	ask := func(texts map[string]string, more map[string]string) (string, error) {
		opts := map[string]string{"context:old": "local:old"}
		maps.Copy(opts, more)
		g := asking(DiffRequest, opts)
		if texts != nil {
			g.dirs["old"] = files{texts: texts}
		}
		res, err := New(Options{}).Build(t.Context(), g)
		if err != nil {
			return "", err
		}
		var changes []plan.Change
		require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &changes))
		for _, c := range changes {
			assert.Contains(t, string(res.Metadata[ResultText]), c.String()+"\n")
		}
		return string(res.Metadata[ResultText]), nil
	}
	text, err := ask(map[string]string{"kairos.spec": "extends: ./base.spec\nversion: v1.0.0\n", "base.spec": "extends: debian-12\npackages: {add: [htop]}\n"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "- package htop (userland) newest\n", text)
	text, err = ask(map[string]string{"kairos.spec": smallSpec}, nil)
	require.NoError(t, err)
	assert.Equal(t, "no differences\n", text)

	_, err = ask(map[string]string{"kairos.spec": "extends: debian-12\nversion: v1.0.0\nmodel: none\n"}, nil)
	assert.ErrorContains(t, err, `old/kairos.spec:3:8: model: unknown model "none"`)
	_, err = ask(map[string]string{"other.spec": smallSpec}, nil)
	assert.ErrorContains(t, err, "the named context old has no kairos.spec")

	without := asking(DiffRequest, nil)
	_, err = New(Options{}).Build(t.Context(), without)
	assert.ErrorContains(t, err, "--build-context old=DIR")
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
	var o Outline
	require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &o))
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
	assert.Empty(t, o.Contexts)
	at := slices.IndexFunc(o.Stages, func(s plan.Reason) bool { return s.Name == "debian-12/userland" })
	require.GreaterOrEqual(t, at, 0)
	assert.Equal(t, "kairos.spec:1:10", o.Stages[at].Place)
	assert.Equal(t, "extends", o.Stages[at].Key)
	assert.Contains(t, o.Stages[at].Why, "specs/catalog/distros/debian-12.yaml")
	var known outline.Outline
	decoder := json.NewDecoder(bytes.NewReader(res.Metadata[ResultJSON]))
	require.NoError(t, decoder.Decode(&known), "BuildKit's type reads it")
	require.Len(t, known.Args, len(o.Args))
	for i, arg := range known.Args {
		assert.Equal(t, o.Args[i].Arg, arg)
	}

	named := asking(outline.RequestSubrequestsOutline, map[string]string{
		"context:base": "local:base", "context:catalog": "local:records", "context:cloud-config": "local:config", "context:other": "local:other",
	})
	named.dirs["base"] = files{texts: map[string]string{"kairos.spec": "extends: debian-12\n"}}
	named.dirs["records"] = directory(t, "../examples/private-distro/catalog")
	named.dirs["dockerfile"].texts["kairos.spec"] = "extends: base\nversion: v1.0.0\n"
	res, err = New(Options{}).Build(t.Context(), named)
	require.NoError(t, err)
	var of Outline
	require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &of))
	assert.Equal(t, []NamedContext{
		{"base", []string{"extends"}}, {"catalog", []string{"the catalog"}}, {"cloud-config", []string{"the cloud-config of media and disks"}},
	}, of.Contexts)

	declares := asking(outline.RequestSubrequestsOutline, map[string]string{"build-arg:CHANNEL": "edge"})
	declares.dirs["dockerfile"].texts["kairos.spec"] += "args:\n  CHANNEL: {description: for whom, default: stable, values: [stable, edge]}\n  TOKEN: {description: must be given}\n"
	res, err = New(Options{}).Build(t.Context(), declares)
	require.NoError(t, err)
	var own Outline
	require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &own))
	require.Len(t, own.Args, 8)
	channel, token := own.Args[6], own.Args[7]
	assert.Equal(t, "CHANNEL", channel.Name)
	assert.Equal(t, "edge", channel.Value)
	assert.Equal(t, "for whom (default: stable; valid: stable, edge)", channel.Description)
	assert.Equal(t, "string", channel.Type)
	assert.Equal(t, "stable", *channel.Default)
	assert.Equal(t, []specs.Scalar{"stable", "edge"}, channel.Values)
	require.NotNil(t, channel.Location)
	assert.Equal(t, int32(4), channel.Location.Ranges[0].Start.Line)
	assert.Equal(t, "TOKEN", token.Name)
	assert.Empty(t, token.Value)
	assert.Nil(t, token.Default)

	with := asking(outline.RequestSubrequestsOutline, map[string]string{"build-arg:FLAVORKIT_CONFIG": "ca: {secret: ca}"})
	const repository = ", url: 'https://a.example', path: ./, key: a.asc, "
	with.dirs["dockerfile"].texts["kairos.spec"] += "repositories: [{name: a" + repository + "secret: login}, {name: b" + repository + "secret: login, certificate: mine}]\n"
	res, err = New(Options{}).Build(t.Context(), with)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &o))
	require.Len(t, o.Secrets, 3)
	for i, want := range []string{"ca", "login", "mine"} {
		assert.Equal(t, want, o.Secrets[i].Name)
		assert.True(t, o.Secrets[i].Required)
		assert.Equal(t, want != "ca", o.Secrets[i].Location != nil, "where the spec has it")
	}

	with.dirs["dockerfile"].texts["kairos.spec"] += "kernel: {context: mine}\ncomponents: {immucore: {context: tools}}\nlayers: [{name: a, context: tools}, {name: b, context: extras}, {name: c, image: acme/c}]\n"
	res, err = New(Options{}).Build(t.Context(), with)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &o))
	assert.Equal(t, []NamedContext{{"extras", []string{"layers[1]"}}, {"mine", []string{"kernel"}}, {"tools", []string{"components.immucore", "layers[0]"}}}, o.Contexts)
	assert.Contains(t, string(res.Metadata[ResultText]), "\ntools           components.immucore, layers[0]\n")
	assert.Contains(t, o.Description, `; cannot be built: components.immucore.context: there is no named context`)

	_, err = New(Options{}).Build(t.Context(), asking(outline.RequestSubrequestsOutline, map[string]string{"target": "isso"}))
	assert.ErrorContains(t, err, `unknown target "isso"`)
}

// stagedSpec has something of almost everything that makes stages.
const stagedSpec = "extends: debian-13\nversion: v1.0.0\nvariant: standard\nkubernetes: {distribution: k3s, as: extension}\nsize: {root: 4GiB}\ntest: {assertions: [{service: ssh}]}\n" +
	"files: [{path: /etc/motd, content: a}]\nlayers: [{name: a, image: acme/a}]\nextension: {name: site, packages: [tree]}\n" +
	"repositories: [{name: a, url: 'https://a.example', path: ./, key: a.asc}]\n"

// TestStages has a purpose for every stage of the graphs of a rich spec and of a published image.
func TestStages(t *testing.T) {
	for _, spec := range []string{stagedSpec, "source: quay.io/kairos/ubuntu:24.04\n", "extends: alpine\nversion: v1.0.0\n"} {
		g := asking(ExplainRequest, nil)
		g.dirs["dockerfile"].texts["kairos.spec"] = spec
		res, err := New(Options{}).Build(t.Context(), g)
		require.NoError(t, err, spec)
		var all [][]plan.Reason
		require.NoError(t, json.Unmarshal(res.Metadata[ResultJSON], &all))
		steps := 0
		for _, r := range all[0] {
			if r.Kind == stepKind {
				steps++
				assert.Regexp(t, `^[a-z]`, r.Why, r.Name)
				assert.Regexp(t, `^kairos.spec:\d+:\d+$`, r.Place, r.Name)
			}
		}
		assert.Greater(t, steps, 5, spec)
	}
}
