package integration

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKairos builds a system with the one program of Kairos from a named context: the program is
// there once, and all others are links to it. Our stand-in is the program (hack/components/multicall).
// The checks of the build find immucore in the initramfs.
func TestKairos(t *testing.T) {
	t.Parallel()
	o := options(t, map[string]string{"kairos.spec": debianSpec + "kairos: latest\n"})
	delete(o.Contexts, "kairos-agent")
	delete(o.Contexts, "immucore")
	o.Contexts = with(t, o.Contexts, "kairos")
	r := watch(&o)
	f, err := os.Open(rootArchive(t, o))
	require.NoError(t, err)
	defer f.Close()
	assert.Contains(t, r.log.String(), "[component/kairos] copy kairos from the named context kairos")

	links, programs := map[string]string{}, map[string]digest.Digest{}
	for files := tar.NewReader(f); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch base := filepath.Base(h.Name); {
		case base != "kairos" && base != "kairos-agent" && base != "immucore" && base != "kcrypt-discovery-challenger":
		case h.Typeflag == tar.TypeSymlink:
			links["/"+h.Name] = h.Linkname
		case h.Typeflag == tar.TypeReg && h.Mode&0o111 != 0:
			sum, err := digest.FromReader(files)
			require.NoError(t, err)
			programs["/"+h.Name] = sum
		}
	}
	assert.Equal(t, map[string]string{
		"/usr/bin/kairos-agent": "/usr/bin/kairos", "/usr/bin/immucore": "/usr/bin/kairos",
		"/system/discovery/kcrypt-discovery-challenger": "/usr/bin/kairos",
	}, links)
	assert.Equal(t, map[string]digest.Digest{"/usr/bin/kairos": sumOf(t, filepath.Join(o.Contexts["kairos"], "kairos"))}, programs)
}

// oneProgram checks a running system with the one program.
func (c console) oneProgram() {
	c.t.Helper()
	for _, link := range []string{"/usr/bin/kairos-agent", "/usr/bin/immucore", "/system/discovery/kcrypt-discovery-challenger"} {
		assert.Equal(c.t, "/usr/bin/kairos", c.run("readlink "+link))
	}
	assert.Contains(c.t, c.run("kairos --version"), "stand-in of flavorkit")
	assert.Contains(c.t, c.run("kairos-agent version"), component(c.t, "kairos-agent").Version, "the program in the stand-in")
}
