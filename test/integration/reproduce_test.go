package integration

import (
	"io"
	"os"
	"testing"

	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
)

// sumOf tells files apart by their bytes. Two engines that know nothing of each
// other make the same ones: TestShells compares images and disks, and
// TestInterrupted ISOs. Packages are those of the moment: a mirror that changes in
// between changes the result.
func sumOf(t *testing.T, file string) digest.Digest {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	d := digest.Canonical.Digester()
	_, err = io.Copy(d.Hash(), f)
	require.NoError(t, err)
	return d.Digest()
}
