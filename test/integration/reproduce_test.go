package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/engine"
)

// TestReproducible builds image, ISO and disk once more on an engine that knows
// nothing of the first, and compares the bytes. Packages are those of the
// moment: a mirror that changes in between changes the result.
func TestReproducible(t *testing.T) {
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	watch(&o)
	first := image(t, embedded(t), o)

	e, err := engine.New(t.Context(), engine.Options{Root: passingState(t, "integration-clean")})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	second := image(t, e.Client(), o)
	assert.Equal(t, sumOf(t, first), sumOf(t, second), "the images differ")

	o.Target = "iso"
	name := filepath.Base(iso(t))
	assert.Equal(t, sumOf(t, iso(t)), sumOf(t, filepath.Join(build(t, e.Client(), o), name)), "the ISOs differ")

	o.Target = "img"
	disk := func(c *client.Client) string { return sumOf(t, filepath.Join(build(t, c, o), diskName+".img.zst")) }
	assert.Equal(t, disk(embedded(t)), disk(e.Client()), "the disks differ")
}

func sumOf(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return sha256Of(data)
}
