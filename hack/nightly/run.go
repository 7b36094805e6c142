package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/hack/nightly/status"
	"github.com/flavorkit/flavorkit/hack/reach/hosts"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// unreachable is the exit code of flavorkit catalog check when it could not look at something.
const unreachable = 3

// runner runs the stages of an entry.
type runner struct {
	catalog *catalog.Catalog
	// dir has what is made: specs, logs and results.
	dir string
	// program is the path of flavorkit.
	program string
	// logURL is the link to the log of this run; empty if nobody else can read it.
	logURL string
	// registry to publish to, such as ghcr.io/acme/flavorkit, and its user and password.
	registry, user, password string
	// contexts are named contexts that replace images and programs, by name.
	contexts map[string]string
	// limit for each stage.
	limit time.Duration
	// reach says whether a host answers.
	reach func(ctx context.Context, host string) error
	out   io.Writer
}

// run runs the stages of an entry that are chosen, or all, and writes the result of each.
func (r *runner) run(ctx context.Context, c status.Entry, chosen []status.Stage) ([]status.Result, error) {
	var results []status.Result
	for _, stage := range c.Stages {
		if len(chosen) > 0 && !slices.Contains(chosen, stage) || stage == status.Publish && r.registry == "" {
			continue
		}
		result := status.Result{Entry: c.Name, Stage: stage, Date: time.Now().UTC().Truncate(time.Second), Log: r.logURL, Substitutes: catalog.Names(r.contexts)}
		fmt.Fprintf(r.out, "%s, %s\n", c.Name, stage)
		var err error
		if result.State, result.Note, err = r.stage(ctx, c, stage); err != nil {
			return results, errors.Wrapf(err, "%s, %s", c.Name, stage)
		}
		if err := ctx.Err(); err != nil {
			return results, err // what was interrupted has no result
		}
		if err := status.Write(r.result(c, stage), result); err != nil {
			return results, err
		}
		fmt.Fprintf(r.out, "%s, %s: %s %s\n", c.Name, stage, result.State, result.Note)
		results = append(results, result)
	}
	return results, nil
}

func (r *runner) result(c status.Entry, s status.Stage) string {
	return filepath.Join(r.dir, "results", c.Name+"."+string(s)+".json")
}

// stage runs one stage. An error means that it could not be tried for a reason of ours.
func (r *runner) stage(ctx context.Context, c status.Entry, s status.Stage) (state status.State, note string, err error) {
	for _, need := range s.Needs() {
		results, err := status.ReadResults(r.result(c, need))
		if errors.Is(err, os.ErrNotExist) {
			return status.Skipped, fmt.Sprintf("%s has not run", need), nil
		}
		if err != nil {
			return "", "", err
		}
		switch results[0].State {
		case status.Passed:
		case status.Unreachable:
			return status.Unreachable, results[0].Note, nil
		default:
			return status.Skipped, fmt.Sprintf("%s has not passed", need), nil
		}
	}
	contexts := r.contexts
	switch {
	case s == status.Publish && len(contexts) > 0:
		return status.Skipped, "the images are made of substitutes", nil
	case s == status.Upgrade:
		contexts = nil // the test knows only the real ones
	}
	spec := status.Spec(c, s)
	p, err := status.Plan(r.catalog, c, spec)
	if err != nil {
		return "", "", err
	}
	all, err := needed(p, s, contexts)
	if err != nil {
		return "", "", err
	}
	for _, host := range all {
		if err := r.reach(ctx, host); err != nil {
			return status.Unreachable, fmt.Sprintf("%s: %v", host, err), nil
		}
	}
	commands, env, err := r.commands(c, s, p, spec)
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(r.configDir())
	for _, argv := range commands {
		if state, note := r.command(ctx, r.log(c, s), argv, env); state != status.Passed {
			return state, note, nil
		}
	}
	return status.Passed, "", nil
}

func (r *runner) log(c status.Entry, s status.Stage) string {
	return filepath.Join(r.dir, "logs", c.Name+"."+string(s)+".log")
}

