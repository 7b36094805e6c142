package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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
		assert.Contains(t, valid, formatJSON, cmd.CommandPath())
		assert.NotNil(t, cmd.Flags().Lookup("json"), cmd.CommandPath())
	})
	assert.Equal(t, 18, found)

	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good)
	for _, line := range []string{"plan --arch amd64", "check --arch amd64", "graph --arch amd64", "cloud-config --arch amd64", "matrix --arch amd64", "diff kairos.spec kairos.spec --arch amd64", "schema", "plan kairos.spec --arch amd64"} {
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

// TestCompletion completes values of flags, and arguments.
func TestCompletion(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good)
	write(t, "edge.yaml", "entries: [{extends: [debian-12], kernels: [debian-12], variants: [core], architectures: [amd64], models: [generic]}]\n")
	for line, want := range map[string]string{
		"graph --target": "iso\n", "check --arch": "arm64\n", "build --platform": "linux/arm64\n", "init --flavor": "debian-12\n",
		"init --kernel": "debian-13\n", "cloud-config --stage": "network\n", "scan --format": "sarif\n", "plan --explain": "curl\n",
		"matrix --file edge.yaml --entry": "core-debian-12-amd64-generic-debian-12\n", "matrix build --variant": "standard\n",
		"init --kubernetes": "none\n", "catalog check": "debian-12\n", "catalog outdated debian": "k3s\n",
	} {
		code, stdout, _ := flavorkit(t.Context(), append([]string{cobra.ShellCompRequestCmd}, append(strings.Fields(line), "")...)...)
		assert.Zero(t, code, line)
		assert.Contains(t, stdout, want, line)
	}
	for line, not := range map[string]string{"init --target": "sbom\n", "catalog outdated debian": "debian\n"} {
		_, stdout, _ := flavorkit(t.Context(), append([]string{cobra.ShellCompRequestCmd}, append(strings.Fields(line), "")...)...)
		assert.NotContains(t, "\n"+stdout, "\n"+not, line)
	}
}

// TestChoices has every flag complete its values, except those that any text or file is right for.
func TestChoices(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good)
	free := strings.Fields("build-arg build-context builder cache-from cache-to catalog cloud-config cmdline config context db digest " +
		"file from-auroraboot from-bundle from-dockerfile from-image frontend key kubernetes-version label lock no-cache-filter output " +
		"publish registry registry-mirror remove-cmdline report sbom secret sign ssh ssh-key state-dir tag trace update user version vex")
	seen := map[string]bool{}
	eachCommand(rootCommand(&bytes.Buffer{}, &bytes.Buffer{}), func(cmd *cobra.Command) {
		cmd.SetContext(t.Context())
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			switch {
			case slices.Contains([]string{"bool", "boolfunc", "duration", "int"}, flag.Value.Type()):
			case slices.Contains(free, flag.Name):
				seen[flag.Name] = true
			default:
				assert.NotEmpty(t, flagChoices(cmd, nil, flag), "%s --%s: see setChoices and choices", cmd.CommandPath(), flag.Name)
			}
		})
	})
	for _, name := range free {
		assert.True(t, seen[name], "no command has --%s", name)
	}
}
