// Package outdated compares the versions in the catalog with what publishers have released.
package outdated

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// Options say how to ask publishers.
type Options struct {
	// Timeout for each list.
	Timeout time.Duration
	// Token for GitHub's API, which answers more often with one; empty for none. No other host gets
	// it.
	Token string
	// Agent is the user agent to send.
	Agent string
	// Transport is http.DefaultTransport, unless it is set.
	Transport http.RoundTripper
}

// parallel is the number of lists that are read at a time.
const parallel = 4

// Check compares versions with those of their publishers. What cannot be reached is a finding, not
// an error; an error means that the context ended.
func Check(ctx context.Context, all []catalog.Published, o Options) ([]catalog.Finding, error) {
	c := newClient(o)
	found := make([]catalog.Finding, len(all))
	turn := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			found[i] = c.check(ctx, p)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return found, nil
}

func (c *client) check(ctx context.Context, p catalog.Published) catalog.Finding {
	f := catalog.Finding{Kind: p.Kind, Name: p.Name, Version: p.Versions[0], Place: p.Range.String()}
	if p.Releases == nil {
		f.State, f.Note = catalog.Unlisted, "the catalog does not say where releases are listed"
		return f
	}
	newest, err := c.newest(ctx, p.Releases)
	if err != nil {
		f.State, f.Note = catalog.Unreachable, err.Error()
		return f
	}
	f.Newest = p.Releases.Prefix + newest
	switch order := catalog.CompareVersions(f.Version, f.Newest); {
	case order < 0:
		f.State = catalog.Outdated
	case order > 0:
		f.State, f.Note = catalog.Ahead, "the publisher has nothing newer than "+f.Newest
	default:
		f.State = catalog.Current
	}
	return f
}
