package specs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestMistakesOfLayers has layers that no build could make.
func TestMistakesOfLayers(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "nothing",
			spec: `version: v1.0.0
layers: [{}]
`,
			want: []string{
				`kairos.spec:2:10: layers[0]: has no name; give it one, such as name: tools`,
				`kairos.spec:2:10: layers[0]: has neither image nor context; give an image, or the name of a named context; for what is in the build context, use files`,
			},
		},
		{
			name: "sources",
			spec: `version: v1.0.0
layers:
  - {name: a, image: acme/a, context: a}
  - {name: b, image: 'acme b'}
  - {name: c, context: ./c}
  - {name: d, image: ''}
`,
			want: []string{
				`kairos.spec:3:5: layers[0]: has both image and context; keep one of them`,
				`kairos.spec:4:22: layers[1].image: "acme b" is not valid; write an image reference, such as ghcr.io/acme/tools:v1`,
				`kairos.spec:5:24: layers[2].context: "./c" is not valid; write the name of a named context, in the form of an image name`,
				`kairos.spec:6:22: layers[3].image: is empty; give it a text, or remove it`,
			},
		},
		{
			name: "names",
			spec: `version: v1.0.0
layers:
  - {name: tools, image: acme/a}
  - {name: Tools, image: acme/b}
  - {name: tools, context: c}
`,
			want: []string{
				`kairos.spec:4:12: layers[1].name: "Tools" is not valid; use lower case letters and digits, with . _ or - between them`,
				`kairos.spec:5:12: layers[2].name: duplicate entry "tools", first in line 3; keep one of them`,
			},
		},
		{
			name: "paths",
			spec: `version: v1.0.0
layers:
  - {name: a, image: a, path: ../a}
  - {name: b, image: a, path: /a/../../b}
  - {name: c, image: a, path: "a\nb"}
  - {name: d, image: a, path: ''}
  - {name: e, image: a, to: opt/e}
  - {name: f, image: a, to: /opt/../f}
  - {name: g, image: a, to: /opt/}
  - {name: h, image: a, to: /run/h}
  - {name: i, image: a, to: /lib/modules/6.1}
  - {name: j, image: a, owner: root}
`,
			want: []string{
				`kairos.spec:3:31: layers[0].path: "../a" is outside its source; name a directory or file inside it`,
				`kairos.spec:4:31: layers[1].path: "/a/../../b" is outside its source; name a directory or file inside it`,
				`kairos.spec:5:31: layers[2].path: "a\nb" is outside its source; name a directory or file inside it`,
				`kairos.spec:6:31: layers[3].path: is empty; give it a text, or remove it`,
				`kairos.spec:7:29: layers[4].to: "opt/e" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /opt/acme`,
				`kairos.spec:8:29: layers[5].to: "/opt/../f" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /opt/acme`,
				`kairos.spec:9:29: layers[6].to: "/opt/" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /opt/acme`,
				`kairos.spec:10:29: layers[7].to: /run is mounted over or emptied at boot; put the layer elsewhere`,
				`kairos.spec:11:29: layers[8].to: /lib/modules has the modules of the kernel alone; choose a kernel and its modules with kernel.image or kernel.context`,
				`kairos.spec:12:32: layers[9].owner: "root" is not valid; write uid:gid in numbers, such as 0:0`,
			},
		},
	})
}

func TestLayersAreFine(t *testing.T) {
	_, err := spectest.Load(`extends: debian-12
version: v1.0.0
layers:
  - {name: everything, context: tools}
  - {name: top, image: 'ghcr.io/acme/a:1', path: /, to: /}
  - {name: some, image: a, path: /out/a, to: /opt/a, owner: '1000:1000'}
  - {name: relative, context: 'acme/tools', path: ./out, to: /lib/firmware/acme}
`, nil)
	require.NoError(t, err)
}
