// Command nightly tries the systems of the matrix on real base images and releases, and keeps their
// status.
//
//	nightly entries                 print the systems, as JSON
//	nightly run --entry NAME        run the stages of a system, and write their results
//	nightly merge                   put the results into docs/status.json, and write docs/status.md
//	nightly page                    write docs/status.md, for another matrix
//
// What cannot be reached is unreachable, never passed. run exits with 1 if a stage failed or was
// skipped, and with 3 if something was unreachable.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/hack/nightly/status"
	"github.com/flavorkit/flavorkit/hack/reach/hosts"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

//go:generate go run . page --status ../../docs/status.json --page ../../docs/status.md

//go:embed status.md
var head string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs a command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	code, err := command(ctx, args, stdout, stderr)
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "nightly: interrupted")
		return 130
	}
	if err != nil {
		fmt.Fprintln(stderr, "nightly:", err)
		return max(code, 1)
	}
	return code
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) (code int, err error) {
	cat, err := catalog.Builtin()
	if err != nil {
		return 1, err
	}
	entries, err := status.Entries(cat)
	if err != nil {
		return 1, err
	}
	name := ""
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("nightly "+name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", ".cache/nightly", "directory for specs, logs and results")
	file := flags.String("status", "docs/status.json", "the status")
	page := flags.String("page", "docs/status.md", "the page about it")
	switch name {
	case "entries":
		if err := parse(flags, args); err != nil {
			return 2, err
		}
		return 0, json.NewEncoder(stdout).Encode(entries)
	case "run":
		entry := flags.String("entry", "", "the system, as entries prints it")
		stages := flags.String("stages", "", "only these, such as check,core (default: all)")
		program := flags.String("flavorkit", "bin/flavorkit", "path of flavorkit")
		logURL := flags.String("log-url", "", "link to the log of this run")
		registry := flags.String("registry", "", "where to publish images (default: nowhere); NIGHTLY_USER and NIGHTLY_PASSWORD have the credentials")
		contexts := map[string]string{}
		flags.Func("build-context", "name=source: what replaces an image or a program; the result is no part of the status then", func(s string) error {
			name, source, ok := strings.Cut(s, "=")
			if !ok || name == "" || source == "" {
				return errors.New("expected name=source")
			}
			contexts[name] = source
			return nil
		})
		limit := flags.Duration("limit", 3*time.Hour, "for each stage")
		if err := parse(flags, args); err != nil {
			return 2, err
		}
		at, chosen, err := find(entries, *entry, *stages)
		if err != nil {
			return 2, err
		}
		r := &runner{
			catalog: cat, dir: *dir, program: *program, logURL: *logURL, registry: *registry, contexts: contexts, limit: *limit,
			user: os.Getenv("NIGHTLY_USER"), password: os.Getenv("NIGHTLY_PASSWORD"), reach: hosts.NewProber().Reach, out: stdout,
		}
		results, err := r.run(ctx, at, chosen)
		return verdict(results), err
	case "merge":
		red := flags.String("red", ".cache/nightly/red.md", "text of an issue about what has turned red; only written then")
		if err := parse(flags, args); err != nil {
			return 2, err
		}
		return 0, merge(entries, filepath.Join(*dir, "results"), *file, *page, *red)
	case "page":
		if err := parse(flags, args); err != nil {
			return 2, err
		}
		return 0, writePage(entries, *file, *page)
	default:
		return 2, errors.Errorf("unknown command %q; %s", name, specs.Suggest(name, []string{"entries", "merge", "page", "run"}))
	}
}

func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return errors.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return nil
}

// find finds an entry, and the stages of it that are chosen.
func find(entries []status.Entry, name, stages string) (entry status.Entry, chosen []status.Stage, err error) {
	var names []string
	for _, c := range entries {
		names = append(names, c.Name)
	}
	at := slices.Index(names, name)
	if at < 0 {
		return status.Entry{}, nil, errors.Errorf("unknown entry %q; %s", name, specs.Suggest(name, names))
	}
	entry = entries[at]
	for _, s := range strings.FieldsFunc(stages, func(r rune) bool { return r == ',' }) {
		if !slices.Contains(entry.Stages, status.Stage(s)) {
			return status.Entry{}, nil, errors.Errorf("%s does not go through %q; it goes through %s", name, s, join(entry.Stages))
		}
		chosen = append(chosen, status.Stage(s))
	}
	return entry, chosen, nil
}

func join(stages []status.Stage) string {
	names := make([]string, len(stages))
	for i, s := range stages {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// verdict is the exit code that results amount to.
func verdict(results []status.Result) int {
	code := 0
	for _, r := range results {
		switch r.State {
		case status.Failed, status.Skipped:
			return 1
		case status.Unreachable:
			code = unreachable
		}
	}
	return code
}

// merge puts results into the status, and writes the page about it.
func merge(entries []status.Entry, results, file, page, red string) error {
	s, err := status.Read(file)
	if err != nil {
		return err
	}
	found, err := status.ReadResults(results)
	if err != nil {
		return err
	}
	turned, err := s.Merge(found, entries)
	if err != nil {
		return err
	}
	if err := status.Write(file, s); err != nil {
		return err
	}
	if err := os.WriteFile(page, []byte(text(s, entries)), 0o644); err != nil {
		return err
	}
	if err := os.Remove(red); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(turned) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(red), 0o755); err != nil {
		return err
	}
	return os.WriteFile(red, []byte(status.Report(turned)), 0o644)
}

// writePage writes the page about the status.
func writePage(entries []status.Entry, file, page string) error {
	s, err := status.Read(file)
	if err != nil {
		return err
	}
	return os.WriteFile(page, []byte(text(s, entries)), 0o644)
}

// text is docs/status.md.
func text(s *status.Status, entries []status.Entry) string {
	return strings.Replace(head, "TABLE\n", s.Page(entries), 1)
}
