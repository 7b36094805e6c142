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

// generated is the system of a spec, for a target.
func generated(t *testing.T, spec, name string, dirs map[string]files) *system {
	t.Helper()
	in, err := New(Options{}).inputs(t.Context(), newGateway(map[string]string{}, dirs))
	require.NoError(t, err)
	r := in.request(nil, &specs.Source{Name: "kairos.spec", Data: []byte(spec)}, newSourceMaps(nil))
	doc, err := r.load(t.Context())
	require.NoError(t, err)
	target, err := TargetByName(name)
	require.NoError(t, err)
	s, err := r.generate(t.Context(), doc, r.requested()[0], target)
	require.NoError(t, err)
	return s
}

// TestExplain checks that the exit code of a step with an explanation is explained after a transfer
// over gRPC, wherever the step is in the graph, and that of no other step.
func TestExplain(t *testing.T) {
	s := generated(t, "extends: debian-12\nversion: v1.0.0\ntest: {assertions: [{service: ssh}]}\n", "test", nil)
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
	last := named("and run the assertions")
	const failure = "kairos.spec:3:21: test.assertions[0]: service ssh: not active after 300s"
	explained := s.explain(t.Context(), failed(last, 200))
	assert.ErrorContains(t, explained, failure)
	assert.ErrorContains(t, s.explain(t.Context(), failed(last, 199)), "kairos.spec:3:7: test: the system did not finish all assertions within 1800s")

	check := named("check that kernel, initramfs and userland fit")
	require.EqualError(t, s.explain(t.Context(), failed(check, 64)), `kairos.spec:1:10: extends: the system does not pass a check that this asks for; the lines "check failed" of the step say what is wrong`)
	require.ErrorContains(t, s.explain(t.Context(), failed(named("check the root filesystem"), 64)), "kairos.spec:1:10: extends: ")

	for name, same := range map[string]error{
		"a check that could not run":    failed(check, 127),
		"a step without an explanation": failed(named("userland]"), 200),
		"a code of no assertion":        failed(last, 201),
		"a step of another graph":       failed(digest.FromString("apt"), 200),
		"no step":                       errors.New("canceled"),
	} {
		assert.Equal(t, same, s.explain(t.Context(), same), name)
	}
	noSecret := errors.New("process: failed to solve: secret login: not found")
	assert.Equal(t, noSecret, s.explain(t.Context(), noSecret), "the spec asks for none")
	// Several entries may have the file with the assertion in common.
	located := newSourceMaps(nil).locate(&entryError{"a, b", explained})
	assert.ErrorContains(t, located, "a, b: "+failure)
	require.Len(t, errdefs.Sources(located), 1)
	assert.EqualValues(t, 3, errdefs.Sources(located)[0].Ranges[0].Start.Line)
}

// TestNothingToCopy points at the path of a layer when BuildKit does not find it, and leaves other
// failures of the copy as they are.
func TestNothingToCopy(t *testing.T) {
	s := generated(t, "extends: debian-12\nversion: v1.0.0\nlayers: [{name: tools, image: acme/tools, path: out}]\n", "image", nil)
	steps := map[string]digest.Digest{}
	for d, m := range s.definition.Metadata {
		steps[m.Description[customName]] = d
	}
	failed := func(step, message string) error {
		require.NotEmpty(t, steps[step], step)
		return grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), errdefs.WrapVertex(errors.New(message), steps[step])))
	}
	const copies, checks = "[layer/tools] copy /out of the image acme/tools to /", "[layer/tools] check the layer"
	const absent = `failed to calculate checksum of ref abc::def: "/out": not found`
	for _, says := range []string{absent, "failed to copy files: lstat /out: no such file or directory"} {
		assert.EqualError(t, s.explain(t.Context(), failed(copies, says)), "kairos.spec:3:49: layers[0].path: there is nothing at /out in the image acme/tools; name a directory or file inside it")
	}
	for _, same := range []error{failed(copies, "no space left on device"), failed(checks, absent)} {
		assert.Equal(t, same, s.explain(t.Context(), same))
	}
	exit := &gwpb.ExitError{ExitCode: 65, Err: errors.New("exit code: 65")}
	assert.ErrorContains(t, s.explain(t.Context(), errdefs.WrapVertex(exit, steps[checks])), "kairos.spec:3:10: layers[0]: the layer tools brings a kernel, an initramfs or kernel modules; ")
}

