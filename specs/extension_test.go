package specs_test

import "testing"

// TestMistakesOfExtensions has extensions that no build could make.
func TestMistakesOfExtensions(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "nothing",
			spec: `version: v1.0.0
extension: {}
`,
			want: []string{
				`kairos.spec:2:12: extension: has no name; give it one, such as name: caddy`,
				`kairos.spec:2:12: extension: has nothing in it; give packages or files`,
			},
		},
		{
			name: "several",
			spec: `version: v1.0.0
extension: {name: a, packages: [b]}
extensions:
  - {name: b, packages: [a]}
  - {name: a, packages: [c, c]}
  - {version: v1, files: [{path: /opt/a, content: a}]}
`,
			want: []string{
				`kairos.spec:5:12: extensions[1].name: duplicate entry "a", first in line 2; give each extension a name of its own`,
				`kairos.spec:5:29: extensions[1].packages[1]: duplicate entry "c", first in line 5`,
				`kairos.spec:6:5: extensions[2]: has no name; give it one, such as name: caddy`,
			},
		},
		{
			name: "no version",
			spec: `extension: {name: a, packages: [b]}
`,
			want: []string{
				`kairos.spec:1:1: version: is missing; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "values",
			spec: `version: v1.0.0
extension:
  name: My_Tools
  version: 1/2
  packages: [-a, b, b]
  services: [a, b.service, b.service, '../c.service']
  files:
    - {path: opt/a, content: a}
    - {path: /opt/b}
    - {path: /opt/c, content: a}
    - {path: /opt/c, content: b}
  certificate: ../signing.crt
`,
			want: []string{
				`kairos.spec:3:9: extension.name: "My_Tools" is not valid; use lower case letters and digits, with - between them`,
				`kairos.spec:4:12: extension.version: "1/2" is not valid; write a version such as v1.2.3`,
				`kairos.spec:5:14: extension.packages[0]: "-a" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:5:21: extension.packages[2]: duplicate entry "b", first in line 5`,
				`kairos.spec:6:14: extension.services[0]: "a" is not valid; write the name of one unit, such as caddy.service`,
				`kairos.spec:6:28: extension.services[2]: duplicate entry "b.service", first in line 6`,
				`kairos.spec:6:39: extension.services[3]: "../c.service" is not valid; write the name of one unit, such as caddy.service`,
				`kairos.spec:8:14: extension.files[0].path: "opt/a" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:9:7: extension.files[1]: has neither from nor content; give from, a file of the build context, or content, the text itself`,
				`kairos.spec:11:14: extension.files[3].path: duplicate entry "/opt/c", first in line 10; keep one of them`,
				`kairos.spec:12:16: extension.certificate.from: "../signing.crt" is outside the build context; name a file inside the build context, by a relative path`,
			},
		},
	})
}
