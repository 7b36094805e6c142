package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRemaster checks the command line. client/remaster tests what is written.
func TestRemaster(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "text.iso", "text")
	write(t, "good.yaml", "#cloud-config\nusers: [{name: kairos, groups: [admin]}]\n")
	write(t, "sub/good.yaml", "#cloud-config\nusers: [{name: kairos, groups: [admin]}]\n")
	write(t, "sub/config.yaml", "#cloud-config\n")
	write(t, "my config.yaml", "#cloud-config\n")
	write(t, "config.txt", "#cloud-config\n")
	write(t, "plain.yaml", "users: []\n")
	write(t, "bad.yaml", "#cloud-config\nusers: [\n")
	for _, c := range []commandLine{
		{line: "remaster", code: exitUsage, stderr: "flavorkit: accepts 1 arg(s), received 0\nSee"},
		{line: "remaster text.iso --cmdline a", code: exitUsage, stderr: "flavorkit: name the ISO to write with -o\nSee"},
		{line: "remaster text.iso -o new.iso", code: exitUsage, stderr: "flavorkit: there is nothing to change; use --cloud-config, --cmdline or --remove-cmdline\nSee"},
		{line: "remaster text.iso -o new.iso --cmdline a$b", code: exitUsage, stderr: `flavorkit: --cmdline: "a$b" is not one kernel argument; write one argument, without spaces`},
		{line: "remaster text.iso -o new.iso --remove-cmdline=", code: exitUsage, stderr: "flavorkit: --remove-cmdline is empty\nSee"},
		{line: "remaster text.iso -o new.iso --cloud-config none.yaml", code: exitFailed, stderr: "flavorkit: read the cloud-config: open none.yaml: no such file or directory\n"},
		{line: "remaster text.iso -o new.iso --cloud-config plain.yaml", code: exitFailed, stderr: "flavorkit: plain.yaml:1:1: is not a cloud-config: a machine ignores a file without its first line; write #cloud-config into the first line\n"},
		{line: "remaster text.iso -o new.iso --cloud-config bad.yaml", code: exitFailed, stderr: "flavorkit: bad.yaml:"},
		{line: "remaster text.iso -o new.iso --cloud-config good.yaml --cloud-config config.txt", code: exitUsage, stderr: "--cloud-config config.txt: machines read files that end with .yaml; rename it, "},
		{line: "remaster text.iso -o new.iso --cloud-config good.yaml --cloud-config good.yaml --cloud-config sub/good.yaml", code: exitUsage, stderr: "--cloud-config sub/good.yaml: there are two files for /good.yaml on the medium; rename one"},
		{line: "remaster text.iso -o new.iso --cloud-config good.yaml --cloud-config sub/config.yaml", code: exitUsage, stderr: "there are two files for /config.yaml on the medium"},
		{line: "remaster text.iso -o new.iso --cloud-config good.yaml", code: exitFailed, stderr: "flavorkit: text.iso: it is not an ISO\n"},
		{line: "remaster text.iso -o text.iso --cmdline a", code: exitFailed, stderr: "flavorkit: text.iso is the ISO to read; name another one to write\n"},
	} {
		t.Run(c.line, c.run)
	}

	// Warnings of a medium that is built: one of the files may have the user.
	write(t, "doubts.yaml", "#cloud-config\npackages: [htop]\nusers: [{name: kairos, passwd: clear}]\nstages: {boat: []}\n")
	_, _, stderr := flavorkit(t.Context(), "remaster", "text.iso", "-o", "new.iso", "--cloud-config", "doubts.yaml")
	for _, want := range []string{
		"flavorkit: warning: doubts.yaml:1:1: no user in it is in the group admin: kairos-agent will refuse to install, to upgrade and to reset; add one, or ",
		"flavorkit: warning: doubts.yaml:2:1: packages is a key of cloud-init",
		"flavorkit: warning: doubts.yaml:3:32: the password is not hashed",
		"flavorkit: warning: doubts.yaml:4:10: no machine runs the stage \"boat\"; did you mean \"boot\"?",
	} {
		assert.Contains(t, stderr, want)
	}
	assert.Equal(t, 4, strings.Count(stderr, "warning: "), stderr)
	_, _, stderr = flavorkit(t.Context(), "remaster", "text.iso", "-o", "new.iso", "--cloud-config", "doubts.yaml", "--cloud-config", "good.yaml")
	assert.NotContains(t, stderr, "NoAdminUser")
}