// TestUnknownContext lists the named contexts of the build.
func TestUnknownContext(t *testing.T) {
	const spec = "extends: debian-12\nversion: v1.0.0\nlayers: [{name: a, context: tols}]\n"
	_, err := New(Options{}).Build(t.Context(), newGateway(map[string]string{
		"filename": "kairos.spec", "context:tools": "local:tools", "context:web": "local:web", "context:web::linux/arm64": "local:web",
	}, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": spec}}}))
	assert.ErrorContains(t, err, `kairos.spec:3:29: layers[0].context: there is no named context "tols"; pass it with --build-context tols=…; the build has tools, web`)
}

// TestMissingSecret points at the value that asks for it.
func TestMissingSecret(t *testing.T) {
	const spec = "extends: debian-13\nversion: v1.0.0\nrepositories: [{name: a, url: 'https://a.example', path: ./, key: a.asc, certificate: mine, secret: login}]\n" +
		"ca: {secret: acme-ca}\ncomponents: {immucore: {secret: token}}\nextensions: [{name: a, packages: [a]}, {name: b, packages: [b], certificate: b.pem}]\n"
	s := generated(t, spec, "image", map[string]files{"context": {texts: map[string]string{"a.asc": "", "b.pem": ""}}})
	for id, want := range map[string]string{
		"login":      "kairos.spec:3:101: repositories[0].secret: the build has no secret \"login\"; pass it with --secret id=login,src=FILE",
		"mine":       "kairos.spec:3:87: repositories[0].certificate: the build has no secret \"mine\"; pass it with --secret id=mine,src=FILE",
		"acme-ca":    `kairos.spec:4:14: ca.secret: the build has no secret "acme-ca"; pass it with --secret id=acme-ca,src=FILE`,
		"token":      `kairos.spec:5:33: components.immucore.secret: the build has no secret "token"; pass it with --secret id=token,src=FILE`,
		"sysext.key": `kairos.spec:6:78: extensions[1].certificate: the build has no secret "sysext.key"; pass it with --secret id=sysext.key,src=FILE`,
	} {
		assert.EqualError(t, s.explain(t.Context(), errors.Wrap(errors.New("secret "+id+": not found"), "process")), want)
	}
	s = generated(t, "extends: debian-13\nversion: v1.0.0\nvariant: standard\nkubernetes: {as: extension, certificate: a.pem}\n", "sysext", map[string]files{"context": {texts: map[string]string{"a.pem": ""}}})
	assert.ErrorContains(t, s.explain(t.Context(), errors.New("secret sysext.key: not found")), `kairos.spec:4:42: kubernetes.certificate: the build has no secret "sysext.key"; `)
}

// TestRepositoryKey is looked for in the build context.
func TestRepositoryKey(t *testing.T) {
	const spec = "extends: debian-12\nversion: v1.0.0\nrepositories: [{name: a, url: 'https://a.example', path: ./, key: keys/a.asc}]\n"
	_, err := New(Options{}).Build(t.Context(), newGateway(map[string]string{"filename": "kairos.spec"}, map[string]files{
		"dockerfile": {texts: map[string]string{"kairos.spec": spec}}, "context": {},
	}))
	assert.ErrorContains(t, err, `kairos.spec:3:67: repositories[0].key.from: there is no file "keys/a.asc" in the build context; `)
}

// TestExplainMissing has an installation that failed because of a package that there is not.
func TestExplainMissing(t *testing.T) {
	s := generated(t, "extends: debian-12\nversion: v1.0.0\npackages: {add: [htopp]}\n", "image", nil)
	var step digest.Digest
	for d, m := range s.definition.Metadata {
		if strings.Contains(m.Description[customName], "[debian-12/userland] install ") {
			step = d
		}
	}
	require.NotEmpty(t, step)
	exit := &gwpb.ExitError{ExitCode: 100, Err: errors.New("exit code: 100")}
	failed := errdefs.WrapVertex(errors.Wrap(exit, "process"), step)
	answer := s.sources.request.client.(*gateway)
	answer.result.texts = map[string]string{
		"userland/resolved": "", "userland/said": "E: Unable to locate package htopp\n", "userland/names": "htop\n",
	}
	require.EqualError(t, s.explain(t.Context(), failed), `kairos.spec:3:18: packages.add[0]: debian-12 has no package "htopp" for amd64; did you mean "htop"?`)

	answer.result.texts = map[string]string{"userland/resolved": "Inst htopp (1 Debian [amd64])\n"}
	assert.Equal(t, failed, s.explain(t.Context(), failed), "all are there")
	answer.result.texts = nil
	assert.Equal(t, failed, s.explain(t.Context(), failed), "the package manager does not tell")
}
