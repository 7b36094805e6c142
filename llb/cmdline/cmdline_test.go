package cmdline_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/cmdline"
	"github.com/flavorkit/flavorkit/test/spectest"
	"github.com/flavorkit/flavorkit/test/testkit"
)

const spec = "extends: debian-12\nversion: v1.0.0\ncmdline: [quiet]\n"

// TestRender has each argument come out as it was, or refused at its place.
func TestRender(t *testing.T) {
	p := spectest.MustPlan(t, spec, nil, "amd64")
	for _, c := range []struct {
		arg        string
		grub, ipxe bool
	}{
		{"quiet", true, true},
		{"console=ttyS1,115200n8", true, true},
		{"a=b;c", true, true},
		{"a={b}", true, true},
		{"a=$b", true, true},
		{"a=${b}", true, false},
		{"a=b&c|d<e>f", true, true},
		{"a=#b", true, true},
		{"#a", true, false},
		{"||", true, false},
		{"&&", true, false},
		{"a=`b`", true, true},
		{`a="b"`, false, true},
		{"a='b'", false, true},
		{`a=\b`, false, true},
		{"a b", false, false},
		{"a\tb", false, false},
		{"a\nb", false, false},
		{"ä", false, false},
		{"", false, false},
	} {
		script, err := cmdline.GRUB(p, "x", []string{"first", c.arg, "last"})
		refused(t, c.grub, err, "GRUB", c.arg)
		if c.grub {
			assert.Equal(t, "set x='first "+c.arg+" last'\n", string(script))
		}
		text, err := cmdline.IPXE(p, []string{"first", c.arg, "last"})
		refused(t, c.ipxe, err, "iPXE", c.arg)
		if c.ipxe {
			assert.Equal(t, "first "+c.arg+" last", text)
		}
	}
}

func refused(t *testing.T, takes bool, err error, loader, arg string) {
	t.Helper()
	if takes {
		assert.NoError(t, err, "%s and %q", loader, arg)
		return
	}
	if assert.Error(t, err, "%s and %q", loader, arg) {
		assert.Regexp(t, "^kairos.spec:3:10: cmdline: "+loader+" cannot hand the kernel argument ", err.Error())
	}
}

func TestRefusedModel(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nmodel: virtual\n", nil, "amd64")
	_, err := cmdline.GRUB(p, "x", []string{"a b"})
	require.EqualError(t, err, `kairos.spec:3:8: model: GRUB cannot hand the kernel argument "a b" over; write it without spaces, quotes and $`)
}

// TestGRUBReads has GRUB itself read what is rendered for it.
func TestGRUBReads(t *testing.T) {
	const check = "grub-script-check"
	testkit.Need(t, check, "install grub-common")
	p := spectest.MustPlan(t, spec, nil, "amd64")
	file := filepath.Join(t.TempDir(), "cmdline.cfg")
	for _, args := range [][]string{p.CommandLine.Installed, p.CommandLine.Live, {"a=b;c", "a={b}", "a=${b", "#a", "||", "a=`b", "a=)("}} {
		script, err := cmdline.GRUB(p, "x", args)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, script, 0o644))
		out, err := exec.Command(check, file).CombinedOutput()
		require.NoError(t, err, "%s%s", out, script)
	}
}