// commands are the commands of a stage, and their environment in addition to that of the process.
func (r *runner) commands(c status.Entry, s status.Stage, p *plan.Plan, spec string) (commands [][]string, env []string, err error) {
	dir := filepath.Join(r.dir, "specs", c.Name+"."+string(s))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	var replaced []string
	for _, name := range catalog.Names(r.contexts) {
		replaced = append(replaced, "--build-context", name+"="+r.contexts[name])
	}
	build := func(spec, file, target string, flags ...string) ([]string, error) {
		file = filepath.Join(dir, file)
		if err := os.WriteFile(file, []byte(spec), 0o644); err != nil {
			return nil, err
		}
		return append([]string{r.program, "build", dir, "--file", file, "--target", target, "--platform", "linux/" + c.Arch, "--progress", "plain"}, slices.Concat(flags, replaced)...), nil
	}
	out := []string{"--output", filepath.Join(r.dir, "out", c.Name)}
	switch s {
	case status.Check:
		commands = append(commands, slices.Concat([]string{r.program, "catalog", "check"}, status.Distros(p), []string{"--arch", c.Arch, "--install"}, replaced))
	case status.Upgrade:
		env = append(env, "FLAVORKIT_NIGHTLY_FLAVOR="+c.Flavor)
		commands = append(commands, []string{"hack/lane.sh", "nightly-upgrade", "-timeout", "120m", "-run", "^TestNightlyUpgrade$", "./test/integration"})
	case status.Publish:
		if env, err = r.credentials(); err != nil {
			return nil, nil, err
		}
		for _, variant := range []status.Stage{status.Core, status.Standard} {
			tag := fmt.Sprintf("%s/%s-%s:nightly", r.registry, variant, c.Name)
			argv, err := build(status.Spec(c, variant), string(variant)+".spec", "image", "--push", "--tag", tag)
			if err != nil {
				return nil, nil, err
			}
			commands = append(commands, argv)
		}
	default:
		target := "test"
		if s == status.Core || s == status.Standard {
			target = "image"
		}
		argv, err := build(spec, specs.DefaultName, target, out...)
		if err != nil {
			return nil, nil, err
		}
		commands = append(commands, argv)
	}
	return commands, env, nil
}

func (r *runner) configDir() string { return filepath.Join(r.dir, "docker") }

// credentials writes a configuration of Docker with the password of the registry, which a push
// reads.
func (r *runner) credentials() (env []string, err error) {
	if r.password == "" {
		return nil, nil
	}
	if err := os.MkdirAll(r.configDir(), 0o700); err != nil {
		return nil, err
	}
	host, _, _ := strings.Cut(r.registry, "/")
	auth := base64.StdEncoding.EncodeToString([]byte(r.user + ":" + r.password))
	data, err := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{"auth": auth}}})
	if err != nil {
		return nil, err
	}
	return []string{"DOCKER_CONFIG=" + r.configDir()}, os.WriteFile(filepath.Join(r.configDir(), "config.json"), data, 0o600)
}

// command runs a command, with its output in the log and on the console.
func (r *runner) command(ctx context.Context, log string, argv, env []string) (state status.State, note string) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return status.Failed, err.Error()
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return status.Failed, err.Error()
	}
	defer file.Close()
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	cmd := exec.CommandContext(limited, argv[0], argv[1:]...)
	var last tail
	cmd.Stdout = io.MultiWriter(file, r.out)
	cmd.Stderr = io.MultiWriter(file, r.out, &last)
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return status.Passed, ""
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return status.Failed, "took longer than " + r.limit.String()
	case errors.As(err, &exit) && exit.ExitCode() == unreachable && len(argv) > 1 && argv[1] == "catalog":
		return status.Unreachable, last.line()
	default:
		return status.Failed, last.line()
	}
}

// tail keeps the end of what is written.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if extra := len(t.data) - 4096; extra > 0 {
		t.data = t.data[extra:]
	}
	return len(p), nil
}

// line is the last line, which is where commands say what went wrong.
func (t *tail) line() string {
	lines := bytes.Split(bytes.TrimSpace(t.data), []byte("\n"))
	return string(lines[len(lines)-1])
}

// needed are the hosts of the registries and publishers that a stage needs. The repositories of a
// distribution are not among them: its base image says where they are.
func needed(p *plan.Plan, s status.Stage, contexts map[string]string) ([]string, error) {
	if s == status.Check {
		return hosts.OfImages([]string{p.Userland.Base, p.Kernel.Base}, contexts)
	}
	return hosts.OfPlan(p, contexts)
}
