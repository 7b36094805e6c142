package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nowhere is a BuildKit that does not exist: commands that connect to it have passed the checks.
const nowhere = "unix:///nowhere/buildkitd.sock"

// TestFlagMistakes checks command lines that are rejected before any work.
func TestFlagMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("BUILDKIT_HOST", nowhere)
	write(t, "kairos.spec", good)
	write(t, "disk.img", "")
	for _, c := range []struct {
		args []string
		want string // the beginning of the message
	}{
		{[]string{"build", "--target", "isoo"}, `unknown target "isoo"; did you mean "iso"?`},
		{[]string{"build", "--target", "isoo", "nowhere"}, `unknown target "isoo"`},
		{[]string{"matrix", "build", "--target", "isoo"}, `unknown target "isoo"`},
		{[]string{"graph", "--target", "disk"}, `unknown target "disk"`},
		{[]string{"bake", "--target", "isoo"}, `unknown target "isoo"`},

		{[]string{"build", "--platform", "windows/amd64"}, `unknown platform "windows/amd64"; valid: linux/amd64, linux/arm64, linux/riscv64`},
		{[]string{"build", "--platform", "linux/arm64,linux/amd46"}, `unknown platform "linux/amd46"; valid: `},
		{[]string{"build", "--platform", "a/b/c/d"}, `unknown platform "a/b/c/d"`},
		{[]string{"check", "--arch", "AMD64"}, `unknown architecture "AMD64"; did you mean "amd64"? valid: amd64, arm64, riscv64`},
		{[]string{"plan", "--arch", "linux/amd64"}, `unknown architecture "linux/amd64"; valid: amd64, arm64, riscv64`},
		{[]string{"graph", "--arch", ""}, `unknown architecture ""; valid: amd64, arm64, riscv64`},

		{[]string{"build", "--progress", "loud"}, `progress "loud" is none of auto, plain, tty, rawjson, quiet`},
		{[]string{"inspect", "x", "--progress", "loud"}, `progress "loud" is none of`},
		{[]string{"build", "--quiet=often"}, `invalid argument "often" for "-q, --quiet" flag`},
		{[]string{"build", "--progress", "tty"}, `progress "tty" needs a terminal`},
		{[]string{"build", "--state-dir", ""}, "--state-dir is empty; name a directory"},
		{[]string{"matrix", "build", "--state-dir", ""}, "--state-dir is empty; name a directory"},
		{[]string{"build", "--cloud-config", "user.yaml"}, "--cloud-config is for the targets iso, img, qcow2, vhd, vmdk, gce, img-image"},
		{[]string{"build", "--label", "=x"}, `--label "=x" has no name`},
		{[]string{"build", "--build-arg", "=x"}, `--build-arg "=x" has no name`},
		{[]string{"build", "--secret", "id=a,from=b"}, "--secret: unexpected key 'from' in 'from=b'"},
		{[]string{"matrix", "build", "--secret", "id=a,src=no-such-file"}, "--secret: failed to stat no-such-file: "},
		{[]string{"build", "--cache-to", "type=registri,ref=x"}, `--cache-to: unknown type "registri"; did you mean "registry"?`},
		{[]string{"build", "--cache-from", "type=inline"}, `--cache-from: unknown type "inline"; `},
		{[]string{"build", "--cache-from", "mode=max,ref=x"}, `--cache-from "mode=max,ref=x" is not the name of an image: invalid reference format`},
		{[]string{"matrix", "build", "--cache-to", "type=registry"}, `--cache-to "" is not the name of an image: `},

		{[]string{"build", "-o", "type=iso,dest=x"}, `output "type=iso,dest=x": the type is none of local, tar, oci, docker, image, registry`},
		{[]string{"build", "-o", "type=oci"}, `output "type=oci": add dest=…`},
		{[]string{"build", "-o", ""}, "an output is empty; name a directory"},
		{[]string{"matrix", "build", "-o", ""}, "an output is empty; name a directory"},

		{[]string{"build", "--push"}, "--push needs --tag"},
		{[]string{"build", "--push", "-t", "acme/os:v1", "--target", "iso"}, "--push is for images, and the target iso makes files; remove --target, or choose image or img-image"},
		{[]string{"build", "--push", "-t", "acme/os:v1", "-o", "dist"}, "--push and --output exclude each other"},
		{[]string{"build", "--push", "-t", "acme/os:v1,acme/os:latest"}, `--tag "acme/os:v1,acme/os:latest" is not the name of an image: invalid reference format`},
		{[]string{"build", "--push", "-t", "Acme/OS"}, `--tag "Acme/OS" is not the name of an image: `},
		{[]string{"build", "-t", "acme/os:v1"}, "--tag needs --push, or an output such as -o type=oci,dest=image.tar"},
		{[]string{"build", "-t", "acme/os:v1", "--target", "img", "-o", "dist"}, "--tag is for images, and the target img makes files; remove --target"},
		{[]string{"build", "-t", "acme/os:v1", "-o", "type=local,dest=dist", "-o", "type=tar,dest=a.tar"}, "--tag is for images, and no output is one; add one such as -o type=oci,dest=image.tar"},
		{[]string{"build", "-t", "a b", "-o", "dist"}, `--tag "a b" is not the name of an image: `},
		{[]string{"matrix", "build", "--push"}, "--push needs --registry"},
		{[]string{"matrix", "build", "--registry", "x"}, "--registry needs --push"},
		{[]string{"matrix", "build", "--push", "--registry", "x", "--target", "iso"}, "--push is for images, and the target iso makes files; remove --target, or choose image or img-image"},
		{[]string{"matrix", "build", "--push", "--registry", "x", "-o", "dist"}, "--push and --output exclude each other"},
		{[]string{"matrix", "build", "--push", "--registry", "https://ghcr.io"}, `--registry "https://ghcr.io" is not one: invalid reference format`},
		{[]string{"bake", "--registry", "Bad Reg"}, `--registry "Bad Reg" is not one: `},
		{[]string{"bake", "--registry", ""}, `--registry "" is not one: `},
		{[]string{"bake", "--frontend", "x y"}, `--frontend "x y" is not the name of an image: `},

		{[]string{"matrix", "--version", "7"}, `--version: "7" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`},
		{[]string{"matrix", "build", "--version", "a\nb"}, `--version: "a\nb" is not a version; `},
		{[]string{"bake", "--version", "1"}, `--version: "1" is not a version; `},

		{[]string{"build", "kairos.spec", "-f", "kairos.spec"}, "kairos.spec is a file and not a build context, and there is a spec already"},
		{[]string{"check", "kairos.spec", "-f", "kairos.spec"}, "kairos.spec is a file and not a build context, and there is a spec already"},
		{[]string{"build", "-f", "-"}, "-f -: cannot read a spec from standard input; name a file"},
		{[]string{"plan", "-f", "-"}, "-f -: cannot read a spec from standard input; name a file"},
		{[]string{"init", "-f", "new.spec", "--flavor", "debian12"}, `--flavor: no flavor is called "debian12"; did you mean "debian-12"?`},
		{[]string{"init", "-f", "new.spec", "--target", "sbom"}, `--target: "sbom" is no target to build first; valid: gce, image, img, iso, `},
		{[]string{"init", "-f", "new.spec", "--install", "reboot"}, `--install: it needs a user; name one with --user`},

		{[]string{"boot", "-p", "2222", "disk.img"}, `--publish "2222" is not two ports; write it such as 2222:22`},
		{[]string{"boot", "-p", "2222:0", "disk.img"}, `--publish "2222:0" is not two ports`},
		{[]string{"boot", "-p", "a:22", "-p", "2222:22", "disk.img"}, `--publish "a:22" is not two ports`},
		{[]string{"boot", "none.img", "--accel", "hvf"}, `accelerator "hvf" is unknown: auto, kvm or tcg`},
		{[]string{"boot", "disk.img", "--firmware", "efi"}, `firmware "efi" is unknown: bios, uefi or secureboot`},
		{[]string{"boot", "disk.img", "--firmware", "bios", "--arch", "arm64"}, "arm64 has no BIOS, use uefi"},
		{[]string{"boot", "disk.img", "--arch", "x86_64"}, `unknown architecture "x86_64"; did you mean "amd64"? valid: amd64, arm64, riscv64`},
		{[]string{"boot", "disk.img", "--disk", "-1"}, "--disk -1 is not a size in GiB"},
		{[]string{"boot", "disk.img", "--cpus", "0"}, "--cpus 0 is too few; give at least 1"},
		{[]string{"boot", "disk.img", "--memory", "4"}, "--memory 4 is too little; give at least 256, in MiB"},
	} {
		t.Run(c.want, func(t *testing.T) {
			code, stdout, stderr := flavorkit(t.Context(), c.args...)
			assert.Equal(t, exitUsage, code)
			assert.Empty(t, stdout)
			assert.Regexp(t, "^flavorkit: .*\nSee 'flavorkit --help'.\n$", stderr)
			assert.Contains(t, stderr, "flavorkit: "+c.want)
		})
	}
	assert.NoFileExists(t, "new.spec")
	assert.NoFileExists(t, "docker-bake.json")
	assert.NoDirExists(t, "dist")
}

