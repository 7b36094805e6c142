package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
)

// TestFormats checks that every command with a format has text as the default, and that --json is
// short for --format json.
func TestFormats(t *testing.T) {
	found := 0
	eachCommand(rootCommand(&bytes.Buffer{}, &bytes.Buffer{}), func(cmd *cobra.Command) {
		flag := cmd.Flags().Lookup("format")
		if flag == nil {
			return
		}
		found++
		assert.Equal(t, formatText, flag.DefValue, cmd.CommandPath())
		valid := flag.Annotations[choicesKey]
		assert.Contains(t, valid, formatText, cmd.CommandPath())
		if cmd.Name() != "sbom" { // whose documents are JSON
			assert.Contains(t, valid, formatJSON, cmd.CommandPath())
			assert.NotNil(t, cmd.Flags().Lookup("json"), cmd.CommandPath())
		}
	})
	assert.Equal(t, 13, found)

	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good)
	for _, line := range []string{"plan --arch amd64", "check --arch amd64", "graph --arch amd64", "cloud-config --arch amd64", "matrix --arch amd64", "diff kairos.spec kairos.spec --arch amd64"} {
		code, short, stderr := flavorkit(t.Context(), strings.Fields(line+" --json")...)
		assert.Zero(t, code, "%s: %s", line, stderr)
		_, long, _ := flavorkit(t.Context(), strings.Fields(line+" --format json")...)
		assert.Equal(t, long, short, line)
		assert.Contains(t, "[{", short[:1], line)
	}
	code, _, stderr := flavorkit(t.Context(), "plan", "--json", "--format", "text")
	assert.NotZero(t, code)
	assert.Contains(t, stderr, "[json format]")
}

// TestCompletion completes values of flags.
func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"graph --target": "iso\n", "check --arch": "arm64\n", "build --platform": "linux/arm64\n", "init --flavor": "debian-12\n",
		"init --kernel": "debian-13\n", "cloud-config --stage": "network\n", "scan --format": "sarif\n",
	} {
		code, stdout, _ := flavorkit(t.Context(), append([]string{cobra.ShellCompRequestCmd}, append(strings.Fields(line), "")...)...)
		assert.Zero(t, code, line)
		assert.Contains(t, stdout, want, line)
	}
}
