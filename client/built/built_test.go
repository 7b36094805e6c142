package built

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan/sbom"
)

// layer is a layer with files.
func layer(t *testing.T, files map[string]string) v1.Layer {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for name, text := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}))
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data.Bytes())), nil })
	require.NoError(t, err)
	return l
}

// writeLayout writes an image for each platform into a layout.
func writeLayout(t *testing.T, more map[string]string, platforms ...v1.Platform) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	program, err := os.ReadFile(self)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "acme")
	index, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	for _, p := range platforms {
		image, err := mutate.AppendLayers(empty.Image, layer(t, map[string]string{
			"etc/os-release": "ID=debian\nVERSION_ID=12\n", "var/lib/dpkg/status": "Package: old\nStatus: install ok installed\n",
			"usr/bin/acme": string(program), "usr/bin/gone": string(program), "usr/share/acme": string(program),
		}), layer(t, map[string]string{
			"var/lib/dpkg/status": "Package: bash\nStatus: install ok installed\nVersion: 5.2\nArchitecture: " + p.Architecture + "\n",
			"usr/bin/.wh.gone":    "", "usr/bin/sh": "\x7fELF and no more",
		}), layer(t, more))
		require.NoError(t, err)
		config, err := image.ConfigFile()
		require.NoError(t, err)
		config = config.DeepCopy()
		config.OS, config.Architecture = p.OS, p.Architecture
		config.Config.Labels = map[string]string{"org.opencontainers.image.version": "v1.0.0"}
		image, err = mutate.ConfigFile(image, config)
		require.NoError(t, err)
		require.NoError(t, index.AppendImage(image, layout.WithPlatform(p)))
	}
	return dir
}

// archive makes an archive of a layout.
func archive(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "acme.oci.tar")
	f, err := os.Create(file)
	require.NoError(t, err)
	defer f.Close()
	w := tar.NewWriter(f)
	require.NoError(t, w.AddFS(os.DirFS(dir)))
	require.NoError(t, w.Close())
	return file
}

func TestSBOM(t *testing.T) {
	amd64, arm64 := v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"}
	attestation := v1.Platform{OS: "unknown", Architecture: "unknown"}
	one, several := writeLayout(t, nil, amd64, attestation), writeLayout(t, nil, amd64, arm64)
	for name, tc := range map[string]struct{ file, arch, want string }{
		"directory": {one, "", "amd64"},
		"archive":   {archive(t, one), "", "amd64"},
		"platform":  {several, "arm64", "arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.True(t, IsImage(tc.file))
			s, err := SBOM(tc.file, tc.arch)
			require.NoError(t, err)
			assert.Equal(t, []string{"acme", "v1.0.0"}, []string{s.Name, s.Version})
			require.Len(t, s.Stages[0].Found.Packages, 1)
			assert.Equal(t, []string{"bash", tc.want}, []string{s.Stages[0].Found.Packages[0].Name, s.Stages[0].Found.Packages[0].Arch})
			var programs []string
			for _, p := range s.Programs {
				programs = append(programs, p.Path)
			}
			assert.Equal(t, []string{"/usr/bin/acme"}, programs)
			_, err = s.Write(sbom.SPDX)
			require.NoError(t, err)
		})
	}
	_, err := SBOM(several, "")
	require.ErrorContains(t, err, "it has several images, for amd64, arm64; choose one with --platform")
	_, err = SBOM(one, "riscv64")
	require.ErrorContains(t, err, "it has no image for riscv64")
	_, err = SBOM(writeLayout(t, map[string]string{"../../outside": ""}, amd64), "")
	require.ErrorContains(t, err, "unsafe tar path")
	_, err = SBOM(t.TempDir(), "")
	require.ErrorContains(t, err, "it is no OCI layout")
	spec := filepath.Join(t.TempDir(), "kairos.spec")
	require.NoError(t, os.WriteFile(spec, bytes.Repeat([]byte("x"), 1000), 0o600))
	assert.False(t, IsImage(spec))
	_, err = SBOM(spec, "")
	require.ErrorContains(t, err, "read the archive")
}