// TestFlagsPass checks command lines that look wrong but are right.
func TestFlagsPass(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("BUILDKIT_HOST", nowhere)
	write(t, "kairos.spec", good)
	for _, args := range [][]string{
		{"build", "kairos.spec"},
		{"build", "--platform", "linux/amd64,arm64"},
		{"build", "--push", "-t", "acme/os:v1", "--target", "img-image"},
		{"build", "-t", "acme/os:v1", "-o", "dist"},
		{"build", "-t", "acme/os:v1", "-o", "type=local,dest=dist", "-o", "type=docker,dest=a.tar"},
		{"build", "--cache-from", "acme/cache", "--cache-to", "type=inline", "--progress", ""},
		{"build", "--label", "alone", "--build-arg", "HTTP_PROXY"},
		{"build", "--secret", "id=a,src=kairos.spec", "--secret", "id=b,env=HOME"},
		{"matrix", "build", "--push", "--registry", "localhost:5000/acme", "--version", "v1.0.0-rc.1+build"},
		{"matrix", "build", "--push", "--registry", "localhost:5000/acme", "--target", "img-image"},
	} {
		code, _, stderr := flavorkit(t.Context(), args...)
		assert.Equal(t, exitFailed, code, args)
		assert.Contains(t, stderr, "flavorkit: talk to the builder "+nowhere, args)
	}
}

func TestPairs(t *testing.T) {
	environment := func(key string) (string, bool) { return "of " + key, key == "HTTP_PROXY" }
	for _, c := range []struct {
		list []string
		want map[string]string
	}{
		{nil, map[string]string{}},
		{[]string{"desc=x=1, y", "k=v,w"}, map[string]string{"desc": "x=1, y", "k": "v,w"}},
		{[]string{"A=", "A=b"}, map[string]string{"A": "b"}},
		{[]string{"HTTP_PROXY", "NO_PROXY"}, map[string]string{"HTTP_PROXY": "of HTTP_PROXY"}},
	} {
		got, err := pairs("build-arg", c.list, environment)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"dist/kairos-1.0+x.iso": "dist/kairos-1.0+x.iso",
		"my board.spec":         "'my board.spec'",
		"it's.spec":             `'it'\''s.spec'`,
		"$HOME":                 "'$HOME'",
		"":                      "''",
	} {
		assert.Equal(t, want, quote(word))
	}
}
