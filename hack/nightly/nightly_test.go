package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/hack/nightly/status"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/golden"
)

// program is in place of flavorkit: it writes its arguments to a file, and then runs a script.
func program(t *testing.T, script string) (path, called string) {
	t.Helper()
	dir := t.TempDir()
	path, called = filepath.Join(dir, "flavorkit"), filepath.Join(dir, "called")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho \"$*\" >>"+called+"\n"+script+"\n"), 0o755))
	return path, called
}

// world is the built-in catalog, and its entries.
type world struct {
	catalog *catalog.Catalog
	entries []status.Entry
}

var builtin = sync.OnceValues(func() (world, error) {
	cat, err := catalog.Builtin()
	if err != nil {
		return world{}, err
	}
	entries, err := status.Entries(cat)
	return world{cat, entries}, err
})

// setUp returns a runner for an entry that goes through all stages. All hosts answer.
func setUp(t *testing.T, script string) (r *runner, c status.Entry, called string) {
	t.Helper()
	w, err := builtin()
	require.NoError(t, err)
	r = &runner{catalog: w.catalog, dir: t.TempDir(), limit: time.Minute, out: &bytes.Buffer{}, reach: func(context.Context, string) error { return nil }}
	r.program, called = program(t, script)
	return r, w.entries[0], called
}

