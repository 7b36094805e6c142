package integration

import (
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/require"
)

// command returns the path of the command flavorkit, which is built once for all tests.
func command(t *testing.T) string {
	t.Helper()
	file, err := buildCommand()
	require.NoError(t, err)
	return file
}

var buildCommand = sync.OnceValues(func() (string, error) {
	file, err := filepath.Abs("../../.cache/integration/flavorkit")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", file, "github.com/flavorkit/flavorkit/cmd/flavorkit").CombinedOutput()
	return file, errors.Wrapf(err, "build flavorkit: %s", out)
})
