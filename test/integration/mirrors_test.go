package integration

import (
	"cmp"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/packages"
	"github.com/flavorkit/flavorkit/test/releasetest"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// archiveOf is where an archive of Debian is read in this network: debian or debian-security.
func archiveOf(t testing.TB, name string) string {
	t.Helper()
	_, site, err := local.ReadSite(local.SiteFile())
	require.NoError(t, err)
	return strings.TrimSuffix(cmp.Or(site.Mirrors.Archives[name], "http://deb.debian.org/"+name), "/")
}

// mirror is a mirror of Debian and a proxy for it, on the loopback interface.
type mirror struct {
	// authority is that of its certificate, in PEM.
	authority string
	url       string
	// archives are what it is a mirror of, by the beginnings of paths.
	archives map[string]string

	mu    sync.Mutex
	asked []string
}

func newMirror(t *testing.T) *mirror {
	t.Helper()
	return &mirror{archives: map[string]string{"/debian/": archiveOf(t, "debian"), "/security/": archiveOf(t, "debian-security")}}
}

// serveMirror starts one, over https.
func serveMirror(t *testing.T) *mirror {
	t.Helper()
	m := newMirror(t)
	server := httptest.NewTLSServer(m)
	t.Cleanup(server.Close)
	m.url = server.URL
	m.authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	return m
}

// ServeHTTP passes requests for archives on, and as a proxy those for other hosts.
func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.asked = append(m.asked, r.URL.String())
	m.mu.Unlock()
	(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		if p.In.URL.Host != "" {
			return
		}
		for prefix, archive := range m.archives {
			if rest, ok := strings.CutPrefix(p.In.URL.Path, prefix); ok {
				to, err := url.Parse(archive + "/" + rest)
				if err != nil {
					return
				}
				p.Out.URL, p.Out.Host = to, to.Host
			}
		}
	}}).ServeHTTP(w, r)
}

// fetched returns how often files with a prefix were asked for.
func (m *mirror) fetched(prefix string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, address := range m.asked {
		if strings.HasPrefix(address, prefix) {
			n++
		}
	}
	return n
}

// config is the build argument for the mirror.
func (m *mirror) config(more string) string {
	return "mirrors: {archives: {debian: '" + m.url + "/debian', debian-security: '" + m.url + "/security'}}\n" + more
}

// lookUp asks what a build would install.
func lookUp(t *testing.T, o solve.Options) error {
	t.Helper()
	return solve.AskLong(t.Context(), embedded(t), o, frontend.PackagesRequest, func(res *gwclient.Result) error {
		var all []packages.System
		if err := json.Unmarshal(res.Metadata["result.json"], &all); err != nil {
			return err
		}
		require.Len(t, all, 1)
		assert.NotEmpty(t, all[0].Stages[0].Packages)
		return nil
	})
}

// TestMirror looks packages up in a mirror over https. Only its authority is trusted, which a build
// secret has.
func TestMirror(t *testing.T) {
	t.Parallel()
	m := serveMirror(t)
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	o.Args = map[string]string{frontend.ConfigArg: m.config("ca: {secret: acme-ca}\n")}
	o.Secrets = secretsprovider.FromMap(map[string][]byte{"acme-ca": []byte(m.authority)})
	r := watch(&o)
	require.NoError(t, lookUp(t, o), "%v", &r.log)
	assert.Positive(t, m.fetched("/debian/dists/"))
	assert.Positive(t, m.fetched("/security/dists/"))

	o.Args = map[string]string{frontend.ConfigArg: m.config("")}
	r = watch(&o)
	require.ErrorContains(t, lookUp(t, o), "FLAVORKIT_CONFIG:1:")
	assert.Contains(t, r.log.String(), "ertificate")

	o.Args = map[string]string{frontend.ConfigArg: m.config("ca: {secret: acme-ca}\n")}
	for secret, want := range map[string]string{
		"no PEM": "FLAVORKIT_CONFIG:2:14: ca.secret: the secret has no certificate in PEM; ",
		"":       `FLAVORKIT_CONFIG:2:14: ca.secret: the build has no secret "acme-ca"; `,
	} {
		o.Secrets = secretsprovider.FromMap(map[string][]byte{})
		if secret != "" {
			o.Secrets = secretsprovider.FromMap(map[string][]byte{"acme-ca": []byte(secret)})
		}
		watch(&o)
		err := lookUp(t, o)
		require.ErrorContains(t, err, want)
		require.NotEmpty(t, errdefs.Sources(err))
	}
}

