package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
)

const (
	// passing holds for the live system. A shell would split or expand its values.
	passing = `# syntax=ghcr.io/flavorkit/frontend:1
extends: debian-13
version: v1.0.0
upgrade: {cache: true, cacheSize: 1GiB}
extension:
  name: hello
  services: [hello.service]
  files:
    - {path: /usr/lib/systemd/system/hello.service, content: "[Service]\nExecStart=sleep infinity\n"}
test:
  assertions:
    - run: |
        echo "one  'two' \$three" | sed 's/one/1/'
        test -e /run/cos/live_mode
        kairos-agent state | grep -q livecd_boot
        test -z "$(systemctl list-units --failed --plain --no-legend)"
      matches: "^1  'two' [$]three$"
    - file: /etc/kairos-release
      matches: '^KAIROS_VERSION="?v1\.0\.0"?$'
    - service: ssh
    - extension: hello
    - service: layer-cache
    - name: the cache of layers answers
      run: |
        bash -c 'exec 3<>/dev/tcp/127.0.0.1/5000; printf "GET /v2/ HTTP/1.0\r\n\r\n" >&3; cat <&3'
      matches: ^HTTP/1.0 200
`
	passingName = "kairos-debian-13-core-amd64-generic-v1.0.0"
	// failing has one assertion that holds; the others fail.
	failing = debianSpec + `test:
  assertions:
    - run: test -e /run/cos/live_mode
    - service: no-such-service
      timeout: 3s
    - name: release
      file: /etc/kairos-release
      matches: KAIROS_VERSION=.?v2
      timeout: 3s
`
	bootStep = "[test] boot " + passingName + ".iso and run the assertions"
)

// TestTarget boots in the build. A test that has passed does not boot again.
func TestTarget(t *testing.T) {
	t.Parallel() // it boots a machine, and so does the next
	c := embedded(t)
	o := options(t, map[string]string{"kairos.spec": passing})
	o.Target = "test"
	r := watch(&o)
	start := time.Now()
	dir := build(t, c, o)
	t.Logf("passed in %s", time.Since(start).Round(time.Second))
	assert.Contains(t, r.ran(), bootStep)
	assert.Contains(t, r.log.String(), "Linux version ", "the console is shown while it boots")

	report, err := os.ReadFile(filepath.Join(dir, passingName+".test.txt"))
	require.NoError(t, err)
	lines := strings.Split(string(report), "\n")
	require.Len(t, lines, 7, "%s", report)
	assert.Regexp(t, `^passed: run echo "one  'two' \\\$three" \| sed 's/one/1/' … \(\d+s\)$`, lines[0])
	assert.Regexp(t, `^passed: file /etc/kairos-release \(\d+s\)$`, lines[1])
	assert.Regexp(t, `^passed: service ssh \(\d+s\)$`, lines[2])
	assert.Regexp(t, `^passed: extension hello \(\d+s\)$`, lines[3])
	assert.Regexp(t, `^passed: service layer-cache \(\d+s\)$`, lines[4])
	assert.Regexp(t, `^passed: the cache of layers answers \(\d+s\)$`, lines[5])
	console, err := os.ReadFile(filepath.Join(dir, passingName+".test.log"))
	require.NoError(t, err)
	assert.Contains(t, string(console), "Linux version ")
	assert.NotContains(t, string(console), "\x1b")

	// The position of an assertion does not matter.
	o = options(t, map[string]string{"kairos.spec": strings.Replace(passing, "test:\n", "# Comment.\ntest:\n", 1)})
	o.Target = "test"
	r = watch(&o)
	build(t, c, o)
	assert.Empty(t, r.ran())
}

// TestTargetFails checks that the error names the first failed assertion and its line, and that the
// log has the output of all of them.
func TestTargetFails(t *testing.T) {
	t.Parallel()
	o := options(t, map[string]string{"kairos.spec": failing})
	o.Target = "test"
	r := watch(&o)
	_, err := solve.Build(t.Context(), embedded(t), o)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "kairos.spec:7:7: test.assertions[1]: service no-such-service: not active after 3s; ")
	sources := errdefs.Sources(err)
	require.Len(t, sources, 1)
	assert.EqualValues(t, 7, sources[0].Ranges[0].Start.Line)

	log := r.log.String()
	assert.Regexp(t, `passed: run test -e /run/cos/live_mode`, log)
	assert.Regexp(t, `failed: service no-such-service \(\d+s\)\n#\d+ [\d.]+     Unit no-such-service.service could not be found.\n`, log)
	assert.Regexp(t, `failed: release \(\d+s\)\n(#\d+ [\d.]+     .*\n)*#\d+ [\d.]+     KAIROS_VARIANT="?core`, log)
	assert.Regexp(t, `the last lines of the serial console:\n(#\d+ [\d.]+     .+\n){30}`, log)
}
