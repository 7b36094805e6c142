package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
)

const edgeMatrix = `entries:
  - extends: [debian-12, ./edge.spec]
    kernels: [debian-12, debian-13]
    architectures: [amd64]
`

func TestMatrixCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "ci/edge.yaml", edgeMatrix)
	write(t, "ci/edge.spec", "extends: debian-13\nname: edge\nversion: v3.0.0\n")
	write(t, "bad.yaml", "entries:\n  - extends: [debain-12, alpine]\n    kernels: [gentoo]\n    models: [rpi4]\n    architectures: [amd64, arm64]\n")
	write(t, "acme.yaml", "entries: [{extends: [acme], architectures: [amd64]}]")
	write(t, "ci/acme/kairos.spec", "extends: debian-12\nversion: v1.0.0\n")
	write(t, "ci/a,v=1/kairos.spec", "extends: debian-12\nversion: v1.0.0\n")
	write(t, "mine.json", `{"target": {"app": {}}}`)
	write(t, "empty.json", "")
	write(t, "key.yaml", "entries:\n  - extend: [alpine]\n")
	const mistakes = `flavorkit: bad.yaml:2:15: extends: no flavor and no named context is called "debain-12"; did you mean "debian-12"?
bad.yaml:3:15: kernel.from: unknown distribution "gentoo"; valid: alpine-3.21, `
	for _, c := range []commandLine{
		{line: "matrix --help", stdout: "flavorkit matrix build --arch amd64 --target iso"},
		{line: "matrix", stdout: "core-alpine-ubuntu-amd64-generic             alpine-3.23         ubuntu-24.04        openrc   core      amd64    generic  core-alpine-ubuntu:3.23-core-amd64-generic-v0.1.0\n"},
		{line: "matrix --version v2.0.0 --entry core-alpine-arm64-generic", stdout: "core-alpine:3.23-core-arm64-generic-v2.0.0\n"},
		{line: "matrix -f ci/edge.yaml", stdout: "edge-amd64-debian-12       debian-13  debian-12  systemd  core     amd64  generic  edge-amd64-debian-12:13-core-amd64-generic-v3.0.0\n"},
		{line: "matrix -f bad.yaml", code: exitFailed, stderr: mistakes},
		{line: "matrix -f bad.yaml --flavor alpine", code: exitFailed, stderr: "flavorkit: bad.yaml:3:15: kernel.from: "},
		{line: "matrix -f key.yaml", code: exitFailed, stderr: "flavorkit: key.yaml:2:5: entries[0]: unknown key \"extend\"; did you mean \"extends\"?\n"},
		{line: "matrix -f none.yaml", code: exitFailed, stderr: "flavorkit: no matrix none.yaml\n"},
		{line: "matrix --arch i386", code: exitUsage, stderr: "flavorkit: --arch \"i386\" matches no entry; valid: amd64, arm64, riscv64\nSee"},
		{line: "matrix --format xml", code: exitUsage, stderr: "flavorkit: unknown format \"xml\"; valid: json, text\nSee"},
		{line: "matrix bild", code: exitUsage, stderr: "flavorkit: unknown command \"bild\" for \"flavorkit matrix\"\nSee"},
		{line: "matrix build x", code: exitUsage, stderr: "flavorkit: unknown command \"x\" for \"flavorkit matrix build\"\nSee"},
		{line: "matrix build -f key.yaml", code: exitFailed, stderr: "flavorkit: key.yaml:2:5: "},
		{line: "bake --flavor debian-12 -o -", stdout: "\"dockerfile-inline\": \"# syntax=ghcr.io/flavorkit/frontend:1\\nextends: debian-12\\nvariant: core\\nmodel: generic\\nversion: ${VERSION}\\n\""},
		{line: "bake -f ci/edge.yaml", stdout: "wrote docker-bake.json; build it with: docker buildx bake -f docker-bake.json\n"},
		{line: "bake -f ci/edge.yaml", stdout: "wrote docker-bake.json; "},
		{line: "bake -f ci/edge.yaml -o mine.json", code: exitFailed, stderr: "flavorkit: mine.json exists and was not written by flavorkit; choose another file with -o\n"},
		{line: "bake -f ci/edge.yaml -o empty.json", stdout: "wrote empty.json; "},
		{line: "bake -f acme.yaml -o - --build-context acme=ci/a,v=1", stdout: "\"acme\": \"ci/a,v=1\""},
		{line: "bake -f acme.yaml", code: exitFailed, stderr: "flavorkit: acme.yaml:1:22: extends: no flavor and no named context is called \"acme\"; "},
		{line: "bake -f bad.yaml -o bad.json", code: exitFailed, stderr: mistakes},
		{line: "bake -o - --flavor debian-12 --cache-to ref=acme/cache", code: exitUsage, stderr: "flavorkit: --cache-to \"ref=acme/cache\" is the same cache for 8 targets, which would overwrite each other; put {entry} into its name"},
		{line: "bake -o - --entry core-debian-12-amd64-generic --cache-to ref=acme/cache", stdout: "\"ref=acme/cache\""},
		{line: "bake -o - --flavor debian-12 --cache-to type=inline", stdout: "\"type=inline\""},
		{line: "bake -o none/x.json", code: exitFailed, stderr: "flavorkit: write the bake file: open none/x.json: no such file or directory\n"},
	} {
		t.Run(c.line, c.run)
	}
	assert.NoFileExists(t, "bad.json")
	mine, err := os.ReadFile("mine.json")
	require.NoError(t, err)
	assert.JSONEq(t, `{"target": {"app": {}}}`, string(mine))
	assert.NoDirExists(t, "dist")
}

func TestMatrixAsJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "edge.yaml", edgeMatrix)
	write(t, "edge.spec", "extends: debian-13\nname: edge\nversion: v3.0.0\n")
	code, stdout, stderr := flavorkit(t.Context(), "matrix", "-f", "edge.yaml", "--format", "json", "--entry", "edge-*-12")
	require.Zero(t, code, stderr)
	var list []map[string]string
	require.NoError(t, json.Unmarshal([]byte(stdout), &list))
	assert.Equal(t, []map[string]string{{
		"name": "edge-amd64-debian-12", "userland": "debian-13", "kernel": "debian-12", "kernelPackage": "linux-image-amd64", "init": "systemd",
		"variant": "core", "arch": "amd64", "model": "generic",
		"image": "edge-amd64-debian-12:13-core-amd64-generic-v3.0.0", "file": "edge-debian-13-core-amd64-generic-v3.0.0",
		"spec": "extends: ./edge.spec\nkernel: debian-12\n",
	}}, list)
}

// TestBakeVersion checks which versions bake sets.
func TestBakeVersion(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "edge.yaml", "entries: [{extends: [debian-12, ./edge.spec], architectures: [amd64]}, {extends: [alpine], architectures: [amd64], versions: [v5.0.0]}]")
	write(t, "edge.spec", "extends: debian-13\nname: edge\nversion: v3.0.0\n")
	for _, c := range []struct {
		args    []string
		version string
		has     []string
	}{
		{version: `"default": "v0.1.0"`, has: []string{"what is built: image, iso, img, qcow2, vhd, vmdk, gce, img-image, netboot, sysext, confext, test", `extends: ./edge.spec\n"`, `core-debian-12:12-core-amd64-generic-${replace(`, `core-debian-13:13-core-amd64-generic-v3.0.0\"`, `version: v5.0.0\n"`}},
		{args: []string{"--version", "v7.0.0"}, version: `"default": "v7.0.0"`, has: []string{`extends: ./edge.spec\nversion: ${VERSION}\n"`, `core-debian-13:13-core-amd64-generic-${replace(`, `version: v5.0.0\n"`}},
	} {
		code, _, stderr := flavorkit(t.Context(), append([]string{"bake", "-f", "edge.yaml"}, c.args...)...)
		require.Zero(t, code, stderr)
		text, err := os.ReadFile("docker-bake.json")
		require.NoError(t, err)
		for _, part := range append(c.has, c.version) {
			assert.Contains(t, string(text), part)
		}
	}
}

// TestImagePlace checks the names of system images and data images.
func TestImagePlace(t *testing.T) {
	p := &plan.Plan{File: "kairos-debian-12"}
	for _, c := range []struct {
		target    string
		dirs      bool
		file, ref string
	}{
		{"image", false, "dist/kairos-debian-12.oci.tar", "ghcr.io/acme/core-debian-12:v1"},
		{"img-image", false, "dist/kairos-debian-12-img.oci.tar", "ghcr.io/acme/core-debian-12:v1-img"},
		{"img-image", true, "dist/entry/kairos-debian-12-img.oci.tar", "ghcr.io/acme/core-debian-12:v1-img"},
	} {
		target, err := findTarget(c.target)
		require.NoError(t, err)
		f := &matrixBuildFlags{output: "dist", registry: "ghcr.io/acme", solveFlags: solveFlags{target: target}}
		file, ref := f.imagePlace(entryNames{dirs: c.dirs, images: []string{"core-debian-12:v1"}}, 0, "entry", p)
		assert.Equal(t, c.file, filepath.ToSlash(file))
		assert.Equal(t, c.ref, ref)
	}
}
