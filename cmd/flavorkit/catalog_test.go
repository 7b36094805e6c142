package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCatalog checks that every command that plans accepts a flavor of a catalog.
func TestCatalog(t *testing.T) {
	const example = "../../examples/private-distro"
	dir := t.TempDir()
	write(t, dir+"/matrix.yaml", "entries: [{extends: [acme], architectures: [amd64]}]\n")
	write(t, dir+"/wrong/distros/acme.yaml", "name: acme\nlike: debian-12\nmanager: pacman\n")
	for _, c := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"plan", []string{"plan", example, "--catalog", example + "/catalog"}, 0, "image: core-acme:1-core-amd64-generic-v1.0.0", ""},
		{"as a named context", []string{"plan", example, "--build-context", "catalog=" + example + "/catalog"}, 0, "image: core-acme:1-core-amd64-generic-v1.0.0", ""},
		{"graph", []string{"graph", example, "--catalog", example + "/catalog"}, 0, "/etc/issue.d/02-acme.issue", ""},
		{"check", []string{"check", example, "--catalog", example + "/catalog"}, 0, "is right: kairos-acme-1-core-amd64-generic-v1.0.0", ""},
		{"matrix", []string{"matrix", "--file", dir + "/matrix.yaml", "--catalog", example + "/catalog"}, 0, "core-acme:1-core-amd64-generic-v0.1.0", ""},
		{"bake", []string{"bake", "--file", dir + "/matrix.yaml", "--catalog", example + "/catalog", "-o", "-"}, 0, `"catalog": "` + example + `/catalog"`, ""},
		{"init", []string{"init", dir, "--flavor", "acme", "--catalog", example + "/catalog"}, 0, "--target iso --catalog " + example + "/catalog -o dist", ""},
		{"build", []string{"build", example, "--catalog", example + "/catalog", "--platform", "linux/mips64"}, exitUsage, "", `unknown platform "linux/mips64"; valid: linux/amd64, linux/arm64, linux/riscv64`},
		{"without", []string{"plan", example}, exitFailed, "", `extends: no flavor and no named context is called "acme"`},
		{"none", []string{"plan", example, "--catalog", dir + "/none"}, exitFailed, "", "there is no directory " + dir + "/none for the named context catalog"},
		{"a mistake in it", []string{"matrix", "--catalog", dir + "/wrong"}, exitFailed, "", `catalog/distros/acme.yaml:3:10: manager: "pacman" is not valid; valid: apk, apt, dnf, zypper`},
		{"a line of it", []string{"check", example, "--catalog", dir + "/wrong"}, exitFailed, "", ">>> manager: pacman"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := flavorkit(t.Context(), c.args...)
			assert.Equal(t, c.code, code, stderr)
			assert.Contains(t, stdout, c.stdout)
			assert.Contains(t, stderr, c.stderr)
		})
	}
}
