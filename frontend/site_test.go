package frontend

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
)

// TestConfigArgument plans with the mirrors of a build argument, and points at mistakes in it.
func TestConfigArgument(t *testing.T) {
	planned := func(config string) ([]*plan.Plan, error) {
		res, err := New(Options{}).Build(t.Context(), asking(PlanRequest, map[string]string{"build-arg:FLAVORKIT_CONFIG": config}))
		if err != nil {
			return nil, err
		}
		var all []*plan.Plan
		require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &all))
		require.Len(t, all, 1)
		return all, nil
	}
	all, err := planned("{mirrors: {archives: {debian: 'https://mirror.example/debian'}}, ca: {secret: ca}}")
	require.NoError(t, err)
	assert.Equal(t, []plan.Mirror{{Archive: "debian", From: "deb.debian.org/debian", To: "https://mirror.example/debian"}}, all[0].Userland.Mirrors)
	assert.Equal(t, &plan.CA{Secret: "ca"}, all[0].CA)
	all, err = planned("")
	require.NoError(t, err)
	assert.Empty(t, all[0].Userland.Mirrors)
	_, err = planned("mirrors: {archives: {debain: 'https://mirror.example'}}")
	assert.EqualError(t, err, `FLAVORKIT_CONFIG:1:30: mirrors.archives.debain: no distribution has an archive called "debain"; did you mean "debian"?`)
}

// pulling notes which images are asked for.
type pulling struct {
	*gateway
	refs []string
}

func (p *pulling) ResolveImageConfig(ctx context.Context, ref string, o sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	p.mu.Lock()
	p.refs = append(p.refs, ref)
	p.mu.Unlock()
	return p.gateway.ResolveImageConfig(ctx, ref, o)
}

// TestMirrorOfRegistry asks the mirror for every image, and keeps a digest.
func TestMirrorOfRegistry(t *testing.T) {
	sum := digest.FromString("x").String()
	p := &pulling{gateway: asking("", map[string]string{
		"target": "iso", "build-arg:FLAVORKIT_CONFIG": "mirrors: {registries: {docker.io/library: 'mirror.example:5000/hub'}}",
	})}
	delete(p.opts, "requestid")
	p.dirs["dockerfile"].texts["kairos.spec"] += "kernel: {image: 'debian:13@" + sum + "'}\n"
	_, err := New(Options{}).Build(t.Context(), p)
	require.NoError(t, err)
	slices.Sort(p.refs)
	assert.Equal(t, []string{"mirror.example:5000/hub/debian:12-slim", "mirror.example:5000/hub/debian:13@" + sum}, slices.Compact(p.refs))
}

// TestAuthorityFile reads the certificates of an authority before anything is built.
func TestAuthorityFile(t *testing.T) {
	certificate, err := os.ReadFile("../examples/company-network/acme-ca.pem")
	require.NoError(t, err)
	const at = "kairos.spec:3:5: ca.from: "
	for name, c := range map[string]struct{ text, err string }{
		"one":  {string(certificate), ""},
		"two":  {"Acme\n" + string(certificate) + string(certificate), ""},
		"none": {"<html>404</html>", at + `"ca.pem" has no certificate in PEM; name a file with -----BEGIN CERTIFICATE-----; openssl x509 -inform der converts others`},
		"a broken one": {
			strings.Replace(string(certificate), "MIIB", "AAAA", 1), at + `"ca.pem" has a certificate that cannot be read: x509: malformed certificate; name a file`,
		},
		"a key": {
			string(certificate) + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
			at + `"ca.pem" has a private key; name a file with certificates and nothing else`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(map[string]string{"filename": "kairos.spec"}, map[string]files{
				"dockerfile": {texts: map[string]string{"kairos.spec": "extends: debian-12\nversion: v1.0.0\nca: ca.pem\n"}},
				"context":    {texts: map[string]string{"ca.pem": c.text}},
			})
			_, err := New(Options{}).Build(t.Context(), g)
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.err)
		})
	}
}
