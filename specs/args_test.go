package specs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// loadWith loads a spec with build arguments.
func loadWith(t *testing.T, spec string, files spectest.Files, args map[string]string) *specs.Document {
	t.Helper()
	doc, err := specs.LoadWith(t.Context(), &specs.Source{Name: specs.DefaultName, Data: []byte(spec)}, specs.Inputs{Args: args}, files)
	require.NoError(t, err)
	return doc
}

func TestArgs(t *testing.T) {
	const spec = `extends: ./base.spec
version: v1.0.0-${CHANNEL}
variant: ${VARIANT}
distro: ${DISTRO}
init: systemd
packages:
  add: [htop, "lib${LIB}", "${LIB}"]
initramfs:
  network: "${NETWORK}"
artifacts:
  iso: {level: "${LEVEL}"}
kernel: {from: "${DISTRO}"}
cmdline: ["channel=${CHANNEL}-${LIB}"]
files:
  - path: /etc/${LIB}
    content: ${CHANNEL}
cloudConfig: {content: "${CHANNEL}"}
repositories:
  - {name: a, url: "https://a.example/$${x}/$$y", suites: [b], components: [c], key: k.asc}
test: {assertions: [{run: 'echo ${HOME}'}]}
args:
  LIB: {default: ssl, values: [ssl, tls]}
  DISTRO: debian-13
`
	files := spectest.Files{"base.spec": `args:
  CHANNEL: {default: stable, values: [stable, edge], description: where updates come from}
  VARIANT: {values: [core, standard]}
  NETWORK: {type: bool, default: false}
  LEVEL: {type: integer, default: 3}
  LIB: {default: tls}
cmdline: ["base=${LIB}"]
`}
	doc := loadWith(t, spec, files, map[string]string{"CHANNEL": "edge", "VARIANT": "core", "NETWORK": "true", "OTHER": "x"})
	require.NoError(t, doc.Err())
	s := doc.Spec
	assert.Equal(t, "v1.0.0-edge", s.Version)
	assert.Equal(t, "core", s.Variant)
	assert.Equal(t, "debian-13", s.Distro.Name)
	assert.Equal(t, []string{"htop", "libssl", "ssl"}, s.Packages.Add)
	assert.True(t, s.Initramfs.Network)
	assert.Equal(t, 3, s.Artifacts.ISO.Level)
	assert.Equal(t, "debian-13", s.Kernel.From)
	assert.Equal(t, []string{"base=ssl", "channel=edge-ssl"}, s.Cmdline, "the nearest default counts in all files")
	assert.Equal(t, "/etc/ssl", s.Files[0].Path)
	assert.Equal(t, specs.Text("${CHANNEL}"), s.Files[0].Content, "a text of a file stays as it is")
	assert.Equal(t, specs.Text("${CHANNEL}"), s.CloudConfig.Content)
	assert.Equal(t, "https://a.example/${x}/$$y", s.Repositories[0].URL)
	assert.Equal(t, specs.Script("echo ${HOME}"), s.Test.Assertions[0].Run)
	assert.Equal(t, "ssl", doc.Arg("LIB"))
	assert.Equal(t, "edge", doc.Arg("CHANNEL"))
	assert.Equal(t, []specs.Scalar{"stable", "edge"}, s.Args["CHANNEL"].Values)
	assert.Equal(t, "where updates come from (default: stable; valid: stable, edge)", s.Args["CHANNEL"].About())
	assert.Equal(t, "(default: false; valid: true, false)", s.Args["NETWORK"].About())

	// Values have the places where they are written.
	assert.Equal(t, "kairos.spec:7:15-7:25", show(doc.At("packages.add[1]")))
	assert.Equal(t, "base.spec:7:11-7:23", show(doc.At("cmdline[0]")))
	assert.Equal(t, "base.spec:2:12-2:12", show(doc.At("args.CHANNEL")))
	assert.Equal(t, "kairos.spec:22:18-22:20", show(doc.At("args.LIB.default")))
}

// TestArgDecidesMerge has lists that are merged by values.
func TestArgDecidesMerge(t *testing.T) {
	files := spectest.Files{"base.spec": "packages: {add: [curl, wget]}\nlayers: [{name: a, image: 'a:1'}]\n"}
	doc := loadWith(t, "extends: ./base.spec\nversion: v1.0.0\nargs: {P: wget, L: a}\npackages: {remove: [\"${P}\"]}\nlayers: [{name: \"${L}\", image: 'b:1'}]\n", files, nil)
	require.NoError(t, doc.Err())
	assert.Equal(t, []string{"curl"}, doc.Spec.Packages.Add)
	assert.Equal(t, []specs.Layer{{Name: "a", Image: "b:1"}}, doc.Spec.Layers)
}

