package integration

import (
	"io"
	"os"
	"testing"

	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
)

// sumOf returns the checksum of a file. Independent engines must make the same files: TestShells
// compares images and disks, and TestInterrupted ISOs. Package versions are not locked, so a mirror
// that changes in between changes the result.
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
