package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/golden"
)

// TestMan writes the manual pages: one for each command, with its flags, the same every time.
func TestMan(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1764201600")
	dir := filepath.Join(t.TempDir(), "man1")
	code, stdout, stderr := flavorkit(t.Context(), "man", dir)
	require.Zero(t, code, stderr)
	assert.Empty(t, stdout)

	eachCommand(rootCommand(&bytes.Buffer{}, &bytes.Buffer{}), func(cmd *cobra.Command) {
		assert.FileExists(t, filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
	})
	page := read(t, filepath.Join(dir, "flavorkit-build.1"))
	assert.Contains(t, page, `.TH "FLAVORKIT-BUILD" "1" "Nov 2025"`)
	assert.Contains(t, page, `\fB--target\fP`)
	assert.Contains(t, read(t, filepath.Join(dir, "flavorkit.1")), "\n  2    wrong command line\n", "columns are kept")

	file := filepath.Join(dir, "flavorkit.1")
	code, _, stderr = flavorkit(t.Context(), "man", file)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "not a directory")
}

// TestCommandsPage keeps docs/commands.md equal to what --help prints.
func TestCommandsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString("<!-- Generated from the help texts of the commands: make generate -->\n\n" +
		"# Commands\n\nThis page has what `--help` prints. `flavorkit man` writes it as manual pages, and `flavorkit completion` makes a shell complete\n" +
		"commands, flags and their values.\n")
	eachCommand(rootCommand(&bytes.Buffer{}, &bytes.Buffer{}), func(cmd *cobra.Command) {
		if path := cmd.CommandPath(); !strings.HasPrefix(path, "flavorkit completion ") {
			cmd.InitDefaultHelpFlag()
			fmt.Fprintf(&page, "\n## %s\n\n```text\n%s\n\n%s```\n", path, strings.TrimSpace(helpText(cmd)), cmd.UsageString())
		}
	})
	golden.Check(t, "../../docs/commands.md", page.String())
}

func helpText(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}
