package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openrcExtension boots a live system that trusts a certificate, with an extension that is signed for it.
// Then it merges copies that are not as they were made, and changes whom the system trusts.
const openrcExtension = `
init: openrc
extension:
  name: hello
  version: v2
  packages: [hello]
  files:
    - {path: /usr/share/spare, content: spare part}
    - {path: /usr/local/bin/greet, content: "#!/bin/sh\nexec hello\n", mode: "0755"}
  certificate:
    content: |
CERTIFICATE
test:
  assertions:
    - extension: hello
    - name: the agent finds the program
      run: kairos-agent sysext list
    - service: systemd-sysext
    - name: programs and files of the extension
      run: echo "$(greet), with a $(cat /usr/share/spare)"
      matches: ^Hello, world!, with a spare part$
    - name: an image with other bytes is refused
      run: |
        set -e
        cd /run/extensions
        rc-service systemd-sysext stop
        test ! -e /usr/share/spare
        at=$(grep -abo 'spare part' hello-v2.sysext.raw | head -n 1 | cut -d : -f 1)
        test -n "$at"
        cp hello-v2.sysext.raw /run/whole
        cp /run/whole /run/wrong
        printf wrong | dd of=/run/wrong bs=1 seek="$at" conv=notrunc 2>/dev/null
        ln -sf /run/wrong hello-v2.sysext.raw
        if systemd-sysext merge; then exit 1; fi 2>&1
        test ! -e /usr/share/spare
      matches: hello-v2.sysext.raw is damaged
    - name: an image that others have signed is refused
      run: |
        set -e
        ln -sf /run/whole /run/extensions/hello-v2.sysext.raw
        mount -t tmpfs none /usr/lib/verity.d
        openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout /run/other.key -out /usr/lib/verity.d/other.crt 2>/dev/null
        if systemd-sysext merge; then exit 1; fi 2>&1
        test ! -e /usr/share/spare
      matches: has no signature for a certificate of this system
    - name: a system that trusts nobody merges it, and nothing is left when it is separated
      run: |
        set -e
        rm /usr/lib/verity.d/other.crt
        systemd-sysext merge
        cat /usr/share/spare
        systemd-sysext unmerge
        test ! -e /usr/share/spare
        ! grep -q sysext /proc/mounts
        ! losetup | grep -q /run/whole
        test -z "$(systemd-sysext list)"
`

// TestOpenRCExtension merges an extension in a live system without systemd, which no other test has. A
// script of this project does what systemd does elsewhere, so each way to refuse an image is tried.
func TestOpenRCExtension(t *testing.T) {
	t.Parallel()
	key, certificate := signer(t)
	spec := trusting(certificate) + strings.Replace(openrcExtension, "CERTIFICATE\n", indented(6, certificate), 1)
	o := options(t, map[string]string{"kairos.spec": spec})
	o.Target = "test"
	o.Secrets = secretsprovider.FromMap(map[string][]byte{"sysext.key": []byte(key)})
	watch(&o)
	report, err := os.ReadFile(glob(t, build(t, embedded(t), o), "*.test.txt"))
	require.NoError(t, err)
	assert.Equal(t, 7, strings.Count(string(report), "passed: "), string(report))
}