func states(results []status.Result) map[status.Stage]status.State {
	all := map[status.Stage]status.State{}
	for _, r := range results {
		all[r.Stage] = r.State
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}

// here are the stages that run only the program.
func here() []status.Stage {
	return []status.Stage{status.Check, status.Core, status.Standard, status.Boot, status.Install, status.K3s, status.Publish}
}

func TestRun(t *testing.T) {
	r, c, called := setUp(t, "cat \"$DOCKER_CONFIG/config.json\" 2>/dev/null || true")
	r.logURL, r.registry, r.user, r.password = "https://ci.example/1", "ghcr.example/acme", "acme", "secret"
	results, err := r.run(t.Context(), c, here())
	require.NoError(t, err)
	assert.Len(t, results, len(here()))
	for _, result := range results {
		assert.Equal(t, status.Passed, result.State, result.Stage)
		assert.Equal(t, "https://ci.example/1", result.Log)
	}
	assert.Zero(t, verdict(results))
	found, err := status.ReadResults(filepath.Join(r.dir, "results"))
	require.NoError(t, err)
	assert.ElementsMatch(t, results, found)

	commands := strings.Split(strings.TrimSpace(read(t, called)), "\n")
	require.Len(t, commands, len(here())+1)
	assert.Equal(t, "catalog check debian-12 --arch amd64 --install", commands[0])
	assert.Contains(t, commands[1], "/specs/debian-12-amd64.core/kairos.spec --target image --platform linux/amd64")
	assert.Contains(t, commands[3], "--target test")
	assert.Contains(t, commands[6], "--push --tag ghcr.example/acme/core-debian-12-amd64:nightly")
	assert.Contains(t, commands[7], "--push --tag ghcr.example/acme/standard-debian-12-amd64:nightly")
	assert.Contains(t, read(t, filepath.Join(r.dir, "specs", "debian-12-amd64.k3s", "kairos.spec")), "variant: standard\n")

	// The password is there for a push only, and is gone then.
	assert.Contains(t, read(t, filepath.Join(r.dir, "logs", "debian-12-amd64.publish.log")), `{"auths":{"ghcr.example":{"auth":"YWNtZTpzZWNyZXQ="}}}`)
	assert.NotContains(t, read(t, filepath.Join(r.dir, "logs", "debian-12-amd64.core.log")), "auths")
	assert.NoDirExists(t, r.configDir())
}

// TestRunNowhere publishes nothing without a registry.
func TestRunNowhere(t *testing.T) {
	r, c, called := setUp(t, "")
	results, err := r.run(t.Context(), c, here())
	require.NoError(t, err)
	assert.NotContains(t, states(results), status.Publish)
	assert.NotContains(t, read(t, called), "--push")
}

func TestRunFailed(t *testing.T) {
	r, c, _ := setUp(t, `case "$*" in *core*) echo "step 1"; echo "flavorkit: no such package" >&2; exit 1;; esac`)
	r.registry = "ghcr.example/acme"
	results, err := r.run(t.Context(), c, here())
	require.NoError(t, err)
	assert.Equal(t, map[status.Stage]status.State{
		status.Check: status.Passed, status.Core: status.Failed, status.Standard: status.Passed, status.Boot: status.Skipped,
		status.Install: status.Skipped, status.K3s: status.Passed, status.Publish: status.Skipped,
	}, states(results))
	assert.Equal(t, "flavorkit: no such package", results[1].Note)
	assert.Equal(t, "core has not passed", results[3].Note)
	log := strings.Split(read(t, filepath.Join(r.dir, "logs", "debian-12-amd64.core.log")), "\n")
	assert.ElementsMatch(t, []string{"step 1", "flavorkit: no such package", ""}, log, "two streams, in any order")
	assert.Equal(t, 1, verdict(results))
}

// TestRunUnreachable has a host that does not answer. Nothing is tried then.
func TestRunUnreachable(t *testing.T) {
	for host, want := range map[string]map[status.Stage]status.State{
		"registry-1.docker.io": {status.Check: status.Unreachable, status.Core: status.Unreachable, status.Boot: status.Unreachable},
		"github.com":           {status.Check: status.Passed, status.Core: status.Unreachable, status.Boot: status.Unreachable},
	} {
		r, c, called := setUp(t, "")
		r.reach = func(_ context.Context, asked string) error {
			if asked == host {
				return errors.New("no such host")
			}
			return nil
		}
		results, err := r.run(t.Context(), c, []status.Stage{status.Check, status.Core, status.Boot})
		require.NoError(t, err)
		assert.Equal(t, want, states(results))
		assert.Equal(t, host+": no such host", results[2].Note)
		assert.Equal(t, unreachable, verdict(results))
		if want[status.Check] == status.Unreachable {
			assert.NoFileExists(t, called)
		}
	}
}

// TestRunCheck has repositories that do not answer, which the check tells by its exit code. A build
// that exits with it has failed.
func TestRunCheck(t *testing.T) {
	r, c, _ := setUp(t, "echo '2 could not be looked at' >&2; exit 3")
	results, err := r.run(t.Context(), c, []status.Stage{status.Check, status.Core})
	require.NoError(t, err)
	assert.Equal(t, map[status.Stage]status.State{status.Check: status.Unreachable, status.Core: status.Failed}, states(results))
	assert.Equal(t, "2 could not be looked at", results[0].Note)
}

// TestRunAlone runs a stage without those that it needs, and then after them.
func TestRunAlone(t *testing.T) {
	r, c, _ := setUp(t, "")
	results, err := r.run(t.Context(), c, []status.Stage{status.Boot})
	require.NoError(t, err)
	assert.Equal(t, status.Skipped, results[0].State)
	assert.Equal(t, "core has not run", results[0].Note)
	_, err = r.run(t.Context(), c, []status.Stage{status.Core})
	require.NoError(t, err)
	results, err = r.run(t.Context(), c, []status.Stage{status.Boot})
	require.NoError(t, err)
	assert.Equal(t, status.Passed, results[0].State)
}

func TestRunLimit(t *testing.T) {
	r, c, _ := setUp(t, "exec sleep 60")
	r.limit = 100 * time.Millisecond
	results, err := r.run(t.Context(), c, []status.Stage{status.Core})
	require.NoError(t, err)
	assert.Equal(t, status.Failed, results[0].State)
	assert.Equal(t, "took longer than 100ms", results[0].Note)
}

// TestRunInterrupted interrupts a stage, which then has no result.
func TestRunInterrupted(t *testing.T) {
	r, c, called := setUp(t, "exec sleep 60")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(called); err == nil {
				cancel()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	results, err := r.run(ctx, c, []status.Stage{status.Core, status.Standard})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, results)
	assert.NoDirExists(t, filepath.Join(r.dir, "results"))
}

// TestHosts checks what a stage needs.
func TestHosts(t *testing.T) {
	w, err := builtin()
	require.NoError(t, err)
	c := status.Entry{Name: "x", Flavor: "debian-12", Arch: "amd64", Model: "generic"}
	for stage, want := range map[status.Stage][]string{
		status.Check: {"registry-1.docker.io"}, status.Core: {"github.com", "registry-1.docker.io"}, status.K3s: {"github.com", "registry-1.docker.io"},
	} {
		p, err := status.Plan(w.catalog, c, status.Spec(c, stage))
		require.NoError(t, err)
		got, err := needed(p, stage, nil)
		require.NoError(t, err)
		assert.Equal(t, want, got, stage)
	}
}

// TestSubstitutes replaces the base image and then all programs, by named contexts.
func TestSubstitutes(t *testing.T) {
	r, c, called := setUp(t, "")
	r.registry = "ghcr.example/acme"
	var asked []string
	r.reach = func(_ context.Context, host string) error {
		asked = append(asked, host)
		return nil
	}
	stages := []status.Stage{status.Check, status.Core, status.Boot, status.Publish}
	r.contexts = map[string]string{"debian:12-slim": "oci-layout:///base"}
	results, err := r.run(t.Context(), c, stages)
	require.NoError(t, err)
	assert.Equal(t, []string{"github.com", "github.com"}, asked)
	assert.Contains(t, read(t, called), "catalog check debian-12 --arch amd64 --install --build-context debian:12-slim=oci-layout:///base\n")
	assert.Equal(t, []string{"debian:12-slim"}, results[0].Substitutes)

	asked = nil
	r.contexts["kairos-agent"], r.contexts["immucore"] = "/agent", "/immucore"
	results, err = r.run(t.Context(), c, stages)
	require.NoError(t, err)
	assert.Empty(t, asked)
	assert.Contains(t, read(t, called), "--build-context debian:12-slim=oci-layout:///base --build-context immucore=/immucore --build-context kairos-agent=/agent\n")
	assert.Equal(t, status.Skipped, states(results)[status.Publish], "nobody gets images of substitutes")
	assert.NotContains(t, read(t, called), "--push")
}

// nightly runs a command line.
func nightly(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, `nightly: unknown command ""; valid: entries, merge, page, run`},
		{[]string{"marge"}, 2, `unknown command "marge"; did you mean "merge"?`},
		{[]string{"run"}, 2, `unknown entry ""`},
		{[]string{"run", "--entry", "debian-12-amd46"}, 2, `unknown entry "debian-12-amd46"; did you mean "debian-12-amd64"?`},
		{[]string{"run", "--entry", "ubuntu-arm64", "--stages", "core,k3s"}, 2, `ubuntu-arm64 does not go through "k3s"; it goes through check, core, standard, boot, publish`},
		{[]string{"run", "--build-context", "debian"}, 2, `expected name=source`},
		{[]string{"merge", "x"}, 2, `unexpected argument "x"`},
		{[]string{"merge", "--dir", t.TempDir(), "--status", "none.json"}, 1, "none.json"},
	} {
		code, _, stderr := nightly(t, c.args...)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, stderr, c.want)
	}
	code, stdout, _ := nightly(t, "entries")
	assert.Zero(t, code)
	var entries []status.Entry
	require.NoError(t, json.Unmarshal([]byte(stdout), &entries))
	assert.Equal(t, "debian-12-amd64", entries[0].Name)
}

