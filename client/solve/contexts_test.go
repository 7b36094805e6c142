package solve

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/moby/buildkit/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tonistiigi/fsutil"
)

func TestAddContext(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	one := filepath.Join(dir, "layout")
	l, err := layout.Write(one, empty.Index)
	require.NoError(t, err)
	require.NoError(t, l.AppendImage(empty.Image))
	image, err := empty.Image.Digest()
	require.NoError(t, err)
	for _, c := range []struct{ name, value, key, want, err string }{
		{name: "a", value: dir, key: "a", want: "local:a"},
		{name: "a", value: "docker-image://debian:12", key: "a", want: "docker-image://debian:12"},
		{name: "a", value: "https://example.com/x.git", key: "a", want: "https://example.com/x.git"},
		{name: "docker.io/library/debian:12", value: "oci-layout://" + one, key: "debian:12", want: "oci-layout:layout-debian-12@" + image.String()},
		{name: "a", value: "oci-layout://" + one + "@" + image.String(), key: "a", want: "oci-layout:layout-a@" + image.String()},
		{name: "a", value: file, err: "there is no directory " + file},
		{name: "a", value: "nowhere", err: "there is no directory nowhere"},
		{name: "a", value: "oci-layout://nowhere", err: "open the OCI layout nowhere: "},
	} {
		t.Run(c.value, func(t *testing.T) {
			opt := &client.SolveOpt{LocalMounts: map[string]fsutil.FS{}, FrontendAttrs: map[string]string{}}
			err := addContext(opt, c.name, c.value)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				assert.Empty(t, opt.FrontendAttrs)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, map[string]string{"context:" + c.key: c.want}, opt.FrontendAttrs)
		})
	}
}
