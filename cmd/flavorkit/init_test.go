package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/starter"
)

func TestInitWritesAllOrNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"init", "--user", "me", "--ssh-key", "github:me", "--install", "poweroff", "--arch", "arm64"}
	write(t, "cloud-config.yaml", "mine")
	code, _, stderr := flavorkit(t.Context(), args...)
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, "flavorkit: cloud-config.yaml already exists; use --force to replace it\n", stderr)
	assert.NoFileExists(t, "kairos.spec")

	code, stdout, stderr := flavorkit(t.Context(), append(args, "--force")...)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "wrote kairos.spec and cloud-config.yaml; build it with: flavorkit build . ")
	text, err := os.ReadFile("cloud-config.yaml")
	require.NoError(t, err)
	assert.Contains(t, string(text), "poweroff: true")
	code, stdout, stderr = flavorkit(t.Context(), "check", "--severity", "warning", "--arch", "arm64")
	assert.Zero(t, code, stdout+stderr)
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Len(t, left, 2)
}

// TestInitMakesDirectory makes the directory of a spec, and leaves none behind after a mistake.
func TestInitMakesDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, stderr := flavorkit(t.Context(), "init", "sites/edge", "--flavor", "debain-12")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `no flavor is called "debain-12"`)
	assert.NoDirExists(t, "sites/edge")
	code, stdout, stderr := flavorkit(t.Context(), "init", "sites/edge", "--defaults")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "wrote sites/edge/kairos.spec; build it with: flavorkit build sites/edge ")
	assert.FileExists(t, "sites/edge/kairos.spec")
}

func TestInitTranslates(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "Dockerfile", "FROM debian:12\nARG VERSION\nEXPOSE 80\nRUN kairos-init -m generic --version $VERSION\n")
	code, stdout, stderr := flavorkit(t.Context(), "init", "--from-dockerfile", "Dockerfile", "--build-arg", "VERSION=v3.0.0")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "wrote kairos.spec; ")
	assert.Equal(t, "Dockerfile:3: EXPOSE: only containers have it, not machines\n", stderr)
	text, err := os.ReadFile("kairos.spec")
	require.NoError(t, err)
	assert.Contains(t, string(text), "\nversion: v3.0.0\n")

	code, _, stderr = flavorkit(t.Context(), "init", "--force", "--from-dockerfile", "Dockerfile", "--user", "me")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "[from-dockerfile user]")

	write(t, "aurora.yaml", "flavor: hadron\n")
	code, _, stderr = flavorkit(t.Context(), "init", "--force", "--from-auroraboot", "aurora.yaml")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, `flavorkit: translate aurora.yaml: line 1: no distribution of the catalog is called "hadron"; `)
}

func TestPrompt(t *testing.T) {
	var out bytes.Buffer
	p := newPrompt(strings.NewReader("2\n\n name \n"), &out)
	o := starter.Offer{Choices: []starter.Choice{{Name: "one", Title: "the first"}, {Name: "two"}}, Default: "one"}
	q := starter.Question{Name: "which", Text: "Which"}
	for _, want := range []string{"two", "", "name"} {
		word, err := p.ask(t.Context(), q, o, nil)
		require.NoError(t, err)
		assert.Equal(t, want, word)
	}
	assert.True(t, strings.HasPrefix(out.String(), "\nWhich\n   1  one  (the first)\n   2  two\n[one] > \nWhich\n"), out.String())
	_, err := p.ask(t.Context(), q, o, nil)
	require.ErrorContains(t, err, "the input ended before the last question")

	in, _ := io.Pipe() // nobody answers
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = newPrompt(in, io.Discard).ask(ctx, q, o, nil)
	require.ErrorIs(t, err, context.Canceled)
}