func TestMistakesOfArgs(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		files      spectest.Files
		args       map[string]string
		want       []string
	}{
		{
			name: "undeclared",
			spec: "version: v1.0.0\nargs: {CHANNEL: a}\nname: ${CHANEL}\n",
			want: []string{`kairos.spec:3:7: name: no build argument is called "CHANEL"; did you mean "CHANNEL"?`},
		},
		{
			name: "undeclared, and none is",
			spec: "version: v1.0.0\nname: a-${B}\n",
			want: []string{`kairos.spec:2:7: name: no build argument is called "B"; declare it in args`},
		},
		{
			name: "not a name",
			spec: "version: v1.0.0\nname: ${A:-b}\nmodel: ${A\n",
			want: []string{
				`kairos.spec:2:7: name: "${A:-b}" is not a build argument; write it as ${NAME}; the text ${ is written as $${`,
				`kairos.spec:3:8: model: "${A" is not a build argument; write it as ${NAME}; the text ${ is written as $${`,
			},
		},
		{
			name: "wrong value",
			spec: "version: v1.0.0\nargs:\n  CHANNEL: {default: a, values: [a, b]}\n  N: {type: integer, default: 1}\n  ON: {type: bool, default: true}\nname: ${CHANNEL}\n",
			args: map[string]string{"CHANNEL": "c", "N": "one", "ON": "yes"},
			want: []string{
				`kairos.spec:3:12: args.CHANNEL: the build argument has the value "c", which is not allowed; valid: a, b`,
				`kairos.spec:4:6: args.N: the build argument has the value "one", which is not allowed; valid: whole numbers`,
				`kairos.spec:5:7: args.ON: the build argument has the value "yes", which is not allowed; valid: true, false`,
			},
		},
		{
			name: "wrong declarations",
			spec: "version: v1.0.0\nargs:\n  a-b: c\n  A: {default: c, values: [a, b]}\n  B: {type: int}\n  C: {type: bool, default: 1, values: [true, 2]}\n  D: {default: [a]}\n",
			want: []string{
				`kairos.spec:3:8: args.a-b: "a-b" is not the name of a build argument; use letters, digits and _, such as CHANNEL`,
				`kairos.spec:4:16: args.A.default: "c" is not allowed; valid: a, b`,
				`kairos.spec:5:13: args.B.type: "int" is not valid; valid: bool, integer, string`,
				`kairos.spec:6:28: args.C.default: "1" is not allowed; valid: true, 2`,
				`kairos.spec:6:46: args.C.values[1]: "2" is not of the type bool; valid: true, false`,
				`kairos.spec:7:16: args.D.default: must be a text, a number, or true or false, not a list`,
			},
		},
		{
			name: "no value",
			spec: "version: ${V}\nargs:\n  V: {description: the version}\n",
			want: []string{`kairos.spec:3:6: args.V: has no value; pass it with --build-arg V=…, or give it a default`},
		},
		{
			name: "values of other types",
			spec: "version: v1.0.0\nargs: {A: text, B: {type: bool, default: true}, E: ''}\ninitramfs: {network: \"${A}\"}\nartifacts: {iso: {level: \"${B}\"}, disk: {level: \"1${A}\"}}\nca: {from: a, image: \"$${\"}\nname: ${E}\n",
			want: []string{
				`kairos.spec:3:22: initramfs.network: must be true or false, and ${A} is of the type string; declare the build argument with type: bool`,
				`kairos.spec:4:26: artifacts.iso.level: must be a whole number, and ${B} is of the type bool; declare the build argument with type: integer`,
				`kairos.spec:4:49: artifacts.disk.level: must be a whole number, not "1${A}"; write ${NAME} alone`,
				`kairos.spec:5:22: ca.image: must be true or false, not "$${"; write ${NAME} alone`,
				`kairos.spec:6:7: name: is empty, as ${E} is; give the build argument a value`,
			},
		},
		{
			name: "a value that the key does not take",
			spec: "version: v1.0.0\nargs: {A: B b}\nname: ${A}\nvariant: ${A}\n",
			want: []string{
				`kairos.spec:3:7: name: "B b" is not valid; use lower case letters and digits, with . _ or - between them`,
				`kairos.spec:4:10: variant: "B b" is not valid; valid: core, standard`,
			},
		},
		{
			name: "extends",
			spec: "version: v1.0.0\nargs: {A: debian-12}\nextends: ${A}\n",
			want: []string{`kairos.spec:3:10: extends: what a spec extends cannot depend on a build argument; name it, or pass it as a named context`},
		},
		{
			name:  "another type drops default and values",
			spec:  "version: v1.0.0\nextends: ./base.spec\nargs: {A: {type: bool}}\n",
			files: spectest.Files{"base.spec": "args: {A: {default: b, values: [b, c]}}\n"},
			want:  []string{`kairos.spec:3:11: args.A: has no value; pass it with --build-arg A=…, or give it a default`},
		},
		{
			name:  "values that do not have the default of the base",
			spec:  "version: v1.0.0\nextends: ./base.spec\nargs: {A: {values: [c]}}\n",
			files: spectest.Files{"base.spec": "args: {A: {default: b, values: [b, c]}}\n"},
			want:  []string{`base.spec:1:21: args.A.default: "b" is not allowed; valid: c`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := loadWith(t, c.spec, c.files, c.args).Err()
			require.Error(t, err)
			if diff := cmp.Diff(c.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
