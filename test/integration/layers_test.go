package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/package-url/packageurl-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
)

// imageOf writes an image with some files into an OCI layout, as a named context. Files have their
// name as their content.
func imageOf(t *testing.T, files ...tar.Header) string {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, h := range files {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		require.NoError(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := io.WriteString(w, h.Name)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data.Bytes())), nil }, tarball.WithMediaType(types.OCILayer))
	require.NoError(t, err)
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.AppendLayers(base, layer)
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	config.OS, config.Architecture = "linux", arch
	config.Config.Labels = map[string]string{"acme": "layer"}
	config.Config.Env = []string{"ACME=layer"}
	image, err = mutate.ConfigFile(image, config)
	require.NoError(t, err)
	dir := t.TempDir()
	index, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, index.AppendImage(image, layout.WithPlatform(v1.Platform{OS: "linux", Architecture: arch})))
	return "oci-layout://" + dir
}

// TestLayers takes layers from a directory, from an image, and from an image that a named context
// replaces. What they have stays as it is, and the distribution's directories do too.
func TestLayers(t *testing.T) {
	t.Parallel()
	iso(t) // so that every other step is cached
	o := options(t, map[string]string{"kairos.spec": debianSpec + `layers:
  - {name: tools, context: tools, to: /opt/acme/tools, owner: '7:8'}
  - {name: extras, context: extras, path: out}
  - {name: one, image: 'acme.example/extras:v1', path: /out/usr/bin/extra, to: /lib/acme/extra, owner: '0:0'}
`})
	extras := imageOf(t,
		tar.Header{Typeflag: tar.TypeDir, Name: "out/", Mode: 0o777, Uid: 1000, Gid: 1000},
		tar.Header{Typeflag: tar.TypeDir, Name: "out/etc/", Mode: 0o777, Uid: 1000, Gid: 1000},
		tar.Header{Typeflag: tar.TypeDir, Name: "out/etc/acme/", Mode: 0o750, Uid: 1000, Gid: 1000},
		tar.Header{Typeflag: tar.TypeReg, Name: "out/etc/acme/key", Mode: 0o600, Uid: 1000, Gid: 1001},
		tar.Header{Typeflag: tar.TypeReg, Name: "out/usr/bin/extra", Mode: 0o4755},
		tar.Header{Typeflag: tar.TypeSymlink, Name: "out/usr/bin/also", Linkname: "/opt/acme/tools/bin/tool"},
		tar.Header{Typeflag: tar.TypeReg, Name: "var/lib/dpkg/status", Mode: 0o644},
	)
	o.Contexts["tools"] = writeFiles(t, map[string]string{"bin/tool": "a tool", "LICENSE": ""})
	o.Contexts["extras"], o.Contexts["acme.example/extras:v1"] = extras, extras
	r := watch(&o)
	archive := rootArchive(t, o)
	assert.Contains(t, r.ran(), "[layer/tools] copy / of the named context tools to /opt/acme/tools")
	assert.Contains(t, r.ran(), "[layer/one] copy /out/usr/bin/extra of the image acme.example/extras:v1 to /usr/lib/acme/extra")

	got := map[string]string{}
	f, err := os.Open(archive)
	require.NoError(t, err)
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		got[strings.TrimSuffix(h.Name, "/")] = fmt.Sprintf("%d:%d %04o %s", h.Uid, h.Gid, h.Mode, h.Linkname)
	}
	for name, want := range map[string]string{
		"opt":                     "0:0 0755 ",
		"opt/acme":                "0:0 0755 ",
		"opt/acme/tools":          "7:8 0755 ",
		"opt/acme/tools/bin/tool": "7:8 0644 ",
		"etc":                     "0:0 0755 ",
		"etc/acme":                "1000:1000 0750 ",
		"etc/acme/key":            "1000:1001 0600 ",
		"usr/bin/extra":           "0:0 4755 ",
		"usr/bin/also":            "0:0 0777 /opt/acme/tools/bin/tool",
		"usr/lib/acme/extra":      "0:0 4755 ",
		"lib":                     "0:0 0777 usr/lib",
	} {
		assert.Equal(t, want, got[name], name)
	}
	assert.NotContains(t, got, "out")
	small := smallFiles(t, archive)
	assert.Equal(t, "a tool", string(small["opt/acme/tools/bin/tool"]))

	// The same system's bill of materials has exactly what dpkg lists.
	o.Target = frontend.SBOMTarget
	assert.ElementsMatch(t, dpkgList(t, small["var/lib/dpkg/status"]), billed(t, glob(t, build(t, embedded(t), o), "*.cdx.json"), "userland"))
}

