package integration

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/test/releasetest"
)

// TestBadSpec checks that BuildKit rejects bad specs: the error has the place, the reason and the
// line for clients to print, and no step runs.
func TestBadSpec(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	tests := []struct {
		name  string
		files map[string]string
		err   string
		line  int32
	}{
		{
			name:  "unknown key",
			files: map[string]string{"kairos.spec": debianSpec + "verison: v2\n"},
			err:   `kairos.spec:4:1: unknown key "verison"; did you mean "version"?`,
			line:  4,
		},
		{
			name:  "unknown flavor",
			files: map[string]string{"kairos.spec": "extends: debain-12\nversion: v1.0.0\n"},
			err:   `kairos.spec:1:10: extends: no flavor and no named context is called "debain-12"; did you mean "debian-12"?`,
			line:  1,
		},
		{
			name: "cycle",
			files: map[string]string{
				"kairos.spec": "extends: ./other.spec\nversion: v1.0.0\n",
				"other.spec":  "extends: ./kairos.spec\n",
			},
			err:  `other.spec:1:10: extends: extends itself; the chain is kairos.spec → other.spec → kairos.spec`,
			line: 1,
		},
		{
			name:  "file that the context lacks",
			files: map[string]string{"kairos.spec": debianSpec + "files:\n  - path: /etc/motd\n    from: motd\n"},
			err:   `kairos.spec:6:11: files[0].from: there is no file "motd" in the build context; paths start at the top of the context; a .dockerignore file may exclude it`,
			line:  6,
		},
		{
			name:  "file that .dockerignore leaves out",
			files: map[string]string{"kairos.spec": debianSpec + "cloudConfig: c.yaml\n", "c.yaml": "", ".dockerignore": "*.yaml\n"},
			err:   `kairos.spec:4:14: cloudConfig.from: there is no file "c.yaml" in the build context; paths start at the top of the context; a .dockerignore file may exclude it`,
			line:  4,
		},
		{
			name:  "cloud-config that is not YAML",
			files: map[string]string{"kairos.spec": debianSpec + "artifacts: {iso: {cloudConfig: user.yaml}}\n", "user.yaml": "#cloud-config\nstages:\n\tboot:\n"},
			err:   `user.yaml:3:1: is not YAML: the line begins with a tab; indent with spaces, YAML takes no tabs`,
			line:  3,
		},
		{
			name:  "cloud-config that machines would leave out",
			files: map[string]string{"kairos.spec": debianSpec + "artifacts: {disk: {cloudConfig: user.yaml}}\n", "user.yaml": "install: {auto: true}\n"},
			err:   `user.yaml:1:1: is not a cloud-config: a machine ignores a file without its first line; write #cloud-config into the first line`,
			line:  1,
		},
		{
			name:  "cloud-config in the spec",
			files: map[string]string{"kairos.spec": debianSpec + "cloudConfig: {content: 'a: b: c'}\n"},
			err:   `kairos.spec:4:14: cloudConfig: is not YAML: a colon is in the wrong place`,
			line:  4,
		},
		{
			name:  "path that climbs out",
			files: map[string]string{"kairos.spec": debianSpec + "cloudConfig: ../secret.yaml\n"},
			err:   `kairos.spec:4:14: cloudConfig.from: "../secret.yaml" is outside the build context; name a file inside the build context, by a relative path`,
			line:  4,
		},
		{
			name:  "named context that is not there",
			files: map[string]string{"kairos.spec": debianSpec + "components: {kairos-agent: {context: agent}}\n"},
			err:   `kairos.spec:4:38: components.kairos-agent.context: there is no named context "agent"; pass it with --build-context agent=…`,
			line:  4,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, tt.files)
			r := watch(&o)
			_, err := solve.Build(t.Context(), c, o)
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.err)
			assert.Empty(t, r.ran())
			sources := errdefs.Sources(err)
			require.NotEmpty(t, sources)
			assert.Equal(t, tt.line, sources[0].Ranges[0].Start.Line)
		})
	}
}

// TestUnknownTarget checks a mistake in the command instead of the spec.
func TestUnknownTarget(t *testing.T) {
	t.Parallel()
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	o.Target = "isso"
	_, err := solve.Build(t.Context(), embedded(t), o)
	require.Error(t, err)
	assert.Contains(t, err.Error(), `unknown target "isso"; did you mean "iso"?`)
}

