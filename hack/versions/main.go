// Command versions updates what depends on the versions of components in the catalog, after one of
// them has changed: it records the checksum lists of their publishers for the tests, unless they are
// recorded, and writes the versions into docs/upstream.md.
//
//	go run ./hack/versions [ROOT]
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// maxList is the largest list that is read, in bytes.
const maxList = 1 << 20

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := run(ctx, &http.Client{Timeout: time.Minute}, root); err != nil {
		fmt.Fprintln(os.Stderr, "versions:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, client *http.Client, root string) error {
	cat, err := catalog.Builtin()
	if err != nil {
		return err
	}
	for _, name := range catalog.Names(cat.Components) {
		if err := record(ctx, client, filepath.Join(root, "test", "releasetest", "lists"), cat.Components[name]); err != nil {
			return errors.Wrap(err, name)
		}
	}
	page := filepath.Join(root, "docs", "upstream.md")
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	updated, err := versions(string(text), cat.Components)
	if err != nil {
		return errors.Wrap(err, page)
	}
	return os.WriteFile(page, []byte(updated), 0o644)
}

// record records the checksum lists of a component's default version.
func record(ctx context.Context, client *http.Client, dir string, c *catalog.Component) error {
	if c.Checksums == "" {
		return nil
	}
	for _, arch := range catalog.Names(c.Arch) {
		address := c.Expand(c.Checksums, c.Version, arch)
		_, path, _ := strings.Cut(address, "://")
		file := filepath.Join(dir, filepath.FromSlash(path))
		if _, err := os.Stat(file); err == nil {
			continue
		}
		list, err := fetch(ctx, client, address)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte("# Recorded from the release.\n"+list), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var checksum = regexp.MustCompile(`^[0-9a-f]{64} [ *]\S+$`)

// fetch downloads a list, and checks that it is one.
func fetch(ctx context.Context, client *http.Client, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", errors.Errorf("%s: %s", address, res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxList))
	if err != nil {
		return "", errors.Wrap(err, address)
	}
	list := strings.TrimSpace(string(data)) + "\n"
	for line := range strings.Lines(list) {
		if !checksum.MatchString(strings.TrimSuffix(line, "\n")) {
			return "", errors.Errorf("%s: %q is not a line of sha256sum", address, strings.TrimSpace(line))
		}
	}
	return list, nil
}

// versions replaces the versions in the table of components.
func versions(page string, components map[string]*catalog.Component) (string, error) {
	for _, name := range catalog.Names(components) {
		if components[name].Follows != "" {
			continue // its line names the other component
		}
		row := regexp.MustCompile("(?m)^(\\| `" + regexp.QuoteMeta(name) + "` \\| )\\S+( \\|)")
		if !row.MatchString(page) {
			return "", errors.Errorf("no line of a table begins with %s and its version", name)
		}
		page = row.ReplaceAllString(page, "${1}"+strings.ReplaceAll(components[name].Version, "$", "$$")+"${2}")
	}
	return page, nil
}
