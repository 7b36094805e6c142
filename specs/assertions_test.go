package specs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func TestMistakesOfTests(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "machine",
			spec: `version: v1.0.0
test:
  artifact: img
  firmware: uefi
  memory: 2G
  timeout: "600"
`,
			want: []string{
				`kairos.spec:3:13: test.artifact: "img" is not valid; valid: disk, iso`,
				`kairos.spec:4:13: test.firmware: "uefi" is not valid; did you mean "efi"?`,
				`kairos.spec:5:11: test.memory: "2G" is not a size of memory; write a number and MiB or GiB, such as 2GiB, from 256MiB to 64GiB`,
				`kairos.spec:6:12: test.timeout: "600" is not a timeout; write whole seconds, minutes or hours, such as 90s or 10m, and at most 24h`,
			},
		},
		{
			name: "memory of no machine",
			spec: "version: v1.0.0\ntest: {memory: 128MiB}\n",
			want: []string{`kairos.spec:2:16: test.memory: "128MiB" is not a size of memory; write a number and MiB or GiB, such as 2GiB, from 256MiB to 64GiB`},
		},
		{
			name: "misspelt",
			spec: "version: v1.0.0\ntest: {assertions: [{servce: ssh}]}\n",
			want: []string{`kairos.spec:2:22: test.assertions[0]: unknown key "servce"; did you mean "service"?`},
		},
		{
			name: "one of four",
			spec: `version: v1.0.0
test:
  assertions:
    - name: nothing
    - {run: "true", file: /etc/motd}
    - {service: ssh, matches: active}
    - {service: --help}
    - {file: etc/motd}
    - {file: /etc/../motd}
    - {service: ssh, name: "a\nb", timeout: 1.5s}
    - {extension: tools, matches: a}
`,
			want: []string{
				`kairos.spec:4:7: test.assertions[0]: asserts nothing; give run, a shell script, file, a path, or service or extension, a name`,
				`kairos.spec:5:7: test.assertions[1]: has more than one of run, file, service and extension; make an assertion of each`,
				`kairos.spec:6:31: test.assertions[2].matches: a service has no output to match; matches applies to the output of run and the content of file`,
				`kairos.spec:7:17: test.assertions[3].service: "--help" is not valid; write the name of one service, such as ssh`,
				`kairos.spec:8:14: test.assertions[4].file: "etc/motd" is not a path; write an absolute path without . and .. in it, such as /etc/os-release`,
				`kairos.spec:9:14: test.assertions[5].file: "/etc/../motd" is not a path; write an absolute path without . and .. in it, such as /etc/os-release`,
				`kairos.spec:10:28: test.assertions[6].name: "a\nb" is not valid; write one line`,
				`kairos.spec:10:45: test.assertions[6].timeout: "1.5s" is not a timeout; write whole seconds, minutes or hours, such as 90s or 10m, and at most 24h`,
				`kairos.spec:11:35: test.assertions[7].matches: an extension has no output to match; matches applies to the output of run and the content of file`,
			},
		},
		{
			name: "regular expressions",
			spec: `version: v1.0.0
test:
  assertions:
    - {file: /a, matches: 'a('}
    - {file: /a, matches: '^\d+$'}
    - {file: /a, matches: "a\nb"}
    - {file: /a, matches: '(?i)a'}
    - {file: /a, matches: '^\\d [[:digit:]]+(a|b){2}\.$'}
`,
			want: []string{
				"kairos.spec:4:27: test.assertions[0].matches: missing closing ): `a(`; write an extended regular expression of POSIX, as for grep -E",
				`kairos.spec:5:27: test.assertions[1].matches: \d is not the same for every grep; write a class, such as [[:digit:]], [[:alnum:]_] or [[:space:]]`,
				`kairos.spec:6:27: test.assertions[2].matches: "a\nb" has more than one line, or a control character; it must match a single line`,
				"kairos.spec:7:27: test.assertions[3].matches: missing argument to repetition operator: `?`; write an extended regular expression of POSIX, as for grep -E",
			},
		},
	})
}

// TestAssertionsAddUp has the promises of a spec hold for all that extend it.
func TestAssertionsAddUp(t *testing.T) {
	doc, err := spectest.Load("extends: ./base.spec\nversion: v1.0.0\ntest: {timeout: 1h, assertions: [{service: sshd}]}\n", spectest.Files{
		"base.spec": "test:\n  timeout: 1m\n  assertions:\n    - file: /etc/motd\n",
	})
	require.NoError(t, err)
	assert.Equal(t, "1h", doc.Spec.Test.Timeout)
	assert.Equal(t, []specs.Assertion{{File: "/etc/motd"}, {Service: "sshd"}}, doc.Spec.Test.Assertions)
	assert.Equal(t, "kairos.spec:3:34: test.assertions[0]: x", doc.Diagnose(rules.InvalidValue, "test.assertions[1]", "", "x").Error())
	assert.Equal(t, "base.spec:4:7: test.assertions[0]: x", doc.Diagnose(rules.InvalidValue, "test.assertions[0]", "", "x").Error())
}

func TestParseTimeout(t *testing.T) {
	for text, want := range map[string]int{"1s": 1, "90s": 90, "10m": 600, "1h30m": 5400, "24h": 86400} {
		got, ok := specs.ParseTimeout(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "0s", "-1m", "10", "1.5s", "500ms", "25h", "1 m"} {
		_, ok := specs.ParseTimeout(text)
		assert.False(t, ok, "%q", text)
	}
}
