package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
)

func TestOpenOutputs(t *testing.T) {
	plans := []*plan.Plan{{File: "os-amd64-v1", Arch: "amd64"}, {File: "os-arm64-v1", Arch: "arm64"}}
	for _, c := range []struct {
		name  string
		flags buildFlags
		plans []*plan.Plan
		kinds []string
		// names of images, and directories that are written to
		names, dirs []string
		err         string
	}{
		{name: "push", flags: buildFlags{solveFlags: solveFlags{push: true}, tag: "acme/os:v1"}, kinds: []string{client.ExporterImage}, names: []string{"acme/os:v1"}},
		{name: "an image by default", plans: plans[:1], kinds: []string{client.ExporterOCI}, names: []string{""}, dirs: []string{"dist"}},
		{name: "several outputs, one name", flags: buildFlags{outputs: []string{"a", "type=tar,dest=b/x.tar"}, tag: "acme/os:v1"}, plans: plans,
			kinds: []string{client.ExporterOCI, client.ExporterTar}, names: []string{"acme/os:v1", ""}, dirs: []string{"a", "b"}},
		{name: "the second is no file", flags: buildFlags{outputs: []string{"a", "type=oci,dest=directory"}}, plans: plans,
			kinds: []string{client.ExporterOCI}, names: []string{""}, dirs: []string{"a"}, err: "directory is a directory; name a file in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			require.NoError(t, os.Mkdir("directory", 0o755))
			require.NoError(t, c.flags.parseOutputs())
			outputs, err := c.flags.openOutputs(c.plans)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.err)
			}
			var kinds, names []string
			for _, o := range outputs {
				kinds, names = append(kinds, o.Entry.Type), append(names, o.Entry.Attrs["name"])
			}
			assert.Equal(t, c.kinds, kinds)
			assert.Equal(t, c.names, names)
			for _, dir := range c.dirs {
				hidden, err := filepath.Glob(dir + "/.flavorkit-*")
				require.NoError(t, err)
				assert.Len(t, hidden, 1, dir)
			}
			discard(outputs, &err)
		})
	}
}