// dpkgList lists the packages of a database as dpkg does: name, version and architecture.
func dpkgList(t *testing.T, status []byte) []string {
	t.Helper()
	dir := writeFiles(t, map[string]string{"status": string(status)})
	out, err := exec.CommandContext(t.Context(), "dpkg-query", "--admindir="+dir, "--show", "-f", "${Package} ${Version} ${Architecture} ${db:Status-Status}\n").Output()
	require.NoError(t, err)
	var all []string
	for line := range strings.Lines(string(out)) {
		if pkg, installed := strings.CutSuffix(line, " installed\n"); installed {
			all = append(all, pkg)
		}
	}
	return all
}

// billed lists the packages of a stage in a bill of materials as dpkgList does.
func billed(t *testing.T, file, stage string) (all []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var bom struct {
		Components []struct {
			Name, Version, Purl string
			Properties          []struct{ Name, Value string }
		}
	}
	require.NoError(t, json.Unmarshal(data, &bom))
	for _, c := range bom.Components {
		p, err := packageurl.FromString(c.Purl)
		if c.Purl == "" || !slices.ContainsFunc(c.Properties, func(p struct{ Name, Value string }) bool { return p.Value == stage }) {
			continue
		}
		require.NoError(t, err)
		all = append(all, c.Name+" "+c.Version+" "+p.Qualifiers.Map()["arch"])
	}
	return all
}

// TestBadLayers has the error point at the layer, or at its path.
func TestBadLayers(t *testing.T) {
	t.Parallel()
	iso(t) // else each mistake would interrupt the installation of packages
	for name, c := range map[string]struct {
		files    map[string]string
		links    map[string]string
		more     string
		err, log string
	}{
		"kernel": {
			files: map[string]string{"boot/vmlinuz-6.9": "a kernel"},
			err:   "layers[0]: the layer bad brings a kernel, an initramfs or kernel modules; ",
			log:   "check failed: /boot/vmlinuz-6.9: a kernel or an initramfs",
		},
		"directory in place of a link": {
			files: map[string]string{"bin/tool": "a tool"},
			err:   "layers[0]: the layer bad replaces a link or a directory of the distribution; ",
			log:   "check failed: /bin: a directory replaces the link to usr/bin",
		},
		"link that climbs": {
			files: map[string]string{"opt/a": ""}, links: map[string]string{"opt/b": "../../etc/shadow"},
			err: "layers[0]: the layer bad has a link that leads out of the system; ",
			log: "check failed: /opt/b: the link to ../../etc/shadow leads out of the system",
		},
		"database of packages": {
			files: map[string]string{"var/lib/dpkg/status": ""},
			err:   "layers[0]: the layer bad brings the database of a package manager; ",
			log:   "check failed: /var/lib/dpkg/status: the database of a package manager",
		},
		"nothing at its path": {
			files: map[string]string{"opt/a": ""}, more: ", path: opt/b",
			err: "layers[0].path: there is nothing at /opt/b in the named context bad; ",
		},
		"nothing in it": {
			files: map[string]string{".dockerignore": "*\n", "a": ""},
			err:   "there is nothing at / in the named context bad; ",
			log:   "check failed: /: the tree is empty",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, map[string]string{"kairos.spec": debianSpec + "layers:\n  - {name: bad, context: bad" + c.more + "}\n"})
			dir := writeFiles(t, c.files)
			for link, target := range c.links {
				require.NoError(t, os.Symlink(target, filepath.Join(dir, link)))
			}
			o.Contexts["bad"] = dir
			r := watch(&o)
			_, err := solve.Build(t.Context(), embedded(t), o)
			require.Error(t, err)
			assert.Contains(t, err.Error(), "kairos.spec:5:")
			assert.Contains(t, err.Error(), c.err)
			assert.Contains(t, r.log.String(), c.log)
			sources := errdefs.Sources(err)
			require.NotEmpty(t, sources, "the error points at the spec")
			assert.EqualValues(t, 5, sources[0].Ranges[0].Start.Line)
		})
	}
}