// TestChecksum downloads a component with a wrong checksum, in the publisher's list or in the spec.
func TestChecksum(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	iso(t) // else each mistake would interrupt the installation of packages
	agent := component(t, "kairos-agent")
	file := fileOf(agent)
	fake := release(t, agent, []byte("not an agent"))
	list, err := releasetest.Read(fake.URL)
	require.NoError(t, err)
	published, ok := list.Find(file)
	require.True(t, ok)
	fake.List = list // with the checksums of the real files
	server := releasetest.Serve(t, fake)
	wrongCase := *agent
	wrongCase.URL = strings.Replace(agent.URL, "-linux-", "-Linux-", 1)

	tests := []struct{ name, component, err, log string }{
		{
			name:      "publisher's list",
			component: from(server, agent),
			err:       "/run/flavorkit/unpack.sh",
			log:       "checksum mismatch of " + file + ": the publisher's list says " + published.SHA256 + ", the file has",
		},
		{
			name:      "another case than in the publisher's list",
			component: from(server, &wrongCase),
			err:       "/run/flavorkit/unpack.sh",
			log:       "the publisher's checksum list has " + fileOf(&wrongCase) + " in another case, as " + file,
		},
		{
			name:      "checksum in the spec",
			component: "kairos-agent: {url: '" + server.At(agent.URL) + "', sha256: {amd64: '1111111111111111111111111111111111111111111111111111111111111111'}}",
			err:       "digest mismatch",
		},
		{
			name:      "publisher is away",
			component: "kairos-agent: {url: '" + server.At("https://github.com/gone.tar.gz") + "', checksums: '" + server.At(agent.Checksums) + "'}",
			err:       "invalid response status 404",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, map[string]string{"kairos.spec": debianSpec + "components: {" + tt.component + "}\n"})
			delete(o.Contexts, "kairos-agent")
			r := watch(&o)
			_, err := solve.Build(t.Context(), c, o)
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.err)
			assert.Contains(t, r.log.String(), tt.log)
			sources := errdefs.Sources(err)
			require.NotEmpty(t, sources, "the error points at the spec")
			assert.EqualValues(t, 4, sources[0].Ranges[0].Start.Line)
		})
	}
}

// TestMirrorDown installs a package through a proxy and from a mirror that do not exist.
func TestMirrorDown(t *testing.T) {
	t.Parallel()
	iso(t) // so that every other step is cached, and no test beside this one shares a failing step
	// Proxies are no part of a step's cache key, so no other test may install the same.
	o := options(t, map[string]string{"kairos.spec": debianSpec + "packages:\n  add:\n    - cowsay\n"})
	for name, c := range map[string]struct {
		args map[string]string
		want string
	}{
		"a proxy": {
			map[string]string{"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"},
			"kairos.spec:2:10: extends: apt cannot read an archive of debian-12; ",
		},
		"a mirror": {
			map[string]string{frontend.ConfigArg: "mirrors: {archives: {debian: 'http://127.0.0.1:9/debian'}}"},
			"FLAVORKIT_CONFIG:1:30: mirrors.archives.debian: apt cannot read the mirror http://127.0.0.1:9/debian; ",
		},
	} {
		o.Args = c.args
		r := watch(&o)
		_, err := solve.Build(t.Context(), embedded(t), o)
		require.ErrorContains(t, err, c.want, name)
		assert.Contains(t, r.log.String(), "Could not connect to 127.0.0.1:9", name)
		require.NotEmpty(t, errdefs.Sources(err), name)
	}
}

// TestBrokenImage breaks the root filesystem with files of the spec. The check reports everything
// that is wrong, and nothing is exported.
func TestBrokenImage(t *testing.T) {
	t.Parallel()
	o := options(t, map[string]string{"kairos.spec": debianSpec + `files:
  - {path: /etc/ssh/ssh_host_rsa_key, content: secret}
  - {path: /etc/cos/grub.cfg, content: "menuentry"}
`})
	o.Target = "iso"
	r := watch(&o)
	out, err := solve.OutputDir(t.TempDir())
	require.NoError(t, err)
	_, err = solve.Build(t.Context(), embedded(t), o, out.Entry)
	require.Error(t, err)
	assert.Contains(t, r.log.String(), "check failed: ssh host keys: all machines would have the same")
	assert.Contains(t, r.log.String(), "check failed: /etc/cos/grub.cfg: has no entry cos")
	assert.NotContains(t, r.ran(), "[iso] write kairos-debian-12-core-amd64-generic-v1.0.0.iso")
	require.NoError(t, out.Discard())
}

// TestOldDaemon builds the graph for a daemon without MergeOp and PassthroughOp, with files in
// directories whose modes the check compares with the userland.
func TestOldDaemon(t *testing.T) {
	t.Parallel()
	o := options(t, map[string]string{"kairos.spec": debianSpec + closedDirs})
	o.Args = map[string]string{"FLAVORKIT_WITHOUT": "mergeop,passthroughop"}
	r := watch(&o)
	solved(t, embedded(t), o)
	assert.Contains(t, r.ran(), "[rootfs] checked root filesystem")
}

// closedDirectories are files in Debian's directories that are not 0755.
const closedDirs = `files:
  - {path: /root/.ssh/config, content: a}
  - {path: /var/local/of/us, content: a}
`
