package inspect_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/sbom"
)

// goProgram is a small program that tells its Go modules.
func goProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files{"main.go": "package main\n\nfunc main() {}\n"}.write(t, dir)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", "program", "main.go")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	program, err := os.ReadFile(filepath.Join(dir, "program"))
	require.NoError(t, err)
	return string(program)
}

// TestBill reads the same bill of materials from every kind of source.
func TestBill(t *testing.T) {
	program := goProgram(t)
	system := kairos().with(files{
		"usr/bin/acme": program, "usr/share/acme": program, "usr/bin/sh": "\x7fELF and no more", "usr/bin/x": "x",
		"usr/lib/os-release":           "ID=debian\nVERSION_ID=\"12\"\n",
		"usr/share/doc/bash/copyright": "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nLicense: GPL-3+\n",
	})
	img := image(t, "amd64", files{"usr/bin/gone": program}, system.with(files{"usr/bin/.wh.gone": "x"}))
	dir := ociLayout(t, img)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/kairos:v1")
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))
	docker := filepath.Join(t.TempDir(), "docker.tar")
	tag, err := name.NewTag("registry.example.com/kairos:v1")
	require.NoError(t, err)
	require.NoError(t, tarball.WriteToFile(docker, tag, img))
	tree := filepath.Join(t.TempDir(), "tree")
	system.write(t, tree)
	squashed := squash(t, system)
	root, err := os.ReadFile(squashed)
	require.NoError(t, err)
	for _, c := range []struct{ path, name string }{
		{dir, "layout"},
		{save(t, "edge.oci.tar", readTree(t, dir).archive(t)), "edge"},
		{docker, "docker"},
		{ref.String(), "kairos:v1"},
		{save(t, "root.tar", system.archive(t)), "root"},
		{tree, "tree"},
		{squashed, "rootfs"},
		{liveISO(t, system), "kairos"},
		{disk(t, files{"cOS/active.img": string(root)}), "kairos"},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			bill, err := inspect.Bill(t.Context(), c.path, inspect.Options{})
			require.NoError(t, err)
			assert.Equal(t, []string{c.name, "v1.0.0"}, []string{bill.Name, bill.Version})
			require.Len(t, bill.Stages, 1)
			found := bill.Stages[0].Found
			assert.Equal(t, []string{"debian", "12", "deb"}, []string{found.ID, found.Version, found.Type})
			assert.Equal(t, []pkgdb.Package{
				{Name: "bash", Version: "5.2.15-2", Arch: "amd64", Source: "bash", SourceVersion: "5.2.15-2", Licenses: []string{"GPL-3+"}},
				{Name: "curl", Version: "7.88.1-10", Arch: "amd64", Source: "curl", SourceVersion: "7.88.1-10"},
			}, found.Packages)
			require.Len(t, bill.Programs, 1)
			assert.Equal(t, "/usr/bin/acme", bill.Programs[0].Path)
			require.Len(t, bill.Programs[0].Modules, 1)
			assert.Equal(t, "stdlib", bill.Programs[0].Modules[0].Path)
			for _, format := range sbom.Formats() {
				_, err = bill.Write(format)
				require.NoError(t, err)
			}
		})
	}
}

// TestBillTime has the time of the release, for what is no image.
func TestBillTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	kairos().write(t, dir)
	when := time.Unix(1700000000, 0)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "etc/kairos-release"), when, when))
	bill, err := inspect.Bill(t.Context(), dir, inspect.Options{})
	require.NoError(t, err)
	assert.True(t, when.Equal(bill.Created), bill.Created)
}

func TestBillArch(t *testing.T) {
	several := ociLayout(t, image(t, "amd64", kairos()), image(t, "arm64", kairos()))
	_, err := inspect.Bill(t.Context(), several, inspect.Options{Arch: "arm64"})
	require.NoError(t, err)
	_, err = inspect.Bill(t.Context(), several, inspect.Options{})
	require.ErrorContains(t, err, "there are 2 images; choose one by its architecture: amd64, arm64")
	one := ociLayout(t, image(t, "amd64", kairos()))
	_, err = inspect.Bill(t.Context(), one, inspect.Options{Arch: "riscv64"})
	require.ErrorContains(t, err, "layout has no image for riscv64; it has one for amd64")

	path, err := layout.FromPath(one)
	require.NoError(t, err)
	unknown := v1.Platform{OS: "unknown", Architecture: "unknown"}
	provenance, err := mutate.ConfigFile(image(t, "unknown", files{"x": "x"}), &v1.ConfigFile{})
	require.NoError(t, err)
	require.NoError(t, path.AppendImage(provenance, layout.WithPlatform(unknown)))
	_, err = inspect.Bill(t.Context(), one, inspect.Options{})
	require.NoError(t, err, "provenance is no image")
}

// TestBillOther reads systems that are not Kairos, if they have packages.
func TestBillOther(t *testing.T) {
	bare := kairos().with(files{"etc/kairos-release": ""})
	bill, err := inspect.Bill(t.Context(), ociLayout(t, image(t, "amd64", bare)), inspect.Options{})
	require.NoError(t, err)
	assert.Equal(t, "v1.0.0", bill.Version, "the label of the image")
	_, err = inspect.Bill(t.Context(), save(t, "a.tar", bare.with(files{"var/lib/dpkg/status": ""}).archive(t)), inspect.Options{})
	require.ErrorContains(t, err, "a.tar (tar archive): there is no database of dpkg, apk or rpm")
}
