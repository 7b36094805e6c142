package specs_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestMistakesOfMirrors has mirrors that nothing could be fetched from, and authorities that nothing
// could trust.
func TestMistakesOfMirrors(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "no urls",
			spec: `version: v1.0.0
mirrors:
  archives:
    debian: mirror.example/debian
    debian-security: https://me:secret@mirror.example
  downloads:
    github.com: https://mirror.example
    https://github.com: mirror.example
    https://x.example: "https://mirror.example/a b"
    https://y.example: "https://mirror.example/#a"
`,
			want: []string{
				`kairos.spec:4:13: mirrors.archives.debian: "mirror.example/debian" is not the url of a mirror; write a full url, such as https://mirror.example.com/debian`,
				`kairos.spec:5:22: mirrors.archives.debian-security: credentials do not belong into a spec; remove them; a mirror has to be readable without`,
				`kairos.spec:7:17: mirrors.downloads.github.com: "github.com" is not the beginning of a url; write a scheme and a host, and a path if you like, such as https://github.com`,
				`kairos.spec:8:25: mirrors.downloads.https://github.com: "mirror.example" is not the url of a mirror; write a full url, such as https://mirror.example.com/github`,
				`kairos.spec:9:24: mirrors.downloads.https://x.example: "https://mirror.example/a b" is not the url of a mirror; write a full url, such as https://mirror.example.com/github`,
				`kairos.spec:10:24: mirrors.downloads.https://y.example: "https://mirror.example/#a" is not the url of a mirror; write a full url, such as https://mirror.example.com/github`,
			},
		},
		{
			name: "no registries",
			spec: `version: v1.0.0
mirrors:
  registries:
    debian: mirror.example
    docker.io: https://mirror.example
    quay.io: mirror.example/a:1
`,
			want: []string{
				`kairos.spec:4:13: mirrors.registries.debian: "debian" is not the beginning of the name of an image; write a host, and a path if you like, such as docker.io`,
				`kairos.spec:5:16: mirrors.registries.docker.io: "https://mirror.example" is not the beginning of the name of an image; write a host, and a path if you like, such as mirror.example.com/hub`,
				`kairos.spec:6:14: mirrors.registries.quay.io: "mirror.example/a:1" is not the beginning of the name of an image; write a host, and a path if you like, such as mirror.example.com/hub`,
			},
		},
		{
			name: "two of one beginning",
			spec: `version: v1.0.0
mirrors:
  downloads:
    https://GitHub.com/: https://a.example
    https://github.com: https://b.example
    https://github.com/acme: https://c.example
    https://github.com/acme: https://d.example
  registries:
    docker.io: a.example
    docker.io/: b.example
`,
			want: []string{
				`kairos.spec:5:25: mirrors.downloads.https://github.com: another mirror of "https://github.com", the first is in line 4; keep one of them`,
				`kairos.spec:7:5: mirrors.downloads: duplicate key "https://github.com/acme"; the first is in line 6`,
				`kairos.spec:10:17: mirrors.registries.docker.io/: another mirror of "docker.io", the first is in line 9; keep one of them`,
			},
		},
		{
			name: "file and secret",
			spec: "version: v1.0.0\nca: {from: ../ca.pem, secret: a/b}\n",
			want: []string{
				`kairos.spec:2:5: ca: has both a file and a secret; keep one of them`,
				`kairos.spec:2:12: ca.from: "../ca.pem" is outside the build context; name a file inside the build context, by a relative path`,
				`kairos.spec:2:31: ca.secret: "a/b" is not valid; write the id of a build secret, such as company-ca`,
			},
		},
		{
			name: "secret in the image",
			spec: "version: v1.0.0\nca: {secret: ca, image: true}\n",
			want: []string{`kairos.spec:2:25: ca.image: a system takes nothing from a build secret; give the file with from:, which is no secret in an image`},
		},
		{
			name: "no authority",
			spec: "version: v1.0.0\nca: {image: true}\n",
			want: []string{`kairos.spec:2:5: ca: has neither from nor secret; name a file, such as ca: certs/acme.pem, or a secret`},
		},
	})
}

// TestSite is laid over a spec, and its mistakes are in it.
func TestSite(t *testing.T) {
	spec := &specs.Source{Name: specs.DefaultName, Data: []byte(`version: v1.0.0
ca: {from: ca.pem, image: true}
mirrors: {archives: {debian: 'https://a.example', alpine: 'https://b.example'}}
`)}
	load := func(site string) *specs.Document {
		t.Helper()
		doc, err := specs.LoadWith(context.Background(), spec, specs.Inputs{Site: &specs.Source{Name: "network", Data: []byte(site)}}, spectest.Files{})
		require.NoError(t, err)
		return doc
	}
	doc := load("mirrors: {archives: {debian: 'https://c.example'}}\nca: {secret: ca}\n")
	require.NoError(t, doc.Err())
	assert.Equal(t, map[string]string{"debian": "https://c.example", "alpine": "https://b.example"}, doc.Spec.Mirrors.Archives)
	assert.Equal(t, specs.CA{Secret: "ca"}, doc.Spec.CA, "another authority, which is not in the image")
	assert.Equal(t, "network:1:30", doc.At("mirrors.archives.debian").String())
	assert.Equal(t, "kairos.spec:3:59", doc.At("mirrors.archives.alpine").String())

	for site, want := range map[string]string{
		"":                     "network:1:1: the file is empty",
		"packages: {add: [a]}": `network:1:1: unknown key "packages"; valid: ca, mirrors`,
		"mirrors: {archives: {debian: x}}": `network:1:30: mirrors.archives.debian: "x" is not the url of a mirror; ` +
			"write a full url, such as https://mirror.example.com/debian",
	} {
		assert.ErrorContains(t, load(site).Err(), want, site)
	}
}