// TestMirrorStaysOut installs from a mirror. The image has the public archives, and trusts the
// authority.
func TestMirrorStaysOut(t *testing.T) {
	t.Parallel()
	m := serveMirror(t)
	o := options(t, map[string]string{"kairos.spec": debianSpec + m.config("ca: {from: ca.pem, image: true}\n"), "ca.pem": m.authority})
	watch(&o)
	files := rootFiles(t, o)
	assert.Positive(t, m.fetched("/debian/dists/"))
	kept := 0
	for name, data := range files {
		if strings.HasPrefix(name, "etc/apt/") {
			assert.NotContains(t, string(data), strings.TrimPrefix(m.url, "https://"), name)
			kept += strings.Count(string(data), "http://deb.debian.org/debian")
		}
	}
	assert.Positive(t, kept, "the archive of the base image")
	assert.Equal(t, m.authority, string(files["usr/share/ca-certificates/flavorkit-1.crt"]))
	assert.Contains(t, string(files["etc/ca-certificates.conf"]), "\nflavorkit-1.crt\n")
	assert.Contains(t, string(files["etc/ssl/certs/ca-certificates.crt"]), m.authority)
}

// TestProxyOfBuild looks packages up through the proxy of the build, which only steps use.
func TestProxyOfBuild(t *testing.T) {
	t.Parallel()
	m := &mirror{}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	// Steps are cached whatever the proxy is, and another test may have run the same one.
	o.NoCache = true
	o.Args["HTTP_PROXY"], o.Args["HTTPS_PROXY"] = server.URL, server.URL
	r := watch(&o)
	require.NoError(t, lookUp(t, o), "%v", &r.log)
	if archive := archiveOf(t, "debian"); strings.HasPrefix(archive, "http:") {
		assert.Positive(t, m.fetched(archive+"/dists/"))
	}
}

// TestMirrorOfReleases downloads a component from a mirror of GitHub. Another mirror with the same
// files runs no step.
func TestMirrorOfReleases(t *testing.T) {
	t.Parallel()
	iso(t) // so that all but the component is cached
	agent := component(t, "kairos-agent")
	program, err := os.ReadFile(filepath.Join(contexts(t)["kairos-agent"], "kairos-agent"))
	require.NoError(t, err)
	published := release(t, agent, program)
	const step = "[component/kairos-agent] verify and unpack "
	for i := range 2 {
		server := releasetest.Serve(t, published)
		o := options(t, map[string]string{"kairos.spec": debianSpec + "mirrors: {downloads: {'https://github.com': '" + server.At("https://github.com") + "'}}\n"})
		delete(o.Contexts, "kairos-agent")
		r := watch(&o)
		solved(t, embedded(t), o)
		if i > 0 { // another test may have unpacked the same file before
			assert.NotContains(t, r.ran(), step+fileOf(agent))
		}
	}
}

// TestMirrorOfRegistry pulls the base image from a mirror, and runs no step again: it is the same
// image.
func TestMirrorOfRegistry(t *testing.T) {
	t.Parallel()
	registry := testkit.Registry(t)
	registry.PushLayout(testkit.Base(t, "debian-12", arch), "docker.io/library/debian:12-slim")
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	delete(o.Contexts, "debian:12-slim")
	o.Args = map[string]string{frontend.ConfigArg: "mirrors: {registries: {docker.io: '" + registry.Addr() + "'}}"}
	r := watch(&o)
	require.NoError(t, lookUp(t, o), "%v", &r.log)
	assert.Contains(t, r.log.String(), registry.Addr()+"/library/debian:12-slim@sha256:")

	o.Args = map[string]string{frontend.ConfigArg: "mirrors: {registries: {docker.io: '" + registry.Addr() + "/nowhere'}}"}
	watch(&o)
	assert.ErrorContains(t, lookUp(t, o), "find the image docker.io/library/debian:12-slim at its mirror "+registry.Addr()+"/nowhere/library/debian:12-slim for linux/amd64")
}
