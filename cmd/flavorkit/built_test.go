package main

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPrintBuilt prints what was built for people and for programs.
func TestPrintBuilt(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "dist/a.iso", "iso")
	files := built{Images: []builtImage{{Name: "acme/edge:v1", Digest: "sha256:01"}}}
	files.add("dist/a.iso", "dist")
	for _, c := range []struct {
		name       string
		b          built
		text, json string
	}{
		{"files", files, "dist/a.iso\ndist\n", `{
			"files": [{"name": "dist/a.iso", "size": 3, "digest": "sha256:e0e4548df88a35d5854d052281c5deedad16f286f82cb2c23f2f9dea494834ac"}, {"name": "dist"}],
			"images": [{"name": "acme/edge:v1", "digest": "sha256:01"}]}`},
		{"images", built{Images: []builtImage{{"core", "acme/edge:v1", "sha256:01"}}}, "acme/edge:v1\n", `{
			"files": [], "images": [{"entry": "core", "name": "acme/edge:v1", "digest": "sha256:01"}]}`},
		{"nothing", built{}, "", `{"files": [], "images": []}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := &cobra.Command{}
			cmd.SetOut(&out)
			require.NoError(t, c.b.print(cmd, formatText))
			assert.Equal(t, c.text, out.String())
			out.Reset()
			require.NoError(t, c.b.print(cmd, formatJSON))
			assert.JSONEq(t, c.json, out.String())
		})
	}
	missing := built{}
	missing.add("dist/none")
	require.ErrorContains(t, missing.print(&cobra.Command{}, formatJSON), "read what was built: open dist/none")
}