// TestCommandRun runs a stage by the command line.
func TestCommandRun(t *testing.T) {
	path, _ := program(t, "exit 1")
	dir := t.TempDir()
	code, stdout, stderr := nightly(t, "run", "--entry", "debian-12-amd64", "--stages", "boot", "--flavorkit", path, "--dir", dir)
	assert.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "debian-12-amd64, boot: skipped core has not run")
}

// TestCommandMerge merges two nights.
func TestCommandMerge(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("status.json"), []byte(`{"results": []}`), 0o644))
	merge := func(state status.State, day int) {
		r := status.Result{Entry: "debian-12-amd64", Stage: status.Core, State: state, Date: time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC)}
		require.NoError(t, status.Write(at("results/x.json"), r))
		code, _, stderr := nightly(t, "merge", "--dir", dir, "--status", at("status.json"), "--page", at("status.md"), "--red", at("red.md"))
		require.Zero(t, code, stderr)
	}
	merge(status.Failed, 1)
	assert.Contains(t, read(t, at("red.md")), "`debian-12-amd64`, core: no note (no log)")
	assert.Contains(t, read(t, at("status.md")), "| `debian-12-amd64` | never ran | **failed** 2026-11-01 |")
	merge(status.Failed, 2)
	assert.NoFileExists(t, at("red.md"))
	merge(status.Passed, 3)
	assert.NoFileExists(t, at("red.md"))
	assert.Contains(t, read(t, at("status.json")), `"passed": "2026-11-03T00:00:00Z"`)
}

// TestPageIsCurrent checks docs/status.md.
func TestPageIsCurrent(t *testing.T) {
	w, err := builtin()
	require.NoError(t, err)
	golden.Generated(t, "../../docs/status.md", func(file string) error { return writePage(w.entries, "../../docs/status.json", file) })
}
