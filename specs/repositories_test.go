package specs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestMistakesOfRepositories has repositories that no package manager could use.
func TestMistakesOfRepositories(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "nothing",
			spec: `version: v1.0.0
repositories: [{}]
`,
			want: []string{
				`kairos.spec:2:16: repositories[0]: has no name; give it one, such as name: docker`,
				`kairos.spec:2:16: repositories[0]: has no url; give the url of the repository, such as url: https://download.docker.com/linux/debian`,
				`kairos.spec:2:16: repositories[0]: has no key; name the public key of the repository, such as key: keys/acme.asc`,
			},
		},
		{
			name: "without a key",
			spec: `version: v1.0.0
repositories:
  - {name: a, url: 'https://a.example'}
  - {name: b, url: 'http://b.example'}
`,
			want: []string{
				`kairos.spec:3:5: repositories[0]: has no key; name the public key of the repository, such as key: keys/acme.asc`,
				`kairos.spec:4:5: repositories[1]: has no key, and anybody on the way can change what http brings; name the public key of the repository, such as key: keys/acme.asc`,
			},
		},
		{
			name: "keys",
			spec: `version: v1.0.0
repositories:
  - {name: a, url: 'https://a.example', key: {url: 'https://a.example/key'}}
  - {name: b, url: 'https://b.example', key: {from: b.asc, url: 'https://b.example/key', sha256: abc}}
  - {name: c, url: 'https://c.example', key: {sha256: ` + sum + `}}
  - {name: d, url: 'https://d.example', key: ../d.asc}
  - {name: e, url: 'https://e.example', key: 'keys/e f.asc'}
  - {name: f, url: 'https://f.example', key: {url: 'ftp://f.example/key', sha256: ` + sum + `}}
  - {name: g, url: 'https://g.example', key: {url: 'https://g.example/', sha256: ` + sum + `}}
`,
			want: []string{
				`kairos.spec:3:52: repositories[0].key.url: needs a checksum; add sha256: with the checksum of the key`,
				`kairos.spec:4:46: repositories[1].key: has both a file and a download; keep one of them`,
				`kairos.spec:4:98: repositories[1].key.sha256: "abc" is not valid; write 64 hexadecimal digits, lower case`,
				`kairos.spec:5:46: repositories[2].key: has a checksum and no url; add the url of the key`,
				`kairos.spec:6:46: repositories[3].key.from: "../d.asc" is outside the build context; name a file inside the build context, by a relative path`,
				`kairos.spec:7:46: repositories[4].key.from: "e f.asc" is not the name of a key; use letters, digits and @ + . _ - in the name of the file`,
				`kairos.spec:8:52: repositories[5].key.url: "ftp://f.example/key" is not the url of a file; write the full url of the key, such as https://download.docker.com/linux/debian/gpg`,
				`kairos.spec:9:52: repositories[6].key.url: "https://g.example/" is not the url of a file; write the full url of the key, such as https://download.docker.com/linux/debian/gpg`,
			},
		},
		{
			name: "urls",
			spec: `version: v1.0.0
repositories:
  - {name: a, url: 'ftp://a.example', key: a.asc}
  - {name: b, url: 'https://me:secret@b.example', key: a.asc}
  - {name: c, url: 'https://c.example/a b', key: a.asc}
  - {name: d, url: "https://d.example/a\nSigned-By: x", key: a.asc}
  - {name: e, url: 'https://e.example?token=x', key: a.asc}
  - {name: f, url: '/srv/f', key: a.asc}
`,
			want: []string{
				`kairos.spec:3:20: repositories[0].url: "ftp://a.example" is not the url of a repository; write a full url, such as https://download.docker.com/linux/debian`,
				`kairos.spec:4:20: repositories[1].url: credentials do not belong into a spec; put user:password into a build secret, and name it with secret:`,
				`kairos.spec:5:20: repositories[2].url: "https://c.example/a b" is not the url of a repository; write a full url, such as https://download.docker.com/linux/debian`,
				`kairos.spec:6:20: repositories[3].url: "https://d.example/a\nSigned-By: x" is not the url of a repository; write a full url, such as https://download.docker.com/linux/debian`,
				`kairos.spec:7:20: repositories[4].url: "https://e.example?token=x" has a query; remove what begins with ? or #`,
				`kairos.spec:8:20: repositories[5].url: "/srv/f" is not the url of a repository; write a full url, such as https://download.docker.com/linux/debian`,
			},
		},
		{
			name: "names twice, and of other forms",
			spec: `version: v1.0.0
repositories:
  - {name: a, url: 'https://a.example', key: a.asc}
  - {name: a, url: 'https://b.example', key: a.asc}
  - {name: ../c, url: 'https://c.example', key: a.asc}
  - {name: d, url: 'https://d.example', key: a.asc, secret: a/b, certificate: -x}
  - {name: e, url: 'https://e.example', key: a.asc, packages: [a=1, '*', b]}
  - {name: f, url: 'https://f.example', key: a.asc, suites: ['a b'], components: ["a\nb"]}
`,
			want: []string{
				`kairos.spec:4:12: repositories[1].name: duplicate entry "a", first in line 3; keep one of them`,
				`kairos.spec:5:12: repositories[2].name: "../c" is not valid; use lower case letters and digits, with . _ or - between them`,
				`kairos.spec:6:61: repositories[3].secret: "a/b" is not valid; write the id of a build secret, such as company-repo`,
				`kairos.spec:6:79: repositories[3].certificate: "-x" is not valid; write the id of a build secret, such as company-repo`,
				`kairos.spec:7:64: repositories[4].packages[0]: "a=1" is not valid; write the name of one package without a version, such as docker-ce`,
				`kairos.spec:7:69: repositories[4].packages[1]: "*" is not valid; write the name of one package without a version, such as docker-ce`,
				`kairos.spec:8:62: repositories[5].suites[0]: "a b" is not valid; write one word, such as bookworm`,
				`kairos.spec:8:83: repositories[5].components[0]: "a\nb" is not valid; write one word, such as bookworm`,
			},
		},
		{
			name: "paths and certificates",
			spec: `version: v1.0.0
repositories:
  - {name: a, url: 'https://a.example', key: a.asc, path: debian}
  - {name: b, url: 'https://b.example', key: a.asc, path: ./, suites: [stable]}
  - {name: c, url: 'http://c.example', key: a.asc, certificate: mine}
`,
			want: []string{
				`kairos.spec:3:59: repositories[0].path: "debian" is not valid; write a directory below the url, with a / at its end, such as ./`,
				`kairos.spec:4:59: repositories[1].path: a repository has either suites and components, or a path; keep one of them`,
				`kairos.spec:5:65: repositories[2].certificate: http knows no client certificates; write an https url, or remove it`,
			},
		},
	})
}

// TestRepositoryOfTheBase is completed by a nearer spec, which replaces it.
func TestRepositoryOfTheBase(t *testing.T) {
	const base = "repositories: [{name: a, url: 'https://a.example', key: a.asc}]\n"
	doc, err := spectest.Load("version: v1.0.0\nextends: ./base.spec\nrepositories: [{name: a, url: 'https://b.example', key: b.asc}]\n", spectest.Files{"base.spec": base})
	require.NoError(t, err)
	require.Len(t, doc.Spec.Repositories, 1)
	require.Equal(t, "kairos.spec:3:23", doc.At("repositories[0].name").String())
}
